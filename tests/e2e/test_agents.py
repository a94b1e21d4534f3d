"""An agent framework as it is, on both of AI Studio's tiers: tools, strict JSON, and forms that are tools."""

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from .house import Gateway, Simulator

pytestmark = pytest.mark.timeout(180)

CALLS = [{"name": "temperature", "args": {"city": "Rome"}}, {"name": "population", "args": {"city": "Rome"}}]


class City(BaseModel):
    """What the agent is to answer with."""

    name: str
    celsius: float
    people: int | None = None


ROME = City(name="Rome", celsius=24.5, people=2_750_000)


@pytest.fixture
def gateway(each_tier: Gateway) -> Gateway:
    """Return a gateway of each tier."""
    return each_tier


async def answered(
    client: AsyncOpenAI, output: NativeOutput[City] | ToolOutput[City], model: str = "gemini-2.5-flash"
) -> tuple[City, list[str]]:
    """Run an agent with two tools; return its answer and the tools it ran."""
    ran: list[str] = []
    asked = OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))
    agent = Agent(asked, output_type=output, instructions="Be exact.")

    @agent.tool_plain
    def temperature(city: str) -> float:
        """Tell the temperature of a city."""
        ran.append(f"temperature of {city}")
        return ROME.celsius

    @agent.tool_plain
    def population(city: str) -> int:
        """Count the people of a city."""
        ran.append(f"population of {city}")
        return ROME.people or 0

    result = await agent.run("Tell me about Rome.")
    return result.output, sorted(ran)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-pro-preview"])
async def test_strict_json_after_tools(gateway: Gateway, simulator: Simulator, model: str) -> None:
    """Parallel tool calls, their results, then an answer that the agent reads by its schema."""
    simulator.play(when="result of", text=[ROME.model_dump_json()])
    simulator.play(calls=CALLS)

    async with gateway.async_client() as client:
        output, ran = await answered(client, NativeOutput(City, strict=True), model)

    assert output == ROME
    assert ran == ["population of Rome", "temperature of Rome"]
    assert "24.5" in simulator.log()[1]["prompt"]


async def test_a_form_that_is_a_tool(gateway: Gateway, simulator: Simulator) -> None:
    """Agents may have their answer called as a function, which the model is told that it must."""
    simulator.play(when="result of", calls=[{"name": "final_result", "args": ROME.model_dump()}])
    simulator.play(calls=CALLS)

    async with gateway.async_client() as client:
        output, _ = await answered(client, ToolOutput(City, strict=True))

    assert output == ROME
    assert "must call at least one" in simulator.log()[0]["system"]
