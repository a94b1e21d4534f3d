"""What was found of the page's elements, element by element, and what to do about those that are missing."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum

import attrs

from studiogate_studio.elements import Element
from studiogate_studio.selectors import BUILT_IN, Selectors
from studiogate_studio.tour import SENDS, Tour

PLACEHOLDER = "<new selector>"
"""Stands in a line to paste for what only a look at the page can tell. It is no CSS, so it does no harm as it is."""


class Status(StrEnum):
    """What became of an element."""

    FOUND = "found"
    MISSING = "missing"
    """Needed, and not where it should be."""
    ABSENT = "absent"
    """Not where it could be; some builds, models or accounts have none."""
    UNSEEN = "unseen"
    """Not looked for: the page was not in the state that shows it."""


@attrs.frozen(kw_only=True)
class Finding:
    """Say what became of one element."""

    element: str
    purpose: str
    needed: bool
    when: str
    """When the page shows it, in words."""
    status: Status
    note: str
    """Why it is not found; empty where it is."""
    candidate: int | None
    """Which candidate found it, counted from 1."""
    candidates: int
    """How many it has."""
    selector: str | None
    """The candidate that found it."""
    nodes: int
    """How many nodes that matched; visible ones, unless the element never is."""
    seen: str | None
    """When it was found, in words."""
    file: str
    """Name of the file that its candidates come from."""
    line: int | None
    """Where in the operator's file; None for the built-in one, where its name is unique."""
    wrong: tuple[str, ...]
    """Those of its candidates that are no CSS."""
    paste: str | None
    """For a missing one, the line that the operator's file is to have."""


@attrs.frozen(kw_only=True)
class Report:
    """Say what became of all elements."""

    trouble: str | None
    """What keeps the page from being used or looked at further; None if nothing does."""
    findings: tuple[Finding, ...]
    passed_over: Mapping[str, str]
    """When, in words -> why the page could not be brought into that state."""
    file: str | None
    """Name of the operator's file; None if there is none."""

    @property
    def missing(self) -> tuple[Finding, ...]:
        """Return the elements that the operator has to do something about."""
        return tuple(finding for finding in self.findings if finding.status is Status.MISSING)

    @property
    def ok(self) -> bool:
        """Whether nothing that is needed is missing, as far as was looked."""
        return not self.missing and self.trouble is None

    def as_json(self) -> str:
        """Return it for machines."""
        return json.dumps({"ok": self.ok, **attrs.asdict(self)}, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """Return it for people."""
        return "\n".join(_lines(self))


def examine(tour: Tour, selectors: Selectors, trouble: str | None = None) -> Report:
    """Judge what a tour has found."""
    inventory = tour.inventory
    return Report(
        trouble=trouble,
        findings=tuple(_finding(name, element, tour, selectors) for name, element in inventory.elements.items()),
        passed_over={inventory.states[state].seen: why for state, why in tour.passed_over.items()},
        file=selectors.file,
    )


def _finding(name: str, element: Element, tour: Tour, selectors: Selectors) -> Finding:
    sighting = tour.sightings.get(name)
    match = sighting.match if sighting else None
    status, note = _judge(name, element, tour)
    candidates = selectors[name]
    line = selectors.lines.get(name)
    return Finding(
        element=name,
        purpose=element.purpose,
        needed=element.needed,
        when=tour.inventory.states[element.when].seen,
        status=status,
        note=note,
        candidate=None if match is None or match.candidate is None else match.candidate + 1,
        candidates=len(candidates),
        selector=match.selector if match else None,
        nodes=(match.nodes if element.hidden else match.visible) if match else 0,
        seen=tour.inventory.states[sighting.state].seen if sighting else None,
        file=selectors.file if selectors.file is not None and name in selectors.replaced else BUILT_IN,
        line=line,
        wrong=tuple(candidates[index] for index in tour.wrong.get(name, ())),
        paste=_toml(name, (PLACEHOLDER, *candidates)) if status is Status.MISSING else None,
    )


def _judge(name: str, element: Element, tour: Tour) -> tuple[Status, str]:
    if name in tour.sightings:
        return Status.FOUND, ""
    when = tour.inventory.states[element.when].seen
    if instead := [each for each in element.instead if each in tour.sightings]:
        return Status.ABSENT, f"{', '.join(instead)} does as well"
    if element.when in tour.reached:
        return (Status.MISSING, f"expected {when}") if element.needed else (Status.ABSENT, f"not needed {when}")
    return Status.UNSEEN, f"only seen {when}{_why_unseen(element.when, tour)}"


def _why_unseen(state: str, tour: Tour) -> str:
    if state in tour.passed_over:
        return f": {tour.passed_over[state]}"
    within = tour.inventory.states[state].within
    if state in SENDS or within in SENDS:
        return " (--send)"
    return ""


def _toml(name: str, candidates: tuple[str, ...]) -> str:
    return f"{name} = [{', '.join(map(_quoted, candidates))}]"


def _quoted(text: str) -> str:
    # A basic TOML string takes what JSON takes.
    return json.dumps(text, ensure_ascii=False) if "'" in text else f"'{text}'"


def _lines(report: Report) -> Iterator[str]:
    if report.trouble is not None:
        yield f"The page is not ready: {report.trouble}"
    yield _summary(report)
    width = max(len(finding.element) for finding in report.findings)
    purpose = None
    for finding in report.findings:
        if finding.purpose != purpose:
            purpose = finding.purpose
            yield f"\n{purpose}"
        status = finding.status.upper() if finding.status is Status.MISSING else finding.status
        yield f"  {status:<7}  {finding.element:<{width}}  {_said(finding)}"
        for selector in finding.wrong:
            yield f"  {'':<7}  {'':<{width}}  no CSS: {selector}"
    if report.passed_over:
        yield "\nThe page could not be looked at"
        yield from (f"  {when}: {why}" for when, why in report.passed_over.items())
    if report.missing:
        yield from _advice(report)


def _summary(report: Report) -> str:
    counts = {status: sum(finding.status is status for finding in report.findings) for status in Status}
    return (
        f"Of {len(report.findings)} elements {counts[Status.FOUND]} were found, {counts[Status.MISSING]} are missing, "
        f"{counts[Status.ABSENT]} are not there and need not be, {counts[Status.UNSEEN]} were not looked for."
    )


def _said(finding: Finding) -> str:
    if finding.status is not Status.FOUND:
        return finding.note
    nodes = f"{finding.nodes} node{'' if finding.nodes == 1 else 's'}"
    return f"{finding.candidate} of {finding.candidates}, {nodes}: {finding.selector}"


def _advice(report: Report) -> Iterator[str]:
    if report.file is None:
        yield "\nTo mend this, write a file such as selectors.toml next to plugins.toml, name it there"
        yield '  [studio]\n  selectors = "selectors.toml"'
        yield f"and put these lines into it, with what finds the element now for {PLACEHOLDER}:"
    else:
        yield f"\nTo mend this, put what finds the element now for {PLACEHOLDER} in these lines of {report.file}:"
    for finding in report.missing:
        if finding.line is not None:
            yield f"  # instead of line {finding.line}"
        elif finding.file == BUILT_IN:
            yield f"  # instead of the built-in {finding.element}"
        yield f"  {finding.paste}"
