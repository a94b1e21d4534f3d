import pytest

from studiogate.chat import Message, RequestedCall, Role
from studiogate_helper_backend.words import WITHHELD, Censor

PROMPT = "My grandmother's maiden name was Zwetschgenknödel, and she was born in a small town."


def censor(*texts: str, key: str | None = "sk-secret-key") -> Censor:
    """Make one for a conversation."""
    return Censor(key, [Message(role=Role.USER, text=text) for text in texts])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ""),
        ("Too many tokens.", "Too many tokens."),
        ("Two\n  lines\x00", "Two lines\x00"),
        ("Wrong key sk-secret-key given", "Wrong key **** given"),
        ("x" * 500, "x" * 300 + "…"),
        (
            "input should be 'a' [type=enum, input_value='Secret', input_type=str]",
            "input should be 'a' [type=enum, input_value=…, input_type=str]",
        ),
        ("Bad content: 'My grandmother's maiden name...'", WITHHELD),
        ("...born in a small\ntown.", WITHHELD),
        ("grandmother is no role", "grandmother is no role"),
    ],
)
def test_words_are_made_fit_to_be_passed_on(words: str, expected: str) -> None:
    """One line of bounded length, without the key; what quotes the request isn't passed on at all."""
    assert censor("Hello", PROMPT).pass_on(words) == expected


def test_a_short_text_counts_as_a_whole() -> None:
    """Unless it is so short that anybody could say it."""
    assert censor("pin 7391").pass_on("bad value 'pin 7391'") == WITHHELD
    assert censor("hi").pass_on("nothing with this in it") == "nothing with this in it"


def test_arguments_of_calls_are_part_of_the_request() -> None:
    """They hold what the conversation is about."""
    calls = (RequestedCall(id="1", name="f", arguments='{"city": "Unterammergau"}'),)
    made = Censor(None, [Message(role=Role.ASSISTANT, tool_calls=calls)])

    assert made.pass_on('wrong: {"city": "Unterammergau"}') == WITHHELD


def test_both_ends_of_a_long_text_are_looked_at() -> None:
    """Quotes come from there."""
    long = censor("begin of the very long text " + "x" * 200_000 + " end of the very long text")

    assert long.pass_on("'begin of the very long…'") == WITHHELD
    assert long.pass_on("'…d of the very long text'") == WITHHELD
    assert long.pass_on("x is wrong") == "x is wrong"


def test_it_shows_nothing_of_what_it_knows() -> None:
    """Where it is printed by mistake, in a traceback perhaps."""
    assert repr(censor(PROMPT)) == "Censor()"
