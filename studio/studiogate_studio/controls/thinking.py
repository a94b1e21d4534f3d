"""How the model thinks: a level, or a budget behind two switches, of which some models have only the second.

Thinking mode -> Set thinking budget -> number of tokens: each is in the page only while the one before it is on.
"""

from collections.abc import Iterator

from studiogate_studio.controls.steps import Step
from studiogate_studio.run_settings import RunSettings

_PARAM = "reasoning_effort"


def thinking_steps(run: RunSettings) -> Iterator[Step]:
    """Yield what to set, in the order in which the controls come into the page."""
    choice = run.thinking
    if choice is None:
        yield Step(kind="switch", element="thinking_mode", value=True, param=_PARAM, asked=False)
        yield Step(kind="switch", element="manual_budget", value=False, param=_PARAM, asked=False)
    elif choice.level is not None:
        yield Step(kind="choice", element="thinking_level", value=choice.level, param=_PARAM)
    elif choice.budget == 0:
        yield Step(kind="switch", element="thinking_mode", value=False, param=_PARAM)
    else:
        yield Step(kind="switch", element="thinking_mode", value=True, param=_PARAM, asked=False)
        yield Step(kind="switch", element="manual_budget", value=True, param=_PARAM, awaited=True)
        yield Step(kind="number", element="thinking_budget", value=choice.budget or 0, param=_PARAM, awaited=True)
