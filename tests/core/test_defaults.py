"""What requests get that don't say otherwise."""

from pathlib import Path
from typing import Any

import pytest

from studiogate import hookimpl
from studiogate.chain import Chain
from studiogate.config import Config
from studiogate.defaults import Defaults, forget_unasked
from studiogate.errors import ConfigurationError
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.models import Model, Thinking
from studiogate.params import Params
from studiogate.settings import GatewaySettings
from studiogate.trace import ignored_text

from .backends import ask, backend, exchange_of, host, read, says, with_params

PRO = Model(id="pro", display_name="Pro", output_token_limit=65536, thinking=Thinking(min_budget=128, max_budget=32768))
LEVELS = Model(id="three", display_name="3", output_token_limit=65536, thinking=Thinking(levels=("low", "high")))
SMALL = Model(id="small", display_name="Small", output_token_limit=2048)


def config(environ: dict[str, str] | None = None, **defaults: Any) -> Config:
    """Make a configuration with a `[defaults]` table."""
    return Config(path=Path("/p/plugins.toml"), plugins=(), tables={"defaults": defaults}, environ=environ or {})


async def run(params: Params, defaults: Defaults, plugins: dict[str, type], model: Model | None = None) -> Exchange:
    """Run an exchange through a chain and return it."""
    exchange = exchange_of(ask(params=params), model=model)
    async for _ in Chain(host(plugins), GatewaySettings(), defaults).answer(exchange):
        pass
    return exchange


def test_the_guides_defaults() -> None:
    """Out of the box a request that says nothing gets what the guide promises."""
    assert Defaults().fill(Params(), None) == Params(temperature=1.0, top_p=0.95, max_tokens=8192)


def test_what_the_client_says_stands() -> None:
    """Also where it says zero."""
    asked = Params(temperature=0.0, top_p=0.0, max_tokens=1, stop=("x",), seed=0, reasoning_effort=0)
    defaults = Defaults(temperature=2.0, top_p=0.5, max_output_tokens=7, stop=("y",), seed=9, reasoning_effort="high")

    assert defaults.fill(asked, PRO) == asked


def test_every_default_is_filled_in() -> None:
    """The operator's values take the place of the guide's."""
    defaults = Defaults(
        temperature=0.3, top_p=0.5, max_output_tokens=100, stop=("END",), seed=9, reasoning_effort="none"
    )

    assert defaults.fill(Params(), SMALL) == Params(
        temperature=0.3, top_p=0.5, max_tokens=100, stop=("END",), seed=9, reasoning_effort="none"
    )


@pytest.mark.parametrize(
    ("effort", "model", "limit"),
    [
        (None, PRO, 8192),
        ("none", PRO, 8192 + 128),
        ("low", PRO, 8192 + 1000),
        (20000, PRO, 8192 + 20000),
        ("max", PRO, 8192 + 32768),
        ("high", LEVELS, 8192 + 24000),
        ("low", LEVELS, 8192 + 1000),
        ("high", SMALL, 2048),
        (None, SMALL, 2048),
        ("high", None, 8192),
    ],
)
def test_thoughts_come_on_top_of_the_default_limit(effort: str | int | None, model: Model | None, limit: int) -> None:
    """They count against it upstream, so that an answer would be cut short; the model's own limit is never exceeded."""
    assert Defaults().fill(Params(reasoning_effort=effort), model).max_tokens == limit


def test_thoughts_of_the_default_effort_come_on_top_as_well() -> None:
    """It makes no difference who asked for them."""
    assert Defaults(reasoning_effort="medium").fill(Params(), PRO).max_tokens == 8192 + 8000


def test_a_clients_limit_is_left_alone() -> None:
    """It is the client's to say how much it takes, thoughts included."""
    assert Defaults().fill(Params(max_tokens=10, reasoning_effort="high"), PRO).max_tokens == 10


