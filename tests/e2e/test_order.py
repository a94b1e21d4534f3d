"""The operator's order: every subset of the backends in every order starts, and the first in it answers."""

from collections.abc import Generator
from itertools import permutations
from pathlib import Path

import pytest

from .fault_rows import DOM, HELPER, STREAM, WELL
from .house import Simulator, running_gateway, write_config
from .service import Service, running_service

BACKENDS = (STREAM, HELPER, DOM)
ORDERS = [order for length in range(1, len(BACKENDS) + 1) for order in permutations(BACKENDS, length)]


@pytest.fixture(scope="module")
def service() -> Generator[Service]:
    """Run the service behind helper_backend."""
    with running_service() as service:
        service.reply(WELL)
        yield service


@pytest.mark.long
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
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


def test_a_backend_that_lacks_its_setting_says_so(tmp_path: Path, simulator: Simulator) -> None:
    """The start goes on, the others answer, and alone it tells the client what is missing."""
    config = write_config(tmp_path, simulator, {"studio": {"tabs": 1}}, backends=(HELPER, STREAM))
    with running_gateway(config) as gateway:
        answered = gateway.ask("How is all?")
        config.write_text(config.read_text().replace(f', "{STREAM}"', ""))
    with running_gateway(config, ready=False) as gateway:
        refused = gateway.ask("How is all?")

    assert answered.headers["x-studiogate-attempts"] == f"{HELPER}=declined: no base_url is set, {STREAM}=ok"
    assert (refused.status_code, refused.json()["error"]["type"]) == (502, "upstream_error")
    assert "no base_url is set" in refused.json()["detail"]
