"""The fixtures that pytest offers wherever studiogate is installed."""

import subprocess
import sys
from typing import Any

import openai
import pytest

from studiogate.errors import ConfigurationError
from studiogate.events import TextDelta
from studiogate.testing import STOP, Recorder, ask, read, says, text_of
from studiogate.testing.simulator import Simulator
from studiogate.testing.threads import Servers

from .sound import Sound


async def test_a_gateway_runs_around_a_plugin(studiogate_gateway: Any, studiogate_scripted: Any) -> None:
    """In process, with a scripted backend where the plugin is none."""
    async with studiogate_gateway({"mine": studiogate_scripted(says("Hello ", "you"))}) as gateway:
        assert text_of(await read(gateway.submit(ask("Hello")))) == "Hello you"


def test_a_server_has_an_openai_compatible_port(studiogate_server: Servers, studiogate_scripted: Any) -> None:
    """The official client reads the answer, in a test that isn't async."""
    url = studiogate_server({"mine": studiogate_scripted(says("Hello you"), "test-model")})
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(model="test-model", messages=[{"role": "user", "content": "Hello"}])

    assert answer.choices[0].message.content == "Hello you"


def test_what_keeps_a_server_from_serving_is_raised(studiogate_server: Servers) -> None:
    """The test sees the gateway's own message."""
    with pytest.raises(ConfigurationError, match="nothing"):
        studiogate_server({"sound": Sound}, tables={"sound": {"nothing": 1}})


async def test_a_recorder_keeps_what_a_backend_says(
    studiogate_gateway: Any, studiogate_recorder: Recorder, studiogate_scripted: Any
) -> None:
    """Every call with its exchange, its events and what came out of it."""
    backend = studiogate_recorder.recording(studiogate_scripted(says("Hello")))
    async with studiogate_gateway({"mine": backend}) as gateway:
        await read(gateway.submit(ask("Say hello")))

    (call,) = studiogate_recorder.calls
    assert (call.exchange.prompt.text, call.events, call.error) == ("Say hello", [TextDelta(text="Hello"), STOP], None)


def test_the_simulator_is_there_and_empty(studiogate_simulator: Simulator) -> None:
    """It takes scenarios, and has received nothing yet."""
    studiogate_simulator.play(text=["Hello"])

    assert studiogate_simulator.prompts() == []


def test_pytest_loads_little_of_it() -> None:
    """A test run of other people's costs neither the server nor the gateway."""
    code = """if True:
        import sys, studiogate.pytest_plugin
        print({"litestar", "granian", "studiogate.gateway", "studiogate.testing"} & sys.modules.keys())
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
