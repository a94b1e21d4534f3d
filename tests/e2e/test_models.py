"""Models by other names, models left out, and models known from an earlier start."""

from collections.abc import Generator
from pathlib import Path

import pytest

from .house import Gateway, Simulator, running_gateway, write_config

ALIASES = """
[[models]]
id = "gpt-4o"
target = "gemini-2.5-pro"

[[models]]
id = "gpt-4o-mini"
target = "gemini-flash-latest"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the gateway's files."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def aliasing(folder: Path, shared_simulator: Simulator) -> Generator[Gateway]:
    """Run a gateway with models of the operator's own and one left out."""
    path = write_config(folder, shared_simulator, {"studio": {"tabs": 1}})
    path.write_text(path.read_text() + ALIASES)
    (folder / "excluded_models.txt").write_text("# too old\nmodels/gemma-3-27b-it\n")
    with running_gateway(path) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ("gpt-4o", "gemini-2.5-pro"),
        ("gpt-4o-mini", "gemini-2.5-flash"),
        ("gemini-flash-latest", "gemini-2.5-flash"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
    ],
)
def test_an_alias_asks_its_model_and_answers_under_its_name(
    aliasing: Gateway, simulator: Simulator, asked: str, answers: str
) -> None:
    """The operator's aliases and AI Studio's own; the request upstream is made for the model that answers."""
    answer = aliasing.ask(f"to {asked}.", model=asked)

    assert answer.json()["model"] == asked.removeprefix("models/")
    assert simulator.turn(f"to {asked}.")["model"] == answers


def test_an_alias_has_the_limits_of_its_model(aliasing: Gateway, simulator: Simulator) -> None:
    """A list of models tells clients what they may ask for."""
    models = {model.id: model.model_dump() for model in aliasing.client.models.list()}

    for name, target in (("gpt-4o", "gemini-2.5-pro"), ("gpt-4o-mini", "gemini-2.5-flash")):
        same = ("input_token_limit", "output_token_limit", "default_temperature", "thinking", "description")
        assert [models[name][key] for key in same] == [models[target][key] for key in same]
        assert (models[name]["target"], models[name]["injected"]) == (target, True)
    assert simulator.log() == []


def test_an_excluded_model_is_refused_and_may_come_back(aliasing: Gateway, simulator: Simulator, folder: Path) -> None:
    """The file counts as it is at the moment; nothing that is refused goes upstream."""
    listed = [model.id for model in aliasing.client.models.list()]
    refused = aliasing.ask("to gemma.", model="gemma-3-27b-it")
    sent = simulator.log()
    (folder / "excluded_models.txt").write_text("# none\n")
    answered = aliasing.ask("to gemma.", model="gemma-3-27b-it")

    assert "gemma-3-27b-it" not in listed
    assert (refused.status_code, refused.json()["error"]["code"], sent) == (422, "model_not_found", [])
    assert "is excluded" in refused.json()["detail"]
    assert answered.status_code == 200


def test_models_are_known_before_the_browser_is(tmp_path: Path, simulator: Simulator) -> None:
    """A gateway that has served before lists its models and refuses unknown ones although it can't answer yet."""
    with running_gateway(write_config(tmp_path, simulator, {"studio": {"tabs": 1}})) as gateway:
        told = [model.id for model in gateway.client.models.list()]
    without = write_config(tmp_path, simulator, {"studio": {"profile": str(tmp_path / "none.json")}})
    with running_gateway(without, ready=False) as gateway:
        known = [model.id for model in gateway.client.models.list()]
        unknown = gateway.ask("to whom", model="gemini-2.5-prx")
        waiting = gateway.ask("to pro", model="gemini-2.5-pro")

    assert known == told
    assert "gemini-2.5-pro" in known
    assert (unknown.status_code, waiting.status_code) == (422, 503)
