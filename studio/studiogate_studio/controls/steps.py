"""One control each: what it is to show, and what the page made of it."""

from collections.abc import Iterable, Mapping, Sequence

import attrs
from playwright.async_api import Error as PlaywrightError

from studiogate_studio.probe import Probe, broken, load_part

PART = load_part(__package__ or "", "run_settings.js")
"""The actions in `run_settings.js`, for `Probe.ask`."""

_AWAITED_S = 1.0
"""How long controls that others bring into the page may take to come, all together."""
_WORK_S = 10.0
"""How long a page may be busy with all of them."""

type Value = float | bool | str | list[str]


@attrs.frozen(kw_only=True)
class Step:
    """Say what one control is to show."""

    kind: str
    """`number`, `switch`, `tool`, `choice` or `chips`, as `run_settings.js` knows them."""
    element: str
    """Its name in `selectors.toml`."""
    value: Value
    param: str | None
    """The parameter that is refused where this can't be set; None where that is no news."""
    asked: bool = True
    """Whether a missing control refuses anything; it doesn't where the value is the default of pages without it."""
    awaited: bool = False
    """Whether another control brings this one into the page, so that it is waited for."""


@attrs.frozen(kw_only=True)
class Reading:
    """Say how a control stands."""

    found: bool
    enabled: bool
    same: bool
    """Whether it shows what it was to show."""
    shown: str
    """What it shows, in words."""


async def apply(probe: Probe, steps: Sequence[Step]) -> Sequence[Reading]:
    """Set the controls that don't show what they are to show, in order; returns how all of them stand then.

    What a script can't make the page take is typed.

    :raises PageBroken: the page is gone.
    """
    readings = await _ask(probe, steps) if steps else ()
    ignored = [step for step, reading in zip(steps, readings, strict=True) if _ignored(step, reading)]
    if not ignored:
        return readings
    for step in ignored:
        await _type(probe, step)
    return await _ask(probe, steps)


def refusals(steps: Iterable[Step], readings: Iterable[Reading]) -> Mapping[str, str]:
    """Return the parameters that the page refused, with the reason. The first of several reasons counts."""
    refused: dict[str, str] = {}
    for step, reading in zip(steps, readings, strict=True):
        if step.param is not None and not reading.same and (reading.found or step.asked):
            refused.setdefault(step.param, _why(step, reading))
    return refused


def _why(step: Step, reading: Reading) -> str:
    if not reading.found:
        return "the page has no control for it"
    if not reading.enabled:
        return f"its control can't be used now; it is {reading.shown or 'empty'}"
    match step.kind:
        case "number":
            return f"the page takes {reading.shown} instead" if reading.shown else "the page takes no such value"
        case "chips":
            return f"the page took {reading.shown}"
        case _:
            return f"the page keeps it at {reading.shown}"


def _ignored(step: Step, reading: Reading) -> bool:
    """Tell whether a field may have missed what a script wrote."""
    usable = reading.found and reading.enabled and not reading.same
    return usable and (step.kind == "number" or (step.kind == "chips" and reading.shown == "none"))


async def _ask(probe: Probe, steps: Sequence[Step]) -> Sequence[Reading]:
    told = [attrs.asdict(step) for step in steps]
    return await probe.ask(tuple[Reading, ...], "apply", part=PART, wait_s=_AWAITED_S, slack_s=_WORK_S, steps=told)


async def _type(probe: Probe, step: Step) -> None:
    """Give a field its value by keys: a number, or chips of which it has none."""
    keyboard = probe.page.keyboard
    values = step.value if isinstance(step.value, list) else [f"{step.value:.15g}"]
    texts = [value for value in values if "\n" not in value and "\r" not in value]
    try:
        for text in texts:
            if not await probe.ask(bool, "focus", part=PART, element=step.element):
                return
            await keyboard.insert_text(text)
            await keyboard.press("Enter" if step.kind == "chips" else "Tab")
    except PlaywrightError as error:
        raise broken(error, "typed into") from error
