"""What was measured, how it compares with its budget, and the Markdown table of it all."""

import math
from collections.abc import Iterable, Sequence

import attrs

PER_SECOND = {"s": 1.0, "ms": 1e3}
"""How many of a unit make a second."""


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that `share` (0 to 1) of all samples don't exceed (nearest rank).

    :raises ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("a percentile of no samples was asked for")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


@attrs.frozen(kw_only=True)
class Budget:
    """Say what a figure may be."""

    limit: float
    """In the figure's unit; the limit itself is allowed."""
    at_least: bool = False
    """Whether larger is better."""

    def allows(self, value: float) -> bool:
        """Tell whether a value keeps the budget."""
        return value >= self.limit if self.at_least else value <= self.limit


@attrs.frozen(kw_only=True)
class Figure:
    """Hold one measured figure."""

    name: str
    value: float
    """The p50 where there are many samples, else the one value."""
    unit: str
    p95: float | None = None
    """In the same unit; None for a single value."""
    runs: str = ""
    """How much was measured, such as `50 calls`."""
    budget: Budget | None = None
    """Compared with `value`; None where none is set."""

    @property
    def kept(self) -> bool:
        """Tell whether the budget is kept; true where there is none."""
        return self.budget is None or self.budget.allows(self.value)


def figure_of(name: str, samples_s: Sequence[float], unit: str, runs: str, *, budget: Budget | None = None) -> Figure:
    """Return the p50 and p95 of samples in seconds, in a unit of `PER_SECOND`."""
    samples = [sample * PER_SECOND[unit] for sample in samples_s]
    return Figure(
        name=name, value=percentile(samples, 0.5), p95=percentile(samples, 0.95), unit=unit, runs=runs, budget=budget
    )


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table; a missed budget is set in bold."""
    head = ["| figure | p50 or value | p95 | budget | | measured over |", "|---|---:|---:|---:|---|---|"]
    return "\n".join([*head, *map(_row, figures)])


def write_between(text: str, start: str, end: str, content: str) -> str:
    """Return a text with what stands between two markers, on lines of their own, replaced.

    :raises ValueError: a marker is missing, or they stand in the wrong order.
    """
    before, found_start, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise ValueError(f"the markers {start} and {end} must both be there, in this order")
    return f"{before}{start}\n{content}\n{end}{after}"


def _row(figure: Figure) -> str:
    p95 = "" if figure.p95 is None else f"{_number(figure.p95)} {figure.unit}"
    budget = verdict = ""
    if figure.budget is not None:
        budget = f"{'≥' if figure.budget.at_least else '≤'} {figure.budget.limit:g} {figure.unit}"
        verdict = "kept" if figure.kept else "**missed**"
    return f"| {figure.name} | {_number(figure.value)} {figure.unit} | {p95} | {budget} | {verdict} | {figure.runs} |"


def _number(value: float) -> str:
    """Write a number with three digits that mean something."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"
