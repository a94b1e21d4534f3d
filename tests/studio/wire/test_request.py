import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from studiogate_studio.wire import (
    JSON_MIME,
    RequestPatch,
    Unset,
    WireError,
    code_execution,
    google_search,
    normalise_newlines,
    patch_request,
    read_request,
)
from studiogate_studio.wire.brackets import elements

from .streams import compact, slots
from .test_answer import JSON

PAGE: list[Any] = [
    "models/page",
    [[[[None, "first"]], "user"], [[[None, "answer"]], "model"], [[[None, "a\r\nb\rc"]], "user"]],
    [[None, None, 7, 5]],
    [None, ["END"], None, 8192, 1, 0.95, 64, None, None, None, None, None, None, 1, None, None, [1, None, None, 3]],
    "!proof",
    [[[None, "saved preset"]], "user"],
    [[None, None, None, [None, [[]]]]],
    None,
    None,
    None,
    1,
    "v1_before",
    None,
    [[None, None, "Europe/Paris"], None, 1],
]
BODY = compact(PAGE)

PATCHES = st.builds(
    RequestPatch,
    model=st.none() | st.text(),
    system=st.none() | st.text(),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | st.integers(1, 65536),
    stop=st.none() | st.lists(st.text()).map(tuple),
    seed=st.none() | st.just(Unset.UNSET) | st.integers(-(2**31), 2**31 - 1),
    response_mime=st.sampled_from([None, "", JSON_MIME]),
    response_schema=st.sampled_from([None, {}, {"type": "string"}, {"properties": {"a": {"type": "integer"}}}]),
    thinking_budget=st.none() | st.integers(-1, 32768),
    thinking_level=st.none() | st.sampled_from(["minimal", "low", "medium", "high"]),
    media_resolution=st.sampled_from([None, "", "low", "high"]),
    tools=st.sampled_from([None, (), (google_search(),), (code_execution(),)]),
)


def patched(body: bytes = BODY, **fields: Any) -> list[Any]:
    """Return the root of a patched body."""
    root: list[Any] = json.loads(patch_request(body, RequestPatch(**fields)))
    return root


def changed(**fields: Any) -> dict[int, Any]:
    """Return the root slots that a patch of the page's body changes."""
    after = patched(**fields)
    assert len(after) == len(PAGE)
    return {index: value for index, value in enumerate(after) if value != PAGE[index]}


def test_a_request_is_read() -> None:
    """Model, turns and proof are where the page puts them."""
    request = read_request(BODY)

    assert request.model == "page"
    assert (request.prompt, request.files) == ("a\nb\nc", 0)
    assert request.proof == "!proof"


PNG, DRIVE, VIDEO = slots({2: ["image/png", "QUJD"]}), slots({5: ["drive-id"]}), slots({6: ["video/mp4", "uri"]})


@pytest.mark.parametrize(
    ("turns", "prompt", "files"),
    [
        ([[[PNG, DRIVE, VIDEO, [None, "t"]], "user"]], "t", 3),
        ([[[PNG], "user"], [[DRIVE, [None, "a"], [None, ""]], "user"], [[[None, "b"]], "user"]], "ab", 2),
        ([[[PNG, [None, "old"]], "user"], [[[None, "answer"]], "model"], [[[None, "new"]], "user"]], "new", 0),
        ([[[PNG], "user"]], "", 1),
        ([[[PNG, [None, ""]], "user"]], "", 1),
        ([[[[None, "t"], slots({10: ["f", []]})], "user"]], "t", 0),
        ([[[[None, "asked"]], "user"], [[[None, "prefilled"]], "model"]], "asked", 0),
    ],
    ids=["one content", "several in a row", "history", "files alone", "an empty text", "a call", "a prefilled answer"],
)
def test_what_the_user_said_last(turns: list[Any], prompt: str, files: int) -> None:
    """Texts are joined and files counted over the contents since the model last spoke."""
    request = read_request(compact(["models/m", turns]))

    assert (request.prompt, request.files) == (prompt, files)


@pytest.mark.parametrize("turns", [[], [[[[None, "a"]], "model"]], [None], [[None, "user"]]])
def test_no_user_turn_has_no_text(turns: list[Any]) -> None:
    """Without words of a user the prompt is empty."""
    assert read_request(compact(["models/m", turns])).prompt == ""


def test_newlines_are_normalised_and_nothing_else() -> None:
    """What a text area does to line ends is done; spaces and the rest stay."""
    assert normalise_newlines(" a\r\n\rb\n\t ") == " a\n\nb\n\t "