async def test_defaults_are_there_before_any_plugin_is_asked() -> None:
    """`apply_params` hooks see them as if the client had sent them."""
    seen: list[Params] = []

    class Looks:
        @hookimpl
        def apply_params(self, params: Params) -> None:
            seen.append(params)

    exchange = await run(Params(top_p=0.1), Defaults(seed=4), {"looks": Looks, "a": backend(says("x"))})

    assert seen == [Params(temperature=1.0, top_p=0.1, max_tokens=8192, seed=4)]
    assert exchange.params == seen[0]
    assert exchange.request.params == Params(top_p=0.1)


async def test_a_default_that_does_not_fit_is_no_news_to_the_client() -> None:
    """Only what a client asked for itself is reported as ignored."""

    class Drops(backend(says("x"))):  # type: ignore[misc]
        @hookimpl
        def apply_params(self, params: Params) -> Params:
            for name in ("temperature", "top_p", "max_tokens", "stop", "seed", "reasoning_effort"):
                params = params.drop(name, "no")
            return params

    defaults = Defaults(seed=1, stop=("x",), reasoning_effort="low")
    silent = await run(Params(), defaults, {"a": Drops})
    asking = await run(Params(temperature=0.0, seed=0, stop=("y",)), defaults, {"a": Drops})

    assert silent.params == Params()
    assert ignored_text(asking) == "temperature: no; stop: no; seed: no"


def test_reports_on_other_parameters_stay() -> None:
    """What has no default was asked for by somebody; so was what the client put beside the known fields."""
    asked = Params(other={"seed": 1})
    fitted = Params(ignored={"seed": "no", "logit_bias": "no", "top_p": "no"})

    assert forget_unasked(fitted, asked).ignored == {"seed": "no", "logit_bias": "no"}


async def test_a_gateway_uses_its_own_defaults() -> None:
    """The `[defaults]` table reaches the backend."""
    plugins = {"a": backend(says("x"))}
    made = Gateway(config(temperature=0.2, max_output_tokens=99), host(plugins))
    async with made.lifespan():
        exchange = made.submit(ask())
        await read(exchange)

    assert exchange.params == Params(temperature=0.2, top_p=0.95, max_tokens=99)


def test_the_table_is_read() -> None:
    """From the file, or the environment, which is stronger."""
    made = config({"STUDIOGATE_DEFAULTS_SEED": "5", "STUDIOGATE_DEFAULTS_STOP": "a,b"}, seed=4, top_p=0.5).defaults

    assert made == Defaults(seed=5, stop=("a", "b"), top_p=0.5)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"temperature": 2.1}, "plugins.toml: [defaults] temperature: must be"),
        ({"top_p": -0.1}, "plugins.toml: [defaults] top_p: must be"),
        ({"max_output_tokens": 0}, "plugins.toml: [defaults] max_output_tokens: must be"),
        ({"reasoning_effort": "hgih"}, "reasoning_effort: must be one of none, minimal, low"),
        ({"max_output_tokens": 2**31}, "max_output_tokens: must be from 1 to 2147483647, not 2147483648"),
        ({"seed": 2**31}, "plugins.toml: [defaults] seed: must be"),
        ({"stop": list("abcdef")}, "plugins.toml: [defaults] stop: must hold at most 5 strings, not 6"),
        ({"seed": "x"}, "[defaults] seed: must be a whole number"),
        ({"stop": "x"}, "[defaults] stop: must be a list"),
        ({"max_tokens": 5}, "[defaults] max_tokens: is not known here. Did you mean 'max_output_tokens'?"),
    ],
)
def test_wrong_defaults_stop_the_start(table: dict[str, Any], message: str) -> None:
    """The error names file, key and what would be right."""
    with pytest.raises(ConfigurationError) as raised:
        _ = config(None, **table).defaults

    assert message in str(raised.value)


def test_params_note_what_is_not_as_asked() -> None:
    """A note leaves the value, a drop takes it away."""
    params = with_params(max_tokens=9).params

    assert params.note("max_tokens", "less") == Params(max_tokens=9, ignored={"max_tokens": "less"})
    assert params.drop("max_tokens", "no") == Params(ignored={"max_tokens": "no"})
