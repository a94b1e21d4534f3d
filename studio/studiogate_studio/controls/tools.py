"""The switches of the tools that run upstream. The page searches by default, so what isn't asked for is switched off.

A tool is a switch in the panel; where there is none, an item of the prompt box's menu, which puts a chip there that
removes it.
Functions and structured output keep others from being switched on, so what is to be off comes first.
"""

from collections.abc import Iterator

from studiogate_studio.controls.steps import Step
from studiogate_studio.run_settings import RunSettings


def tool_steps(run: RunSettings, *, on: bool) -> Iterator[Step]:
    """Yield the tools to switch on, or those to switch off.

    A tool that is on keeps functions and JSON from being switched on, so where these are wanted all are off at first.
    """
    forms = bool(run.functions) or run.response_format is not None
    for name, wanted in (
        ("google_search", run.search),
        ("url_context", run.url_context),
        ("code_execution", run.code_execution),
    ):
        if wanted is on or (forms and not on):
            yield Step(kind="tool", element=name, value=on, param=name, asked=on)