def test_an_empty_patch_changes_no_byte() -> None:
    """Not even white space."""
    body = b" [ " + BODY[1:]

    assert patch_request(body, RequestPatch()) == body


@given(patch=PATCHES)
def test_contents_proof_and_unknown_slots_never_change(patch: RequestPatch) -> None:
    """Byte for byte, whatever is patched: the proof holds only then."""
    before, after = elements(BODY), elements(patch_request(BODY, patch))

    kept = set(range(len(before))) - {0, 3, 5, 6, 13}
    assert all(before[index] == after[index] for index in kept)
    assert len(before) == len(after)


@given(root=st.lists(JSON, max_size=16), turns=st.lists(JSON, max_size=3), patch=PATCHES)
def test_any_request_keeps_its_contents(root: list[Any], turns: list[Any], patch: RequestPatch) -> None:
    """Also requests of shapes nobody has seen: they are patched around the contents, or refused."""
    body = json.dumps(["models/m", turns, *root]).replace("null", "").encode()

    with contextlib.suppress(WireError):
        assert elements(patch_request(body, patch))[1] == elements(body)[1]


@given(patch=PATCHES)
def test_patching_twice_is_patching_once(patch: RequestPatch) -> None:
    """A patch says how a request should be, not how to change it."""
    once = patch_request(BODY, patch)

    assert patch_request(once, patch) == once


@pytest.mark.parametrize("name", ["other", "models/other"])
def test_the_model_is_set(name: str) -> None:
    """With or without its prefix."""
    assert changed(model=name) == {0: "models/other"}


def test_a_system_instruction_replaces_the_page_s() -> None:
    """It is a turn of the user."""
    assert changed(system="be brief") == {5: [[[None, "be brief"]], "user"]}


def test_an_empty_system_instruction_clears_the_page_s() -> None:
    """A saved preset must not leak into a client's answer."""
    assert changed(system="") == {5: None}


def test_sampling_is_set_and_the_rest_of_the_config_kept() -> None:
    """Only the named slots of the config change."""
    config = changed(temperature=0.5, top_p=0.1, max_tokens=7, stop=("a", "b"))[3]

    expected = list(PAGE[3])
    expected[1], expected[3], expected[4], expected[5] = ["a", "b"], 7, 0.5, 0.1
    assert config == expected


def test_stop_sequences_are_cleared() -> None:
    """An empty list clears the page's."""
    assert changed(stop=())[3][1] is None


def test_a_seed() -> None:
    """It has a slot of its own, also where the page's config is shorter."""
    assert changed(seed=42)[3] == [*PAGE[3], None, 42]
    assert changed(seed=0)[3][18] == 0
    assert changed(seed=Unset.UNSET) == {}


def test_an_answer_in_json() -> None:
    """The MIME type alone asks for any JSON, with a schema for that one."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}

    assert changed(response_mime=JSON_MIME)[3][7:9] == ["application/json", None]
    assert changed(response_mime=JSON_MIME, response_schema=schema)[3][7:9] == [
        "application/json",
        slots({0: 6, 6: [["a", [1]]], 7: ["a"], 22: ["a"]}),
    ]


def test_what_the_page_saved_is_cleared() -> None:
    """Its JSON mode, schema and seed must not leak into a client's answer; clearing nothing changes no byte."""
    config = [*PAGE[3][:7], "application/json", [6], *PAGE[3][9:], None, 7]
    saved = compact([*PAGE[:3], config, *PAGE[4:]])
    clear = RequestPatch(seed=Unset.UNSET, response_mime="", response_schema={})

    cleared = json.loads(patch_request(saved, clear))[3]
    assert (cleared[7], cleared[8], cleared[18]) == (None, None, None)
    assert cleared[:7] == config[:7]
    assert patch_request(BODY, clear) == BODY


def test_a_schema_that_can_not_be_simplified_is_an_error() -> None:
    """Backends simplify it beforehand, so this is a bug and not a request."""
    with pytest.raises(WireError, match="without properties"):
        changed(response_schema={"type": "object"})


def test_a_thinking_budget() -> None:
    """Thoughts are included unless the budget is nothing; the level stays as it was."""
    assert changed(thinking_budget=1024)[3][16] == [1, 1024, None, 3]
    assert changed(thinking_budget=0)[3][16] == [None, 0, None, 3]


def test_a_thinking_level() -> None:
    """Levels have numbers of their own."""
    assert changed(thinking_level="minimal")[3][16] == [1, None, None, 4]


