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
    text = text_for(temperature=0.3, top_p=0.5, max_output_tokens=1000, stop_sequences=["END"])

    for told in ("gemini-2.5-pro", "0.3", "0.5", "1000", '"be brief"', "google_search", "p" * 200 + "…", '"END"'[:1]):
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
