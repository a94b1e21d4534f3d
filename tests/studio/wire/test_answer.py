import base64
import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from studiogate.events import (
    Citation,
    Event,
    Finish,
    FinishReason,
    Media,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    Usage,
)
from studiogate_studio.wire import AnswerDecoder, Completed, Outcome, Status, StreamFailed, Truncated, WireError

from .streams import LAST, body, call, compact, frame, signed, slots, text, thought
from .test_frames import CUTS, cut

STOP = Finish(reason=FinishReason.STOP)
WEATHER = [[["city", [None, None, "Paris"]]]]
PARTS = st.one_of(
    st.text().map(text),
    st.text().map(thought),
    st.text().map(text).map(signed),
    st.sampled_from([None, "id1", "id2"]).map(lambda identity: signed(call("weather", WEATHER, identity))),
    st.binary(max_size=40).map(lambda data: slots({2: ["image/png", base64.b64encode(data).decode()]})),
    st.text().map(lambda code: slots({7: [1, code]})),
)
FRAMES = st.lists(st.lists(PARTS, max_size=3).map(lambda parts: frame(*parts, usage=[1, 2, 3])), max_size=6)


def decode(*pieces: bytes) -> tuple[list[Event], Outcome | None]:
    """Feed the pieces to a decoder, return its events and how the answer ended."""
    decoder = AnswerDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close(), decoder.outcome


def events_of(*frames: list[Any]) -> list[Event]:
    """Return the events of whole frames."""
    return decode(body(*frames))[0]


def test_an_ordinary_answer() -> None:
    """Thoughts, text, the end and the last totals come in this order."""
    events, outcome = decode(
        body(
            frame(thought("plan"), usage=[4, None, 9, None, [[1, 4]], None, None, None, None, 5]),
            frame(text("Hi"), usage=[4, 1, 10, None, None, None, None, None, None, 5]),
            frame(signed(text("")), finish=1, usage=[4, 2, 11, None, None, None, None, None, None, 5]),
            LAST,
        )
    )

    assert events == [
        ThoughtDelta(text="plan"),
        TextDelta(text="Hi"),
        STOP,
        Usage(prompt=4, completion=7, reasoning=5),
    ]
    assert outcome == Completed()


@given(frames=FRAMES, places=CUTS)
def test_any_split_gives_the_same_events(frames: list[list[Any]], places: list[int]) -> None:
    """However the network cuts an answer, a client sees the same."""
    data = body(*frames, frame(finish=1), LAST)

    assert decode(*cut(data, places)) == decode(data)


BAD = st.sampled_from(
    [
        b"[nonsense]",  # no JSON
        compact(frame(text("x" * 30_000))),  # too large
        compact(frame(slots({2: ["image/png", "A"]}))),  # no base64
    ]
)


@given(frames=FRAMES, bad=BAD, places=CUTS, finished=st.booleans())
def test_any_split_gives_what_came_before_a_bad_frame(
    frames: list[list[Any]], bad: bytes, places: list[int], *, finished: bool
) -> None:
    """What can't be read costs nothing of what could, however the network cuts the answer."""
    good = [*frames, frame(text("so far"), finish=1 if finished else None)]
    data = body(*good).removesuffix(b"]]") + b"," + bad + b"," + compact(frame(text("late"))) + b"]]"
    decoder, events = AnswerDecoder(limit=20_000), list[Event]()

    # Once finished, only totals are read: then a file that can't be decoded is none's concern.
    with contextlib.suppress(WireError) if finished else pytest.raises(WireError):
        for piece in cut(data, places):
            for event in decoder.feed(piece):
                events.append(event)

    assert events == list(AnswerDecoder().feed(body(*good)))
    assert decoder.finished == finished


