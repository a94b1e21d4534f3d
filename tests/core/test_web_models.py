"""`GET /v1/models` and `GET /v1/models/{id}`, asked by the official client."""

from pathlib import Path
from typing import Any

import openai
import pytest

from studiogate import hookimpl
from studiogate.models import Model, Thinking

from .backends import backend, says, serving, sse

PRO = Model(
    id="gemini-pro",
    display_name="Gemini Pro",
    description="Thinks.",
    input_token_limit=1000,
    output_token_limit=100,
    default_temperature=1.0,
    default_top_p=0.95,
    default_top_k=64,
    thinking=Thinking(min_budget=128, max_budget=32768, default_budget=8192),
)
SHOWN: dict[str, Any] = {
    "id": "gemini-pro",
    "object": "model",
    "owned_by": "google",
    "display_name": "Gemini Pro",
    "description": "Thinks.",
    "injected": False,
    "target": None,
    "input_token_limit": 1000,
    "output_token_limit": 100,
    "default_temperature": 1.0,
    "default_top_p": 0.95,
    "default_top_k": 64,
    "thinking": {
        "min_budget": 128,
        "max_budget": 32768,
        "default_budget": 8192,
        "can_turn_off": False,
        "off_by_default": False,
        "levels": [],
        "default_level": None,
    },
    "media_resolution": False,
    "functions": None,
}
ALIAS = {"id": "gpt-4o", "target": "gemini-pro", "display_name": "GPT"}
SLASHED = {"id": "tuned/mine"}


class Lists:
    """List a model with all there is to say."""

    @hookimpl
    def list_models(self) -> tuple[Model, ...]:
        """List it."""
        return (PRO,)


PLUGINS = {"lists": Lists, "answers": backend(says("Hello"))}


async def test_the_official_client_lists_models() -> None:
    """All of them, with what the gateway knows besides OpenAI's fields."""
    async with serving(PLUGINS, models=[ALIAS]) as served:
        listed = await served.openai.models.list()
        plain = (await served.http.get("/v1/models")).json()

    assert plain["object"] == "list"
    pro, alias = (model.to_dict() for model in listed.data)
    assert {**SHOWN, "created": listed.data[0].created} == pro == plain["data"][0]
    assert listed.data[0].created > 1_700_000_000
    assert {**pro, "id": "gpt-4o", "display_name": "GPT", "injected": True, "target": "gemini-pro"} == alias


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("gemini-pro", "gemini-pro"),
        ("models/gemini-pro", "gemini-pro"),
        ("gpt-4o", "gpt-4o"),
        ("tuned/mine", "tuned/mine"),
    ],
)
async def test_the_official_client_retrieves_a_model(asked: str, found: str) -> None:
    """By its id, slashes and the upstream's prefix included; it is what the list holds."""
    async with serving(PLUGINS, models=[ALIAS, SLASHED]) as served:
        model = await served.openai.models.retrieve(asked)
        listed = [each.to_dict() for each in (await served.openai.models.list()).data]

    assert model.id == found
    assert model.to_dict() in listed


@pytest.mark.parametrize("path", ["models/gemini-pro", "models%2Fgemini-pro", "gemini-pro"])
async def test_a_models_address_may_hold_slashes(path: str) -> None:
    """Written out or quoted."""
    async with serving(PLUGINS) as served:
        answer = await served.http.get(f"/v1/models/{path}")

    assert answer.status_code == 200
    assert answer.json()["id"] == "gemini-pro"


async def test_an_unknown_model_is_not_found() -> None:
    """The official client raises its own error; the body names the nearest."""
    async with serving(PLUGINS, models=[ALIAS]) as served:
        with pytest.raises(openai.NotFoundError) as missing:
            await served.openai.models.retrieve("gemini-pr")

    assert missing.value.body == {
        "message": "The model 'gemini-pr' is not available. Nearest: gemini-pro. GET /v1/models lists all.",
        "type": "not_found_error",
        "param": "model",
        "code": "model_not_found",
    }


async def test_an_alias_answers_under_its_own_name() -> None:
    """Streamed or not, the client reads back what it asked for."""
    async with serving(PLUGINS, models=[ALIAS]) as served:
        whole = await served.chat(model="models/gpt-4o")
        streamed = await served.chat(model="models/gpt-4o", stream=True)

    assert {whole.json()["model"], *(chunk["model"] for chunk in sse(streamed.text)[:-1])} == {"gpt-4o"}


async def test_an_excluded_model_is_gone_everywhere(tmp_path: Path) -> None:
    """It is not listed, not found, not answered."""
    excluded = tmp_path / "excluded_models.txt"
    excluded.write_text("gemini-pro\n")
    async with serving(PLUGINS, models=[ALIAS, SLASHED], excluded_models=str(excluded)) as served:
        listed = await served.openai.models.list()
        with pytest.raises(openai.NotFoundError):
            await served.openai.models.retrieve("gemini-pro")
        asked = [await served.chat(model=name) for name in ("gemini-pro", "gpt-4o")]

    assert [model.id for model in listed.data] == ["tuned/mine"]
    assert [answer.status_code for answer in asked] == [422, 422]
    assert asked[0].json() == {
        "error": {
            "message": "The model 'gemini-pro' is excluded on this gateway. GET /v1/models lists all.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        },
        "detail": "The model 'gemini-pro' is excluded on this gateway. GET /v1/models lists all.",
    }
