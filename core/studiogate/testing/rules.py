"""Rules: what a plugin has to keep, each with a name and a sentence, and what is said of one that is broken.

A rule is an async method `test_<name>` of a contract class. `rule` makes it a plain method, which pytest collects and
runs without a plugin for async tests, and which `studiogate plugins check` runs without pytest.
"""

import unittest
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Protocol, cast

import attrs


@attrs.frozen
class Rule:
    """Name a rule and state it."""

    name: str
    """A short identifier, such as `fails-before`."""
    statement: str
    """The rule as one sentence, with a full stop."""


class RuleBroken(AssertionError):  # noqa: N818 - what it says
    """Raised by a rule that a plugin breaks: names the rule, what was seen, and what would be right."""

    def __init__(self, saw: str, right: str) -> None:
        super().__init__(saw, right)
        self.saw = saw
        self.right = right
        self.rule: Rule | None = None
        """Set as it leaves the rule."""

    def __str__(self) -> str:
        named = "" if self.rule is None else f"rule {self.rule.name}: {self.rule.statement}\n"
        return f"{named}seen:  {self.saw}\nright: {self.right}"


class NotTried(unittest.SkipTest):
    """Raised by a rule that can't be tried with what the contract class says; the message says what is missing.

    pytest reports it as a skipped test.
    """


class _Runs(Protocol):
    def run[T](self, tried: Coroutine[Any, Any, T]) -> T: ...


type RuleTest = Callable[[Any], None]


def rule[C: _Runs](statement: str) -> Callable[[Callable[[C], Awaitable[None]]], Callable[[C], None]]:
    """Make an async method `test_<name>` of a contract class the rule `<name>`."""

    def decorate(tried: Callable[[C], Awaitable[None]]) -> Callable[[C], None]:
        named = Rule(_name_of(tried), statement)

        def test(self: C) -> None:
            __tracebackhide__ = True
            try:
                self.run(_as_coroutine(tried(self)))
            except RuleBroken as broken:
                broken.rule = named
                raise
            except NotTried:
                raise
            except Exception as error:  # the plugin boundary: whatever it is, the rule isn't kept
                fault = RuleBroken(f"{type(error).__name__}: {error}", "nothing is raised here")
                fault.rule = named
                raise fault from error

        test.__name__ = test.__qualname__ = cast("Any", tried).__name__
        test.__doc__ = statement
        cast("Any", test).studiogate_rule = named
        return test

    return decorate


def rules_of(contract: type) -> Iterator[tuple[Rule, RuleTest]]:
    """Yield the rules of a contract class with the methods that try them, in the order they are written."""
    seen: set[str] = set()
    for kind in reversed(contract.__mro__):
        for name in vars(kind):
            test = getattr(contract, name, None)
            named = getattr(test, "studiogate_rule", None)
            if isinstance(named, Rule) and name not in seen:
                seen.add(name)
                yield named, cast("RuleTest", test)


async def _as_coroutine(tried: Awaitable[None]) -> None:
    await tried


def _name_of(tried: object) -> str:
    name: str = cast("Any", tried).__name__
    return name.removeprefix("test_").replace("_", "-")
