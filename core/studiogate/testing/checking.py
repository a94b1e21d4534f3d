"""Tries the rules of a contract class without pytest."""

from collections.abc import Iterator
from typing import Literal

import attrs

from studiogate.testing.contract import Contract
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
