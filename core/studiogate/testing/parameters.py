"""The contract of `apply_params`, as a test, for backends and for plugins that fit parameters alone."""

from collections.abc import Iterator
from typing import Any

import attrs

from studiogate.errors import ClientError
from studiogate.models import Model, Thinking
from studiogate.params import Params, ResponseFormat
from studiogate.plugins import Implementation, PluginHost
from studiogate.testing.contract import Contract
from studiogate.testing.rules import RuleBroken, rule

_NAMED = ("temperature", "top_p", "max_tokens", "stop", "seed", "reasoning_effort", "response_format")


class ParamsContract(Contract):
    """Hold a plugin to the contract of `apply_params`.

    class TestContract(ParamsContract):
        plugin = MyParams
    """

    @rule("What it makes of parameters depends on them alone, changes none in place, gives a reason for what it drops.")
    async def test_params(self) -> None:
        """Fit parameters of many kinds, for models of many kinds."""
        check_params(self.host(), self.listed_as)


def check_params(host: PluginHost, plugin: str) -> None:
    """Try a plugin's `apply_params`, if it has one.

    :raises RuleBroken: it isn't pure, or drops what it gives no reason for.
    """
    for hook in host.implementations("apply_params"):
        if hook.plugin == plugin:
            for model in _models():
                for params in _params():
                    _check(hook, params, model)


def _check(hook: Implementation, params: Params, model: Model | None) -> None:
    was = repr(params)
    asked = f"for {_short(params)} and {'no model' if model is None else model.id}"
    fitted = [_fitted(hook, params, model, asked) for _ in range(2)]
    if repr(params) != was:
        raise RuleBroken(f"{asked} the parameters it was given were changed in place", "a changed copy is returned")
    if repr(fitted[0]) != repr(fitted[1]):
        raise RuleBroken(f"{asked} it returned {fitted[0]}, then {fitted[1]}", "the same for the same")
    after = fitted[0]
    if after is None:
        return
    for name in _NAMED:
        gone = getattr(params, name) not in (None, ()) and getattr(after, name) in (None, ())
        if gone and name not in after.ignored and not (name == "reasoning_effort" and after.thinking is not None):
            raise RuleBroken(f"{asked} it dropped {name} without a word", f"params.drop({name!r}, reason)")


def _fitted(hook: Implementation, params: Params, model: Model | None, asked: str) -> Params | None:
    try:
        fitted: object = hook(params=params, model=model, backend=hook.plugin)
    except ClientError:
        return None
    except Exception as error:
        raise RuleBroken(f"{asked} it raised {type(error).__name__}: {error}", "InvalidRequest, or a reason") from error
    if fitted is not None and not isinstance(fitted, Params):
        raise RuleBroken(f"{asked} it returned {fitted!r}", "Params or None")
    return fitted


def _params() -> Iterator[Params]:
    yield Params()
    yield Params(temperature=0.0, top_p=1.0, max_tokens=1, stop=("END",), seed=0)
    yield Params(temperature=2.0, top_p=0.0, max_tokens=10**9, stop=("a", "b", "c", "d"), seed=-(2**63))
    for effort in ("none", "medium", "max", 0, 10**6):
        yield Params(reasoning_effort=effort)
    yield Params(response_format=ResponseFormat())
    yield Params(response_format=ResponseFormat(schema={"type": "object", "properties": {"a": {"type": "string"}}}))
    yield Params(other={"user": "u", "logit_bias": {"1": 2}, "studiogate_testing": [1, {"a": None}]})


def _models() -> Iterator[Model | None]:
    yield None
    yield Model(id="plain", display_name="Plain")
    yield Model(id="limited", display_name="Limited", output_token_limit=100, default_temperature=1.0)
    budget = Thinking(min_budget=128, max_budget=1000, default_budget=500)
    yield Model(id="budget", display_name="Budget", thinking=budget)
    yield Model(id="level", display_name="Level", thinking=Thinking(levels=("low", "high"), default_level="low"))


def _short(params: Params) -> str:
    given: dict[str, Any] = {
        field.name: value
        for field in attrs.fields(Params)
        if (value := getattr(params, field.name)) not in (None, (), {})
    }
    return ", ".join(f"{name}={value!r}" for name, value in given.items()) or "no parameters"
