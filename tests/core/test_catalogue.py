import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate import ConfigurationError, hookimpl
from studiogate.catalogue import Catalogue, Choice
from studiogate.config import load_config
from studiogate.errors import ModelNotFound, NotFound
from studiogate.models import Model, Thinking
from studiogate.plugins import PluginHost

from .backends import config, installed
from .test_layout import ROOT

PRO = Model(id="gemini-2.5-pro", display_name="Gemini 2.5 Pro", input_token_limit=9, thinking=Thinking(max_budget=7))
FLASH = Model(id="gemini-2.5-flash", display_name="Gemini 2.5 Flash")
LATEST = FLASH.alias("gemini-flash-latest")


class Lister:
    """List whatever the test says at the moment."""

    models: tuple[Model, ...] = ()

    @hookimpl
    def list_models(self) -> tuple[Model, ...]:
        """List it."""
        return self.models


def lists(*models: Model) -> type[Lister]:
    """Make a plugin that lists models."""
    return type("Listing", (Lister,), {"models": models})


def catalogue(*plugins: type, models: tuple[Mapping[str, Any], ...] = (), **gateway: Any) -> Catalogue:
    """Make a catalogue over plugins, `[[models]]` tables and `[gateway]` settings."""
    named = {f"p{index}": plugin for index, plugin in enumerate(plugins)}
    made = config(*named, models=models, **gateway)
    return Catalogue(made, PluginHost(made, installed(named)))


def ids(made: Catalogue) -> list[str]:
    """Return the ids on offer."""
    return [model.id for model in made.models]


def refusal(made: Catalogue, name: str | None) -> str:
    """Return why a request for a model is refused."""
    with pytest.raises(ModelNotFound) as refused:
        made.choose(name)
    assert (refused.value.param, refused.value.code) == ("model", "model_not_found")
    return refused.value.message


def test_lists_are_merged_in_order_and_the_first_of_equal_ids_stands() -> None:
    """Clients see one list, whoever offers the models."""
    one = lists(Model(id="x", display_name="one's"), Model(id="y", display_name="Y"))
    two = lists(Model(id="z", display_name="Z"), Model(id="x", display_name="two's"))

    assert [model.display_name for model in catalogue(one, two).models] == ["one's", "Y", "Z"]


def test_lists_are_asked_for_anew_each_time() -> None:
    """A browser that starts late is heard."""
    late = lists()
    made = catalogue(late)
    before = ids(made)
    late.models = (PRO,)

    assert (before, ids(made)) == ([], [PRO.id])


@pytest.mark.parametrize(
    ("asked", "default", "expected"),
    [
        ("gemini-2.5-flash", None, FLASH),
        ("models/gemini-2.5-flash", None, FLASH),
        (" gemini-2.5-flash ", None, FLASH),
        (None, "gemini-2.5-flash", FLASH),
        ("", "models/gemini-2.5-flash", FLASH),
        (None, None, PRO),
        (None, "", PRO),
        ("gemini-2.5-flash", "gemini-2.5-pro", FLASH),
    ],
)
def test_the_model_is_the_clients_else_the_operators_else_the_first(
    asked: str | None, default: str | None, expected: Model
) -> None:
    """Each with or without the upstream's prefix; the client sees the id without."""
    made = catalogue(lists(PRO, FLASH), default_model=default)

    assert made.choose(asked) == Choice(name=expected.id, model=expected)


@pytest.mark.parametrize(("default", "expected"), [(None, PRO.id), ("models/my", "my")])
def test_the_default_has_a_name(default: str | None, expected: str) -> None:
    """What a request without a model gets: the setting, else the first on offer."""
    assert catalogue(lists(PRO, FLASH), default_model=default).default == expected


def test_without_models_and_setting_there_is_no_default() -> None:
    """Nobody invents one; the backend takes its own."""
    made = catalogue(lists())

    assert made.default is None
    assert made.choose(None) == Choice(name="", model=None)


@pytest.mark.parametrize("asked", ["models/any", "any"])
def test_while_nobody_lists_models_every_id_is_passed_on(asked: str) -> None:
    """The backend is the one to say why it knows no models yet."""
    assert catalogue(lists()).choose(asked) == Choice(name="any", model=Model(id="any", display_name="any"))