def test_an_unknown_thinking_level_is_an_error() -> None:
    """The message names those that exist."""
    with pytest.raises(WireError, match="minimal"):
        changed(thinking_level="extreme")


def test_a_media_resolution() -> None:
    """It has numbers of its own; an empty one clears what the page has."""
    body = compact(["models/m", [], None, [None] * 17 + [2]])

    assert changed(media_resolution="high")[3][17] == 3
    assert patched(body, media_resolution="low")[3][17] == 1
    assert patched(body, media_resolution="")[3][17] is None
    assert changed(media_resolution="") == {}
    with pytest.raises(WireError, match="medium"):
        changed(media_resolution="ultra")


def test_no_tools_means_no_search() -> None:
    """The page may search by default; clearing the tools clears their config too."""
    assert changed(tools=()) == {6: None, 13: None}


def test_search_keeps_the_tool_config() -> None:
    """Time zone and place matter to a search only."""
    assert changed(tools=(google_search(),)) == {}
    assert changed(tools=(code_execution(),)) == {6: [[[]]], 13: None}


def test_a_short_request_grows() -> None:
    """Missing slots are made, with nulls between; what needn't be cleared isn't made."""
    body = compact(["models/m", []])

    assert patched(body, max_tokens=5) == ["models/m", [], None, [None, None, None, 5]]
    assert patched(body, tools=(), system="") == ["models/m", []]


def test_elided_slots_stay_elided() -> None:
    """A body that isn't plain JSON is patched in place as well."""
    body = b'["models/m",[ ],,[,1,,2],"!p",,]'

    assert patch_request(body, RequestPatch(temperature=1, system="s")) == (
        b'["models/m",[ ],,[,1,,2,1],"!p",[[[null,"s"]],"user"],]'
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'["models/m"]', b"[1,[]]", b'["m",{}]', b'{"0":"m"}', b"\xff"])
def test_other_bodies_are_refused(body: bytes) -> None:
    """What is no GenerateContent request is neither read nor patched."""
    with pytest.raises(WireError):
        read_request(body)
    with pytest.raises(WireError):
        patch_request(body, RequestPatch(model="m"))


def test_a_config_that_is_no_array_is_refused() -> None:
    """There is nothing to set a slot of."""
    with pytest.raises(WireError, match="array"):
        patched(b'["models/m",[],,"config"]', temperature=1)


@given(st.lists(JSON, max_size=6))
def test_elements_join_to_what_was_split(array: list[Any]) -> None:
    """Splitting an array loses nothing."""
    source = json.dumps(array, ensure_ascii=False).replace("null", "").encode()

    assert b"[" + b",".join(elements(source)) + b"]" == source


def test_the_thinking_config_of_another_model_is_replaced() -> None:
    """The page's level is for its own model; a model that thinks gets thoughts and defaults, another one nothing."""
    config = b"[null,null,null,9,1,1,64,null,null,null,null,null,null,1,null,null,[1,null,null,3]]"
    body = b'["models/a",[[[[null,"hi"]],"user"]],null,' + config + b',"!p"]'

    thinking = [json.loads(patch_request(body, RequestPatch(thinks=thinks)))[3][16] for thinks in (None, True, False)]

    assert thinking == [[1, None, None, 3], [1], None]


def test_top_k_is_set() -> None:
    """The model's own default replaces the page's."""
    body = b'["models/a",[[[[null,"hi"]],"user"]],null,[null,null,null,9,1,1,64],"!p"]'

    assert json.loads(patch_request(body, RequestPatch(top_k=40)))[3][6] == 40


SEARCHES: Any = [None, None, None, []]
CALLS: Any = [None, [["f", ""]]]
TOOL_CONFIGS: list[tuple[Any, Any]] = [
    ((), None),
    ((CALLS,), None),
    ((SEARCHES,), [[None, None, "UTC"]]),
    ((SEARCHES, CALLS), [[None, None, "UTC"], None, 1]),
    (([[]], CALLS), [None, None, 1]),
]


@pytest.mark.parametrize(("tools", "config"), TOOL_CONFIGS)
def test_the_tool_config_goes_with_the_tools(tools: tuple[Any, ...], config: Any) -> None:
    """The page's is about its search; functions beside other tools have to be announced."""
    body = json.dumps(
        ["models/m", [[[[None, "hi"]], "user"]], *[None] * 2, "!p", *[None] * 8, [[None, None, "UTC"]]]
    ).encode()

    patched = json.loads(patch_request(body, RequestPatch(tools=tools)))

    assert [*patched, None][13] == config
    assert patched[6] == (list(tools) or None)
