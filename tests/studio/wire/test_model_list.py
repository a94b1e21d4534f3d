import contextlib
import json
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from studiogate.models import Model, Thinking
from studiogate_studio.wire import WireError, read_models

from .streams import compact, slots
from .test_answer import JSON


def row(name: object = "models/m", **fields: Any) -> list[Any]:
    """Return a row of ListModels; `fields` are `methods`, `aliases`, `thinking` and `capabilities`."""
    methods = fields.get("methods", ["generateContent", "countTokens"])
    values: dict[int, Any] = {0: name, 3: "M", 4: "A model.", 5: 1000, 6: "100", 7: methods, 8: 1, 9: 0.95, 10: 64}
    return slots(values | {56: fields.get("aliases"), 64: fields.get("capabilities"), 71: fields.get("thinking")})


def models(*rows: Any) -> tuple[Model, ...]:
    """Return the models in an answer with these rows."""
    return read_models(compact([list(rows)])).models


def test_a_model_with_all_it_says() -> None:
    """Limits and defaults are read, the prefix is cut."""
    assert models(row()) == (
        Model(
            id="m",
            display_name="M",
            description="A model.",
            input_token_limit=1000,
            output_token_limit=100,
            default_temperature=1,
            default_top_p=0.95,
            default_top_k=64,
        ),
    )


def test_a_model_that_looks_closer_when_told() -> None:
    """The capability for media resolution is among the codes."""
    listed = models(row("models/a", capabilities=[1, 43]), row("models/b", capabilities=[1]))

    assert [model.media_resolution for model in listed] == [True, False]


def test_a_model_that_calls_functions() -> None:
    """The capability is among the codes; where there are no codes, nobody knows."""
    listed = models(row("models/a", capabilities=[1, 10]), row("models/b", capabilities=[1]), row("models/c"))

    assert [model.functions for model in listed] == [True, False, None]


def test_only_models_that_generate_are_listed() -> None:
    """Embedding, image and live models answer other methods."""
    listed = models(row("models/a"), row("models/b", methods=["predict"]), row("models/c", methods=None))

    assert [model.id for model in listed] == ["a"]


def test_a_bare_row_is_enough() -> None:
    """What a row doesn't say is None."""
    assert models(slots({0: "models/a", 7: ["generateContent"]})) == (Model(id="a", display_name="a"),)


@pytest.mark.parametrize(
    ("wire", "thinking"),
    [
        ([8192, 32768, 128, 0], Thinking(min_budget=128, max_budget=32768, default_budget=8192)),
        ([8000, 24576, 0, 1], Thinking(min_budget=0, max_budget=24576, default_budget=8000, can_turn_off=True)),
        (
            [8192, 24576, 512, 1, 1],
            Thinking(min_budget=512, max_budget=24576, default_budget=8192, can_turn_off=True, off_by_default=True),
        ),
        ([None, None, None, 0, None, 3, [1, 3]], Thinking(levels=("low", "high"), default_level="high")),
        (
            [None, None, None, 0, None, 3, [4, 1, 2, 3, 9]],
            Thinking(levels=("minimal", "low", "medium", "high"), default_level="high"),
        ),
        (None, None),
    ],
)
def test_thinking(wire: Any, thinking: Thinking | None) -> None:
    """Budgets or levels, in rising order."""
    assert models(row(thinking=wire))[0].thinking == thinking


def test_a_model_may_think_without_saying_how() -> None:
    """The capability alone is enough."""
    assert models(row(capabilities=[1, 25]))[0].thinking == Thinking()


def test_bad_rows_are_counted_and_skipped() -> None:
    """One odd model doesn't hide the others."""
    found = read_models(compact([[row(), None, 7, [], row(None), {}]]))

    assert [model.id for model in found.models] == ["m"]
    assert found.skipped == 5


def test_a_model_listed_twice_is_listed_once() -> None:
    """Ids are unique, in the page's order."""
    assert [model.id for model in models(row("models/a"), row("models/b"), row("models/a"))] == ["a", "b"]


def test_aliases_come_after_the_models_and_have_what_theirs_have() -> None:
    """Clients may ask for AI Studio's other names, such as gemini-flash-latest."""
    aliases = [["models/latest", 1], ["models/stable", 2]]
    model, other, latest, stable = models(row("models/a", aliases=aliases), row("models/b"))

    assert (model.id, other.id) == ("a", "b")
    assert latest == attrs.evolve(model, id="latest", display_name="latest (M)", target="a")
    assert (stable.id, stable.target) == ("stable", "a")


@pytest.mark.parametrize(
    "aliases", [[["models/b", 1]], [["models/a", 1]], [["models/", 1]], [[None, 1], [], None, 7, "x"], "x", 7]
)
def test_an_alias_that_makes_no_sense_adds_nothing(aliases: Any) -> None:
    """A model under that id stands; what is no name is skipped."""
    assert [model.id for model in models(row("models/a", aliases=aliases), row("models/b"))] == ["a", "b"]


def test_models_that_dont_generate_have_no_aliases() -> None:
    """Another name wouldn't answer either."""
    assert [model.id for model in models(row(), row("models/b", methods=[], aliases=[["models/c", 1]]))] == ["m"]


def test_an_alias_of_two_models_is_the_first_ones() -> None:
    """Ids are unique."""
    latest = [["models/latest", 1]]
    found = models(row("models/a", aliases=latest), row("models/b", aliases=latest))

    assert [(model.id, model.target) for model in found] == [("a", None), ("b", None), ("latest", "a")]


@pytest.mark.parametrize("wrap", ["[%s]", "[[%s]]", "[[[%s]]]", "[null,[%s]]", '{"models":[%s]}', ")]}'\n[[%s]]"])
def test_rows_are_found_in_any_wrapping(wrap: str) -> None:
    """The number of layers doesn't matter."""
    body = wrap % compact(row()).decode()

    assert [model.id for model in read_models(body.encode()).models] == ["m"]


@pytest.mark.parametrize("key", ["models", "data"])
def test_the_public_form_is_read(key: str) -> None:
    """Objects with names say the same."""
    item = {"name": "models/a", "displayName": "A", "topK": 3, "supportedGenerationMethods": ["generateContent"]}

    assert read_models(compact({key: [item]})).models == (Model(id="a", display_name="A", default_top_k=3),)


@pytest.mark.parametrize("body", [b"", b"[]", b"[[]]", b"{}", b'[16,"no"]', b"<html>"])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    """An error body must not read as an account without models."""
    with pytest.raises(WireError):
        read_models(body)


@given(st.lists(JSON))
def test_odd_rows_raise_nothing_but_wire_errors(rows: list[Any]) -> None:
    """Rows of any shape are read or skipped."""
    odd = [["models/a", *(value for value in rows)], ["models/b", *[None] * 6, ["generateContent"], *rows * 30]]
    with contextlib.suppress(WireError):
        read_models(json.dumps([[*odd, *rows]]).encode())