def test_an_unknown_model_is_refused_with_the_nearest() -> None:
    """A typing error in the model's name is answered with names that work."""
    made = catalogue(lists(FLASH, PRO, Model(id="imagen", display_name="I")))

    assert refusal(made, "gemini-2.5-flahs") == (
        "The model 'gemini-2.5-flahs' is not available. Nearest: gemini-2.5-flash, gemini-2.5-pro. "
        "GET /v1/models lists all."
    )
    assert refusal(made, "zzz") == "The model 'zzz' is not available. GET /v1/models lists all."


def test_an_endless_name_is_neither_compared_nor_repeated_whole() -> None:
    """Comparing megabytes would hold up everybody."""
    message = refusal(catalogue(lists(PRO)), "gemini-2.5-pro" + "o" * 10_000_000)

    assert len(message) < 300


def test_an_unknown_default_names_the_setting() -> None:
    """The client sees that the mistake is the operator's, and what would work."""
    assert refusal(catalogue(lists(PRO), default_model="gemini-2.5-por"), None) == (
        "The request names no model, and [gateway] default_model can't be had. "
        "The model 'gemini-2.5-por' is not available. Nearest: gemini-2.5-pro. GET /v1/models lists all."
    )


def test_a_model_is_found_by_its_id() -> None:
    """With or without the prefix."""
    made = catalogue(lists(PRO))

    assert made.find("gemini-2.5-pro") == made.find("models/gemini-2.5-pro") == PRO


@pytest.mark.parametrize("plugin", [lists(PRO), lists()])
def test_a_model_that_isnt_listed_is_not_found(plugin: type) -> None:
    """What would be taken on trust is still no model that could be described."""
    with pytest.raises(NotFound, match=r"^The model 'gemini-2\.5-prx' is not available\..* GET /v1/models") as missing:
        catalogue(plugin).find("gemini-2.5-prx")

    assert (missing.value.param, missing.value.code) == ("model", "model_not_found")


def test_an_alias_has_what_its_model_has() -> None:
    """Limits and abilities are those of the model that answers; it stands after the plugins' models."""
    made = catalogue(lists(PRO), models=({"id": "gpt-4o", "target": "gemini-2.5-pro"},))
    alias = attrs.evolve(
        PRO, id="gpt-4o", display_name="gpt-4o (Gemini 2.5 Pro)", injected=True, target="gemini-2.5-pro"
    )

    assert made.models == (PRO, alias)
    assert made.find("gpt-4o") == alias
    assert made.choose("gpt-4o") == Choice(name="gpt-4o", model=PRO)


def test_an_injected_model_without_a_target_is_passed_on_under_its_own_id() -> None:
    """Upstream may have models that it doesn't list."""
    made = catalogue(lists(PRO), models=({"id": "models/secret-exp"}, {"id": "other", "display_name": "Other"}))

    assert made.models[1:] == (
        Model(id="secret-exp", display_name="secret-exp", injected=True),
        Model(id="other", display_name="Other", injected=True),
    )
    assert made.choose("secret-exp").model == Model(id="secret-exp", display_name="secret-exp", injected=True)


def test_an_unlisted_model_is_for_who_takes_such() -> None:
    """A plugin may have models that it doesn't list; one that nobody takes is refused as ever."""

    class Takes:
        @hookimpl
        def takes_model(self, model: str) -> bool | None:
            return model.startswith("gpt-") or None

    made = catalogue(lists(PRO), Takes)

    assert made.choose("models/gpt-5").model == Model(id="gpt-5", display_name="gpt-5")
    assert ids(made) == ["gemini-2.5-pro"]
    assert "Nearest: gemini-2.5-pro." in refusal(made, "gemini-2.5-prx")


@pytest.mark.parametrize(
    ("table", "expected", "answers"),
    [
        (
            {"id": "gemini-2.5-pro", "display_name": "Ours"},
            attrs.evolve(PRO, display_name="Ours", injected=True),
            PRO,
        ),
        ({"id": "gemini-2.5-pro"}, attrs.evolve(PRO, injected=True), PRO),
        (
            {"id": "gemini-2.5-pro", "target": "gemini-2.5-flash", "display_name": "Cheap"},
            attrs.evolve(FLASH, id="gemini-2.5-pro", display_name="Cheap", injected=True, target="gemini-2.5-flash"),
            FLASH,
        ),
    ],
)
def test_the_operators_model_stands_before_a_plugins(table: dict[str, str], expected: Model, answers: Model) -> None:
    """In the plugin's place in the list, with another name or leading to another model."""
    made = catalogue(lists(PRO, FLASH), models=(table,))

    assert made.models == (expected, FLASH)
    assert made.choose("gemini-2.5-pro") == Choice(name="gemini-2.5-pro", model=answers)