@given(frames=FRAMES, data=st.data())
def test_any_null_may_be_left_out(frames: list[list[Any]], data: st.DataObject) -> None:
    """A null written as nothing reads as a null."""
    whole = body(*frames, frame(finish=1), LAST).decode()
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|null|[^"n]+|n', whole)
    kept = [token if token != "null" or data.draw(st.booleans()) else "" for token in tokens]

    assert decode("".join(kept).encode()) == decode(whole.encode())


@pytest.mark.parametrize("flag", [1, True, "1"])
def test_a_thought_is_what_carries_the_flag(flag: object) -> None:
    """The flag may be written as a number, a boolean or a string."""
    assert events_of(frame(slots({1: "hm", 12: flag})))[0] == ThoughtDelta(text="hm")


@pytest.mark.parametrize("flag", [0, False, None])
def test_without_the_flag_it_is_text(flag: object) -> None:
    """A flag that is unset or false makes no thought, however long the part is."""
    assert events_of(frame(signed(slots({1: "hm", 12: flag}))))[0] == TextDelta(text="hm")


def test_signed_text_is_text() -> None:
    """A signature makes a part long, not a thought."""
    assert events_of(frame(signed(text("said")), signed(thought("mused")))) == [
        TextDelta(text="said"),
        ThoughtDelta(text="mused"),
    ]


def test_a_frame_with_several_parts() -> None:
    """All parts of a frame are read, in order."""
    assert events_of(frame(thought("a"), text("b"), signed(call("f", [], "1")), text("c"))) == [
        ThoughtDelta(text="a"),
        TextDelta(text="b"),
        ToolCall(id="1", name="f", arguments="{}"),
        TextDelta(text="c"),
    ]


def test_a_layer_around_frames_is_looked_through() -> None:
    """Frames are found by shape where the page wraps them once more."""
    wrapped = [frame(text("a")), frame(text("b"), finish=1)]

    assert decode(compact([[wrapped]]))[0] == [TextDelta(text="a"), TextDelta(text="b"), STOP]


def test_a_call_ends_an_answer_as_tool_calls() -> None:
    """The page says STOP after a call as well; a client is told of the call."""
    events = events_of(frame(signed(call("weather", WEATHER, "id1"))), frame(signed(text("")), finish=1))

    assert events == [
        ToolCall(id="id1", name="weather", arguments='{"city":"Paris"}'),
        Finish(reason=FinishReason.TOOL_CALLS),
    ]


def test_a_call_repeated_under_its_id_is_said_once() -> None:
    """The same call in a later frame is no second call."""
    again = frame(call("weather", WEATHER, "id1"))

    assert len(events_of(again, again)) == 1


def test_calls_without_ids_get_their_own() -> None:
    """Equal calls without ids are two calls, with ids that differ and come out the same each time."""
    data = body(frame(call("weather", WEATHER), call("weather", WEATHER)))

    ids = [event.id for event in decode(data)[0] if isinstance(event, ToolCall)]

    assert len(set(ids)) == 2
    assert decode(data) == decode(data)


def test_another_call_under_a_used_id_gets_its_own() -> None:
    """Ids are unique within an answer even where upstream's aren't."""
    events = events_of(frame(call("f", [], "1"), call("g", [], "1")))

    assert [event.name for event in events if isinstance(event, ToolCall)] == ["f", "g"]
    assert len({event.id for event in events if isinstance(event, ToolCall)}) == 2


def test_media_is_decoded_and_drafts_are_dropped() -> None:
    """An image with the thought flag is a draft and isn't handed on."""
    image = ["image/png", base64.b64encode(b"PNG").decode()]

    events = events_of(frame(slots({2: image, 12: 1})), frame(signed(slots({2: image}))))

    assert events == [Media(mime="image/png", data=b"PNG")]


@pytest.mark.parametrize("encoded", ["-_8", "+/8="])
def test_base64_of_either_alphabet(encoded: str) -> None:
    """Standard and URL-safe base64 are read, with or without padding."""
    assert events_of(frame(slots({2: ["audio/l16; rate=24000", encoded]}))) == [
        Media(mime="audio/l16; rate=24000", data=b"\xfb\xff")
    ]


@pytest.mark.parametrize("encoded", ["A", "\x80", "世界"])
def test_media_that_is_no_base64_is_an_error(encoded: str) -> None:
    """A broken file is told, not handed on."""
    with pytest.raises(WireError, match="base64"):
        events_of(frame(slots({2: ["image/png", encoded]})))


def test_code_and_its_result_become_fenced_text() -> None:
    """A client that knows no code parts still sees them."""
    events = events_of(frame(slots({7: [1, "print(1)"]})), frame(slots({8: [1, "1\n"]})), frame(slots({8: [2, "no"]})))

    assert [event.text for event in events if isinstance(event, TextDelta)] == [
        "\n```python\nprint(1)\n```\n",
        "\n```\n1\n```\n",
        "\n```\n[failed]\nno\n```\n",
    ]


def test_a_fence_outlasts_the_backticks_inside() -> None:
    """Code that holds a fence doesn't end the block."""
    assert events_of(frame(slots({7: [1, "s = '```'\n"]}))) == [TextDelta(text="\n````python\ns = '```'\n````\n")]


def test_the_last_totals_hold() -> None:
    """Totals may fall, come after the end, and are said once."""
    events = events_of(
        frame(text("a"), usage=[5, 2087, 2092]),
        frame(finish=1, usage=[5, 1296, 1301, 2, None, None, None, 7]),
        [None, None, ["5", "1297", 1302, 2, None, None, None, 7]],
        LAST,
    )

    assert events == [TextDelta(text="a"), STOP, Usage(prompt=12, completion=1297, cached=2)]


@pytest.mark.parametrize(
    ("number", "reason", "message"),
    [
        (1, FinishReason.STOP, None),
        ("1", FinishReason.STOP, None),
        (2, FinishReason.LENGTH, None),
        (3, FinishReason.CONTENT_FILTER, "SAFETY"),
        (4, FinishReason.CONTENT_FILTER, "RECITATION"),
        (5, FinishReason.STOP, "OTHER"),
        (8, FinishReason.CONTENT_FILTER, "PROHIBITED_CONTENT"),
        (10, FinishReason.STOP, "MALFORMED_FUNCTION_CALL"),
        (16, FinishReason.STOP, "NO_IMAGE"),
        (19, FinishReason.CONTENT_FILTER, "CONTENT_BLOCKED"),
        (99, FinishReason.STOP, "finish reason 99"),
    ],
)
def test_finish_reasons(number: int, reason: FinishReason, message: str | None) -> None:
    """Each of upstream's reasons has its word, and its name where the word says less."""
    assert events_of(frame(finish=number)) == [Finish(reason=reason, message=message)]


def test_the_finish_message_is_kept() -> None:
    """Upstream's own words travel with the reason."""
    assert events_of(frame(finish=3, message="no")) == [
        Finish(reason=FinishReason.CONTENT_FILTER, message="SAFETY: no")
    ]


def test_an_unspecified_reason_is_no_end() -> None:
    """Zero means that the answer goes on."""
    assert events_of(frame(text("a"), finish=0), frame(text("b"))) == [TextDelta(text="a"), TextDelta(text="b")]


def test_nothing_but_usage_follows_the_end() -> None:
    """What comes after the finish reason isn't part of the answer."""
    events = events_of(frame(finish=1), frame(text("late"), finish=2, usage=[1, 1, 2]))

    assert events == [STOP, Usage(prompt=1, completion=1)]


def test_a_refused_prompt() -> None:
    """A blocked prompt is an answer that the filter ended, in upstream's words."""
    events, outcome = decode(body([None, [4, None, "The prompt could not be submitted."], [7]], LAST))

    assert events == [
        Finish(reason=FinishReason.CONTENT_FILTER, message="PROHIBITED_CONTENT: The prompt could not be submitted."),
        Usage(prompt=7),
    ]
    assert outcome == Completed()


def test_grounding_becomes_citations_in_characters() -> None:
    """Byte offsets over the whole text become character offsets, before the end is told."""
    grounding = [None, [[["https://a", "A"]], [["https://b", None]]], [[[None, 6, 12, "你好"], [0]]]]

    events = events_of(frame(text("Hallo ")), frame(text("你好")), frame(finish=1, grounding=grounding))

    assert events[2:] == [
        Citation(url="https://a", title="A", start=6, end=8),
        Citation(url="https://b", title="https://b"),
        STOP,
    ]


@pytest.mark.parametrize("offsets", [(4, 6), (900, 902), (None, None)])
def test_the_words_decide_where_offsets_disagree(offsets: tuple[int | None, int | None]) -> None:
    """Offsets in characters, wrong ones and none are mended by the passage's own text."""
    grounding = [None, [[["https://a", "A"]]], [[[None, *offsets, "世界"], [0]]]]

    events = events_of(frame(text("你好吧呀世界")), frame(finish=1, grounding=grounding))

    assert events[1] == Citation(url="https://a", title="A", start=4, end=6)


def test_citations_count_the_fences_that_upstream_does_not() -> None:
    """Offsets point into the text that the client got."""
    grounding = [None, [[["https://a", "A"]]], [[[None, 2, 4, "cd"], [0, 5, "x"]]]]

    events = events_of(
        frame(text("ab"), slots({7: [1, "1"]}), text("cd")), frame(finish=1, grounding=grounding, cited=[])
    )

    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    citation = next(event for event in events if isinstance(event, Citation))
    assert said[citation.start : citation.end] == "cd"


def test_citation_metadata() -> None:
    """The older metadata names passages too; repeats in later frames are said once."""
    cited = [[[0, 2, "https://a", "A"], [None, None, "https://b"], [0, 1]]]

    events = events_of(frame(text("abc"), cited=cited), frame(finish=1, cited=cited))

    assert events[1:-1] == [
        Citation(url="https://a", title="A", start=0, end=2),
        Citation(url="https://b", title="https://b"),
    ]


def test_the_end_is_known_before_the_body_ends() -> None:
    """The page may hang up once the finish reason came: the answer is whole."""
    decoder = AnswerDecoder()

    events = list(decoder.feed(body(frame(text("a"), finish=1, usage=[1, 1, 2])).removesuffix(b"]]")))

    assert events == [TextDelta(text="a"), STOP]
    assert decoder.finished
    assert not decoder.complete
    assert decoder.close() == [Usage(prompt=1, completion=1)]
    assert decoder.outcome == Completed()


def test_a_stream_cut_off_keeps_its_totals() -> None:
    """Without a finish reason an answer is truncated; what came, came."""
    events, outcome = decode(body(frame(text("a"), usage=[1, 1, 2]), frame(text("b")))[:-9])

    assert events == [TextDelta(text="a"), Usage(prompt=1, completion=1)]
    assert outcome == Truncated(complete=False)


def test_a_body_in_order_without_a_reason_is_truncated_too() -> None:
    """An orderly end alone doesn't make an answer whole."""
    assert decode(body(frame(text("a"))))[1] == Truncated(complete=True)


@pytest.mark.parametrize(
    "data",
    [
        body(frame(text("a")), status=[8, "quota"]),
        b'[,[8,"quota"]]',
        b'[8,"quota"]',
        b'{"error":{"code":429,"message":"quota"}}',
    ],
)
def test_an_error_in_a_good_response(data: bytes) -> None:
    """A status after frames or instead of them fails the stream."""
    assert decode(data)[1] == StreamFailed(status=Status(code=8, message="quota"))


def test_a_status_after_the_end_changes_nothing() -> None:
    """Once finished, an answer is whole."""
    assert decode(body(frame(finish=1), status=[13, "oops"]))[1] == Completed()


@pytest.mark.parametrize("data", [b"", b"<html>", b"[[[1]],[8,", b"[[],[0]]", b"[[null],{}]"])
def test_a_body_that_says_nothing_is_truncated(data: bytes) -> None:
    """No frames and no status that is an error: there was no answer."""
    events, outcome = decode(data)

    assert events == []
    assert isinstance(outcome, Truncated)


def test_the_response_id_is_kept() -> None:
    """The next turn's request names it."""
    decoder = AnswerDecoder()
    list(decoder.feed(body(frame(text("a")), LAST)))

    assert (decoder.response_id, decoder.frames) == ("v1_made_up", 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=15) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=60,
)


@given(st.one_of(st.binary(max_size=300), JSON.map(lambda value: json.dumps([[value]]).encode())))
def test_garbage_raises_nothing_but_wire_errors(data: bytes) -> None:
    """Whatever comes down the wire, the caller need know one error."""
    with contextlib.suppress(WireError):
        decode(data)


@given(part=JSON)
def test_odd_parts_raise_nothing_but_wire_errors(part: Any) -> None:
    """A part of any shape is read, skipped, or refused by the one error."""
    data = json.dumps([[[[[[[part], "model"], 1, None, "m", None, None, part, part]], part, part]]], allow_nan=True)
    with contextlib.suppress(WireError):
        decode(data.encode())
