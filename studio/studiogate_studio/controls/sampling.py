"""Temperature, top-p, output limit, stop sequences, and how closely files are looked at."""

from collections.abc import Iterator

from studiogate_studio.controls.steps import Step
from studiogate_studio.run_settings import RunSettings


def sampling_steps(run: RunSettings) -> Iterator[Step]:
    """Yield what to set; models without sampling have no controls for it."""
    if run.temperature is not None:
        yield Step(kind="number", element="temperature", value=run.temperature, param="temperature")
    if run.top_p is not None:
        yield Step(kind="number", element="top_p", value=run.top_p, param="top_p")
    if run.max_tokens is not None:
        yield Step(kind="number", element="max_tokens", value=run.max_tokens, param="max_tokens")
    yield Step(kind="chips", element="stop", value=list(run.stop), param="stop", asked=bool(run.stop))
    yield Step(
        kind="choice",
        element="media_resolution",
        value=run.media_resolution or "default",
        param="detail" if run.media_resolution else None,
    )