def test_an_alias_of_an_alias_leads_to_the_model() -> None:
    """Whether the operator made it or the plugin; `target` is the model at the end."""
    tables = (
        {"id": "a", "target": "models/b"},
        {"id": "b", "target": "c"},
        {"id": "c"},
        {"id": "d", "target": "gemini-flash-latest"},
    )
    made = catalogue(lists(FLASH, LATEST), models=tables)

    assert {model.id: model.target for model in made.models} == {
        "gemini-2.5-flash": None,
        "gemini-flash-latest": "gemini-2.5-flash",
        "a": "c",
        "b": "c",
        "c": None,
        "d": "gemini-2.5-flash",
    }
    assert made.choose("a").model == Model(id="c", display_name="c", injected=True)
    assert made.choose("d").model == FLASH


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (({"id": "a", "target": "a"},), "[models[0]] target: a -> a goes in a circle."),
        (({"id": "a", "target": "models/a"},), "[models[0]] target: a -> a goes in a circle."),
        (
            ({"id": "x", "target": "gemini"}, {"id": "a", "target": "b"}, {"id": "b", "target": "a"}),
            "[models[1]] target: a -> b -> a goes in a circle.",
        ),
        (
            ({"id": "a", "target": "b"}, {"id": "b", "target": "c"}, {"id": "c", "target": "b"}),
            "[models[0]] target: a -> b -> c -> b goes in a circle.",
        ),
    ],
)
def test_aliases_in_a_circle_stop_the_start(tables: tuple[dict[str, str], ...], message: str) -> None:
    """The message names the file and the table."""
    with pytest.raises(ConfigurationError) as refused:
        catalogue(models=tables)

    assert str(refused.value).startswith(f"plugins.toml: {message}")


def test_an_alias_without_its_model_is_not_offered() -> None:
    """The client is told what it stands for."""
    made = catalogue(lists(PRO), models=({"id": "gpt-4o", "target": "gemini-2.5-prx"},))

    assert ids(made) == [PRO.id]
    assert refusal(made, "gpt-4o") == (
        "The model 'gpt-4o' is not available: it stands for 'gemini-2.5-prx', which is not available. "
        "GET /v1/models lists all."
    )


def test_while_nobody_lists_models_an_alias_leads_to_its_target() -> None:
    """What is known is offered: the operator's own."""
    made = catalogue(lists(), models=({"id": "gpt-4o", "target": "gemini-2.5-pro"},))

    assert [(model.id, model.target) for model in made.models] == [("gpt-4o", "gemini-2.5-pro")]
    assert made.choose("gpt-4o").model == Model(id="gemini-2.5-pro", display_name="gemini-2.5-pro")


def test_the_default_may_be_an_alias() -> None:
    """It answers under the alias."""
    made = catalogue(lists(PRO), models=({"id": "best", "target": PRO.id},), default_model="best")

    assert (made.default, made.choose(None)) == ("best", Choice(name="best", model=PRO))


def test_a_plugins_alias_leads_to_its_model() -> None:
    """It is listed as the plugin wrote it; backends get the model."""
    made = catalogue(lists(FLASH, LATEST))

    assert made.models == (FLASH, LATEST)
    assert made.choose(LATEST.id) == Choice(name=LATEST.id, model=FLASH)


@pytest.mark.parametrize("target", ["gone", "b", "a"])
def test_a_plugins_alias_must_name_a_model(target: str) -> None:
    """One that leads nowhere, to another alias or to itself is not offered."""
    a, b = Model(id="a", display_name="A", target=target), Model(id="b", display_name="B", target="a")

    assert ids(catalogue(lists(PRO, a, b))) == [PRO.id]


def test_operator_and_plugin_cant_turn_each_other_in_a_circle() -> None:
    """A plugin's alias leads to the plugin's model, whatever the operator makes of that id."""
    made = catalogue(lists(FLASH, LATEST), models=({"id": FLASH.id, "target": LATEST.id},))

    assert [made.choose(each).model for each in (FLASH.id, LATEST.id)] == [FLASH, FLASH]
    assert made.models == (attrs.evolve(FLASH, injected=True), LATEST)


