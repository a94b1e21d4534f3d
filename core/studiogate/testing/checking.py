"""Tries the rules of a contract class without pytest."""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Literal

import attrs

from studiogate.testing.contract import Contract
from studiogate.testing.finding import find
from studiogate.testing.rules import NotTried, Rule, RuleBroken, rules_of


@attrs.frozen(kw_only=True)
class Verdict:
    """Say what became of one rule."""

    rule: Rule
    outcome: Literal["ok", "failed", "not tried"]
    saw: str = ""
    """What was seen, of a rule that failed; what is missing, of one that wasn't tried."""
    right: str = ""
    """What would be right, of a rule that failed."""


def check(contract: type[Contract]) -> Iterator[Verdict]:
    """Try every rule of a contract class, in order."""
    contract.setup_class()
    try:
        for rule, test in rules_of(contract):
            try:
                test(contract())
            except RuleBroken as broken:
                yield Verdict(rule=rule, outcome="failed", saw=broken.saw, right=broken.right)
            except NotTried as missing:
                yield Verdict(rule=rule, outcome="not tried", saw=str(missing))
            else:
                yield Verdict(rule=rule, outcome="ok")
    finally:
        contract.teardown_class()


def report(target: str, say: Callable[[str], object]) -> bool:
    """Try the rules of every contract class of a plugin, and say line by line what becomes of each.

    :param target: as `find` takes it.
    :return: whether no rule is broken.
    :raises ConfigurationError: there is no such plugin.
    """
    found = find(target)
    for line in found.left_out:
        say(line)
    totals: Counter[str] = Counter()
    for contract in found.contracts:
        say(f"{contract().listed_as}, by {contract.__name__}")
        with _quiet():
            for verdict in check(contract):
                totals[verdict.outcome] += 1
                for line in _lines(verdict):
                    say(f"  {line}")
    say(f"{totals['ok']} rules kept, {totals['failed']} broken, {totals['not tried']} not tried")
    return not totals["failed"]


@contextmanager
def _quiet() -> Generator[None]:
    """Have the log say what fails, and nothing else."""
    handlers = logging.getLogger().handlers
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)


def _lines(verdict: Verdict) -> Iterator[str]:
    match verdict.outcome:
        case "ok":
            yield f"ok         {verdict.rule.name}"
        case "not tried":
            yield f"not tried  {verdict.rule.name}: {verdict.saw}"
        case "failed":
            yield f"failed     {verdict.rule.name}: {verdict.rule.statement}"
            yield f"           seen:  {verdict.saw}"
            yield f"           right: {verdict.right}"
