"""The operator's order: every subset of the backends in every order starts, and is asked in that order.

All of them start here in this process with no profile to open a browser with, so that who needs one says why it can't
answer; those that begin otherwise are asked with a browser, too.
"""

import re
from collections.abc import Generator
from itertools import permutations
from pathlib import Path

import httpx
import pytest

from studiogate.config import load_config
from studiogate.web.server import running_gateway as running_in_process
from tests.helper_backend.standin import standing_in

from .fault_rows import DOM, HELPER, STREAM, WELL
from .house import Simulator, running_gateway, write_config
from .service import Service, running_service

BACKENDS = (STREAM, HELPER, DOM)
ORDERS = [order for length in range(1, len(BACKENDS) + 1) for order in permutations(BACKENDS, length)]
WITH_A_BROWSER = ((STREAM, DOM, HELPER), (DOM, STREAM, HELPER))
"""One for each of those that need it."""
HELLO = {"messages": [{"role": "user", "content": "How is all?"}]}


@pytest.fixture(scope="module")
def service() -> Generator[Service]:
    """Run the service behind helper_backend."""
    with running_service() as service:
        service.reply(WELL)
        yield service


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mitmproxy's, as it is imported
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
async def test_every_order_starts_and_is_asked_in_turn(tmp_path: Path, order: tuple[str, ...]) -> None:
    """The first that can answers, and where none can the client is told why by each, in the same order."""
    async with standing_in() as service:
        service.reply(WELL)
        config = tmp_path / "plugins.toml"
        config.write_text(
            f"plugins = {list(order)}\n[gateway]\nport = 0\nstate_dir = 'state'\n"
            f"[studio]\nprofile = 'none.json'\n[helper_backend]\nbase_url = '{service.url}'\n"
        )
        async with running_in_process(load_config(config)) as running, httpx.AsyncClient(timeout=60) as http:
            answer = await http.post(f"{running.url}/v1/chat/completions", json=HELLO)

    tried = re.findall("|".join(f"{name}=[a-z]+" for name in BACKENDS), answer.headers["x-studiogate-attempts"])
    asked = order[: order.index(HELPER) + 1] if HELPER in order else order
    assert tried == [f"{name}={'ok' if name == HELPER else 'unavailable'}" for name in asked]
    if HELPER in order:
        assert answer.json()["choices"][0]["message"]["content"] == "All is well."
    else:
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "service_unavailable")
        assert "studiogate login" in answer.json()["detail"]


@pytest.mark.parametrize(
    "order",
    [pytest.param(order, marks=[] if order in WITH_A_BROWSER else [pytest.mark.long]) for order in ORDERS],
    ids=" ".join,
)
def test_the_first_in_order_answers(
    tmp_path: Path, simulator: Simulator, service: Service, order: tuple[str, ...]
) -> None:
    """Whichever are listed; one line of plugins.toml is all that differs."""
    simulator.play(text=["All is ", "well."])
    tables = {"studio": {"tabs": 1}, "gateway": {"slots": 1}, "helper_backend": {"base_url": service.url}}
    every = write_config(tmp_path, simulator, tables, backends=BACKENDS).read_text().splitlines()
    config = write_config(tmp_path, simulator, tables, backends=order)
    edited = [line for line in config.read_text().splitlines() if line not in every]

    with running_gateway(config, ready=order != (HELPER,)) as gateway:
        answer = gateway.ask("How is all?")

    assert [line.partition(" = ")[0] for line in edited] == ([] if order == BACKENDS else ["plugins"])
    assert (answer.status_code, answer.headers["x-studiogate-attempts"]) == (200, f"{order[0]}=ok"), answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "All is well."
    assert len(simulator.log()) == (0 if order[0] == HELPER else 1)


async def test_a_backend_that_lacks_its_setting_says_so(tmp_path: Path) -> None:
    """The start goes on, the others are asked, and alone it tells the client what is missing."""
    config = tmp_path / "plugins.toml"
    answers: list[httpx.Response] = []
    for order in ((HELPER, DOM), (HELPER,)):
        config.write_text(
            f"plugins = {list(order)}\n[gateway]\nport = 0\nstate_dir = 'state'\n[studio]\nprofile = 'none.json'\n"
        )
        async with running_in_process(load_config(config)) as running, httpx.AsyncClient(timeout=60) as http:
            answers.append(await http.post(f"{running.url}/v1/chat/completions", json=HELLO))

    first, alone = answers
    assert first.headers["x-studiogate-attempts"].startswith(f"{HELPER}=declined: no base_url is set, {DOM}=")
    assert (alone.status_code, alone.json()["error"]["type"]) == (502, "upstream_error")
    assert "no base_url is set" in alone.json()["detail"]