@pytest.fixture
def excluded(tmp_path: Path) -> Path:
    """Return the path of a file of excluded models that doesn't exist yet."""
    return tmp_path / "excluded_models.txt"


def test_excluded_models_are_neither_listed_nor_answered(excluded: Path) -> None:
    """With or without the prefix; comments and blank lines are none."""
    excluded.write_text("# too slow\n\nmodels/gemini-2.5-pro\n  my-model \n")
    made = catalogue(lists(PRO, FLASH), models=({"id": "my-model"},), excluded_models=str(excluded))

    assert ids(made) == [FLASH.id]
    assert made.default == FLASH.id
    assert refusal(made, "models/gemini-2.5-pro") == (
        "The model 'gemini-2.5-pro' is excluded on this gateway. Nearest: gemini-2.5-flash. GET /v1/models lists all."
    )
    with pytest.raises(NotFound, match="is excluded on this gateway"):
        made.find(PRO.id)


def test_an_excluded_model_is_refused_before_any_list_is_known(excluded: Path) -> None:
    """It may be what the operator must not pay for."""
    excluded.write_text("gemini-2.5-pro")
    made = catalogue(lists(), models=({"id": "gpt-4o", "target": PRO.id},), excluded_models=str(excluded))

    assert "is excluded" in refusal(made, PRO.id)
    assert refusal(made, "gpt-4o").startswith(
        "The model 'gpt-4o' is not available: it stands for 'gemini-2.5-pro', which is excluded on this gateway."
    )
    assert ids(made) == []


@pytest.mark.parametrize("what", ["gemini-2.5-flash", "middle"])
def test_an_alias_that_leads_through_an_excluded_id_is_excluded(excluded: Path, what: str) -> None:
    """Another name is no way around."""
    excluded.write_text(what)
    tables = ({"id": "top", "target": "middle"}, {"id": "middle", "target": LATEST.id})

    assert "top" not in ids(catalogue(lists(FLASH, LATEST), models=tables, excluded_models=str(excluded)))


def test_when_all_is_excluded_a_request_without_a_model_is_refused(excluded: Path) -> None:
    """There is no first one to take."""
    excluded.write_text(PRO.id)
    made = catalogue(lists(PRO), excluded_models=str(excluded))

    assert refusal(made, None) == "Every model that is listed is excluded on this gateway."


def test_a_change_of_the_file_counts_at_once(excluded: Path) -> None:
    """No restart."""
    made = catalogue(lists(PRO, FLASH), excluded_models=str(excluded))
    seen = [ids(made)]
    for text in (PRO.id, FLASH.id + "\n"):
        excluded.write_text(text)
        seen.append(ids(made))
    excluded.unlink()
    seen.append(ids(made))

    assert seen == [[PRO.id, FLASH.id], [FLASH.id], [PRO.id], [PRO.id, FLASH.id]]


def test_a_bad_change_is_logged_once_and_changes_nothing(excluded: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that can't be read must not let in what it kept out."""
    excluded.write_text(PRO.id)
    made = catalogue(lists(PRO, FLASH), excluded_models=str(excluded))
    excluded.write_bytes(b"\xff\xfe")
    seen = [ids(made) for _ in range(3)]

    assert seen == [[FLASH.id]] * 3
    assert caplog.record_tuples == [
        ("studiogate.catalogue", logging.WARNING, "excluded_models.txt: is not UTF-8 text. What it said before holds.")
    ]


def test_a_bad_file_stops_the_start(excluded: Path) -> None:
    """There is nothing yet that could hold instead."""
    excluded.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match=r"excluded_models\.txt: is not UTF-8 text"):
        catalogue(excluded_models=str(excluded))


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ("gemini-1.5-pro-latest", "gemini-2.5-pro"),
        ("gemini-1.5-flash-latest", "gemini-2.5-flash"),
        ("gemini-2.0-flash-thinking-exp-01-21", "gemini-2.5-flash"),
    ],
)
def test_models_of_older_examples_are_answered(asked: str, answers: str) -> None:
    """Their names stand in clients' code; upstream has them no more."""
    shipped = load_config(ROOT / "plugins.toml")
    named = {"p": lists(PRO, FLASH)}
    made = Catalogue(attrs.evolve(shipped, plugins=("p",), tables={}), PluginHost(config("p"), installed(named)))

    assert made.choose(asked) == Choice(name=asked, model=next(each for each in (PRO, FLASH) if each.id == answers))
