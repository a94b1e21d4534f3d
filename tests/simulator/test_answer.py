import json
from typing import Any

import pytest

from studiogate_simulator.answer import default_answer
from studiogate_simulator.models import find_model
from studiogate_simulator.submission import Submission


def submission(**config: Any) -> Submission:
    """Make a submission with a config."""
    return Submission(
        model="gemini-2.5-pro",
        prompt="p" * 300,
        system="be brief",
        config=config,
        tools=[{"google_search": {}}],
        files=[],
        responses=[],
        previous_response_id=None,
        prompt_tokens=1,
    )


def text_for(**config: Any) -> str:
    """Give the default answer to a config."""
    model = find_model("gemini-2.5-pro")
    assert model
    return "".join(default_answer(submission(**config), model).text)


def test_names_what_was_received() -> None:
    """Settings, system instruction, tools and the prompt's beginning are in the answer."""
    text = text_for(
        temperature=0.3, top_p=0.5, max_output_tokens=1000, stop_sequences=["END"], seed=77, thinking={"budget": 512}
    )

    for told in (
        "gemini-2.5-pro",
        "0.3",
        "0.5",
        "1000",
        "Seed: 77",
        "Thinking: budget 512",
        '"be brief"',
        "google_search",
        "p" * 200 + "…",
        '"END"'[:1],
    ):
        assert told in text
    assert "p" * 201 not in text


@pytest.mark.parametrize("limit", [1, 7, 8, 9])
def test_limit(limit: int) -> None:
    """The answer has as many words as allowed."""
    assert len(text_for(max_output_tokens=limit).split()) == limit


def test_earliest_stop_wins() -> None:
    """Of several stop sequences the first to occur ends the answer."""
    assert text_for(stop_sequences=["Files", "Tools", "absent"]).endswith("- ")


def test_thoughts_on_demand() -> None:
    """Thoughts come when they are asked for, of models that think."""
    thinker, other = find_model("gemini-2.5-pro"), find_model("gemma-3-27b-it")
    assert thinker
    assert other
    asked = submission(thinking={"include_thoughts": True})

    assert [thought[:2] for thought in default_answer(asked, thinker).thoughts] == ["**"] * 3
    assert default_answer(asked, other).thoughts == []
    assert default_answer(submission(), thinker).thoughts == []


def test_a_search_is_cited() -> None:
    """Where Google Search was on, the answer rests on something; the words it names are in it."""
    model = find_model("gemini-2.5-pro")
    assert model
    answer = default_answer(submission(), model)

    [source] = answer.sources
    assert source.passage
    assert source.passage in "".join(answer.text)


def test_json_follows_the_schema() -> None:
    """Where a schema came along, the answer is a value that follows it and nothing else."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}

    assert json.loads(text_for(response_mime_type="application/json", response_schema=schema)) == {"n": 3}


def test_json_without_a_schema_tells_what_was_received() -> None:
    """As an object, without sources, also where a search was asked for."""
    model = find_model("gemini-2.5-pro")
    assert model
    answer = default_answer(submission(response_mime_type="application/json", seed=5), model)
    told = json.loads("".join(answer.text))

    assert (told["model"], told["system"], told["config"]["seed"]) == ("gemini-2.5-pro", "be brief", 5)
    assert told["prompt"] == "p" * 200
    assert answer.sources == []


def test_json_is_cut_as_any_text() -> None:
    """Limits and stop sequences count words, whatever these are."""
    assert text_for(response_mime_type="application/json", max_output_tokens=2).split() == ["{", '"model":']
    assert text_for(response_mime_type="application/json", stop_sequences=['"system"']).rstrip().endswith(",")


def test_thinking_that_is_left_to_the_model() -> None:
    """Only what was set is told."""
    assert "Thinking: not set" in text_for()
    assert "Thinking: as the model likes" in text_for(thinking={"include_thoughts": True})
    assert "Thinking: level LOW" in text_for(thinking={"include_thoughts": True, "level": "LOW"})
