"""Rules have names and sentences that can be looked up, and docs/testing-a-plugin.md has them all."""

import re
from pathlib import Path

import pytest

from studiogate.testing import AttachmentsContract, BackendContract, Contract, ParamsContract, ToolsContract
from studiogate.testing.rules import rules_of

PAGE = (Path(__file__).parents[2] / "docs" / "testing-a-plugin.md").read_text()
CONTRACTS = [Contract, BackendContract, ToolsContract, AttachmentsContract, ParamsContract]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_page_has_every_rule(contract: type[Contract]) -> None:
    """Each stands there with its name and its sentence."""
    rows = [f"| `{rule.name}` | {rule.statement} |" for rule, _ in rules_of(contract)]

    assert [row for row in rows if row not in PAGE] == []


def test_the_page_has_no_rule_that_is_gone() -> None:
    """Every row is a rule's."""
    rules = {(rule.name, rule.statement) for contract in CONTRACTS for rule, _ in rules_of(contract)}

    assert set(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", PAGE, re.MULTILINE)) == rules


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_rule_is_a_name_and_a_sentence(contract: type[Contract]) -> None:
    """So that it can be named in a message and understood from it."""
    for rule, _ in rules_of(contract):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
        assert re.fullmatch(r"[A-Z][^.]*\.", rule.statement.replace("studiogate.events", ""))
