"""Ask many times over a few tabs with faults in between; `--write` puts what came of it into docs/reliability.md.

Each request has a token that its answer must carry, whole and alone. Faults are those of the fault table, drawn by
chance: upstream's, the service's, and a browser that is killed. An error counts as documented if status and type are a
row of the table of errors.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import httpx
import psutil

from scripts.bench.figures import write_between
from scripts.bench.growth import Reading, growth_table, read, slope_kb
from studiogate.errors import ERRORS
from tests.e2e.fault_rows import HELPER, ROWS, STREAM_FIRST, TEXT, WELL, Row, kill_browser
from tests.e2e.fault_runs import tables
from tests.e2e.house import Gateway, Simulator, running_gateway, running_simulator, write_config
from tests.e2e.service import Service, running_service
from tests.helper_backend.standin import Asked, Reply, says, streams

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
START_MARK = "<!-- soak: written by python -m scripts.soak --write, don't edit -->"
END_MARK = "<!-- end of soak -->"
TOKEN = re.compile(r"token-[0-9a-f]{8}")
DOCUMENTED = {(status, kind.type) for status, kind in ERRORS.items()}
TYPES = {kind.type for kind in ERRORS.values()}
HUNG_S = 90.0
"""Seconds after which a request counts as hung; every timeout of the gateway is far below."""
REFUSED = {"http_status": 500, "status": [13, "Internal."]}
"""Upstream's answer where the fault is the service's, so that the service is asked."""
FAULTS = [
    row
    for row in ROWS
    if row.own is None and not row.posted and row.reads_along is None and row.act in {None, kill_browser}
]
"""What an answer, a service or a browser does, and what needs no gateway of its own."""
READINGS = 50
"""How often memory is read on the way."""
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""After which of the requests it is shown."""
OK = 200


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of one request."""

    fault: str
    """Its own; empty where it had none, though it may have met another's."""
    status: int = 0
    """0 for one that hung."""
    backend: str = ""
    text: str = ""
    whole: bool = False
    """Whether the answer came to its end."""
    failure: str = ""
    token: str

    @property
    def verdict(self) -> str:
        """Return `answered`, `refused`, `broken off`, or what must not be."""
        if not self.status:
            return "hung"
        if set(TOKEN.findall(self.text)) - {self.token}:
            return "mixed up"
        if self.whole and not self.failure:
            return "answered" if self.text == said(self.token) else "not its answer"
        if self.status == OK:
            # What the service says of itself before it fails is its own.
            begun = self.backend == HELPER or said(self.token).startswith(self.text)
            return "broken off" if self.failure in TYPES and begun else "undocumented"
        return "refused" if (self.status, self.failure) in DOCUMENTED else "undocumented"


GOOD = ("answered", "refused", "broken off")


@attrs.define
class Soak:
    """One run."""

    gateway: Gateway
    simulator: Simulator
    replies: dict[str, Reply]
    """What the service says to a token, where that isn't the usual."""
    share: float
    """Of requests with a fault."""
    chance: random.Random
    outcomes: list[Outcome] = attrs.field(factory=list[Outcome])
    readings: list[Reading] = attrs.field(factory=list[Reading])
    """Memory at the start and on the way."""

    async def run(self, requests: int, at_once: int) -> None:
        """Ask so many times."""
        numbers = iter(range(requests))
        self.readings.append(await asyncio.to_thread(read, self.gateway, 0))
        async with httpx.AsyncClient(base_url=self.gateway.url, timeout=None) as client, asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._ask_all(client, numbers, max(1, requests // READINGS)))
        self.readings.sort(key=lambda reading: reading.requests)

    async def _ask_all(self, client: httpx.AsyncClient, numbers: Iterator[int], every: int) -> None:
        for _ in numbers:
            row = self.chance.choice(FAULTS) if self.chance.random() < self.share else None
            self.outcomes.append(await self._ask(client, row))
            count = len(self.outcomes)
            if count % every == 0:
                self.readings.append(await asyncio.to_thread(read, self.gateway, count))
                await asyncio.to_thread(self.simulator.http.delete, "/__sim/log")

    async def _ask(self, client: httpx.AsyncClient, row: Row | None) -> Outcome:
        token = f"token-{self.chance.randbytes(4).hex()}"
        scenario: dict[str, Any] = {"chunk_delay_ms": 2}
        if row is not None:
            scenario.update(REFUSED if row.order[0] == HELPER else row.scenario)
            if row.service is not WELL:
                self.replies[token] = row.service
        # A row that has an answer of its own tells the token in its place.
        own = [said(token) if piece == TEXT else piece for piece in scenario.get("text", ())]
        scenario["text"] = own or [f"It is {token}, ", "as you say."]
        await asyncio.to_thread(self.simulator.play, when=token, times=1, **scenario)
        outcome = Outcome(fault=row.fault if row else "", token=token)
        stream = row.stream if row else self.chance.random() < 0.5  # noqa: PLR2004 - half of them
        body = {"messages": [{"role": "user", "content": f"Repeat {token}."}], "stream": stream}
        killing = asyncio.create_task(self._act(row)) if row is not None and row.act is not None else None
        try:
            async with asyncio.timeout(HUNG_S):
                return await (_streamed if stream else _whole)(client, body, outcome)
        except TimeoutError:
            return outcome
        finally:
            self.replies.pop(token, None)
            if killing is not None:
                await killing

    async def _act(self, row: Row) -> None:
        """Do to the browser what a row does, some moment after its request; whichever is running meets it."""
        await asyncio.sleep(self.chance.uniform(0, 0.3))
        try:
            await asyncio.to_thread(lambda: self.gateway.browser().kill())
        except (StopIteration, psutil.NoSuchProcess):
            print(f"soak: {row.fault}: there is none at the moment", file=sys.stderr)

    @property
    def verdicts(self) -> Counter[str]:
        """Return how many requests ended how."""
        return Counter(outcome.verdict for outcome in self.outcomes)

    @property
    def wrong(self) -> list[Outcome]:
        """Return what must not be."""
        return [outcome for outcome in self.outcomes if outcome.verdict not in GOOD]


def said(token: str) -> str:
    """Return the answer to a request."""
    return f"It is {token}, as you say."


async def _whole(client: httpx.AsyncClient, body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    response = await client.post("/v1/chat/completions", json=body)
    told = response.json()
    return attrs.evolve(
        outcome,
        status=response.status_code,
        backend=response.headers.get("x-studiogate-backend", ""),
        text=told["choices"][0]["message"]["content"] or "" if response.is_success else "",
        whole=response.is_success and told["choices"][0]["finish_reason"] == "stop",
        failure=told.get("error", {}).get("type", ""),
    )


async def _streamed(client: httpx.AsyncClient, body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        if not response.is_success:
            failure = json.loads(await response.aread())["error"]["type"]
            return attrs.evolve(outcome, status=response.status_code, failure=failure)
        text, whole, failure = "", False, ""
        async for line in response.aiter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                chunk = json.loads(line[6:])
                failure = chunk.get("error", {}).get("type", failure)
                for choice in chunk.get("choices", ()):
                    text += choice["delta"].get("content") or ""
                    whole = whole or choice["finish_reason"] == "stop"
        backend = response.headers.get("x-studiogate-backend", "")
        return attrs.evolve(outcome, status=OK, backend=backend, text=text, whole=whole, failure=failure)


def soaked(folder: Path, *, requests: int, tabs: int, share: float, seed: int) -> tuple[Soak, str]:
    """Run a simulator, a service and a gateway, ask so often, and return what came of it, with a report."""
    (folder / "simulator").mkdir()
    replies: dict[str, Reply] = {}

    async def reply(asked: Asked) -> None:
        found = TOKEN.findall(asked.body["messages"][-1]["content"])
        await replies.get(found[0], _usual(found[0]))(asked)

    with running_simulator(folder / "simulator") as simulator, running_service() as service:
        service.reply(reply)
        config = write_config(folder, simulator, _settings(service, tabs), backends=STREAM_FIRST)
        with running_gateway(config) as gateway:
            soak = Soak(gateway, simulator, replies, share, random.Random(seed))
            start = time.perf_counter()
            asyncio.run(soak.run(requests, tabs + 1))
            took = time.perf_counter() - start
    return soak, report(soak, tabs=tabs, took_s=took)


def _usual(token: str) -> Reply:
    return streams(*says(f"It is {token}, ", "as you say."))


def _settings(service: Service, tabs: int) -> dict[str, dict[str, Any]]:
    settings = tables(service)
    settings["gateway"] |= {"slots": tabs, "breaker_failures": 5, "breaker_pause_s": 5.0}
    settings["studio"] |= {"tabs": tabs}
    return settings


def report(soak: Soak, *, tabs: int, took_s: float) -> str:
    """Return what came of a run, in Markdown."""
    count, verdicts = len(soak.outcomes), soak.verdicts
    faulty = [outcome for outcome in soak.outcomes if outcome.fault]
    bad = {name: verdicts[name] for name in ("hung", "mixed up", "not its answer", "undocumented")}
    rows = [
        ("requests", f"{count}, {tabs + 1} at a time over {tabs} tabs, in {took_s:.0f} s"),
        ("of them with a fault", f"{len(faulty)}, of {len({outcome.fault for outcome in faulty})} kinds"),
        ("answered, each with its own token", f"{verdicts['answered']}"),
        ("refused with an error of the table", f"{verdicts['refused']}"),
        ("broken off with an error of the table", f"{verdicts['broken off']}"),
        *((name, str(number)) for name, number in bad.items()),
        ("answered by", ", ".join(f"{name} {number}" for name, number in _backends(soak).most_common())),
        ("gateway's memory at its highest", f"{max(reading.gateway for reading in soak.readings):.1f} MB"),
        ("growth per request in the last half", f"{slope_kb(soak.readings):.1f} kB"),
    ]
    head = (
        f"Measured {datetime.now(UTC).date().isoformat()}, {os.cpu_count()} CPUs (load {os.getloadavg()[2]:.1f} in the "
        f"last 15 minutes), Python {platform.python_version()}."
    )
    told = "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
    return "\n\n".join([head, told, growth_table(soak.readings, SHARES)])


def _backends(soak: Soak) -> Counter[str]:
    return Counter(outcome.backend for outcome in soak.outcomes if outcome.verdict == "answered")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--tabs", type=int, default=2)
    parser.add_argument("--faults", type=float, default=0.05, help="share of the requests that get a fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="studiogate-soak-") as folder:
        soak, told = soaked(
            Path(folder), requests=options.requests, tabs=options.tabs, share=options.faults, seed=options.seed
        )
    print(told)
    if soak.wrong:
        sys.exit("\n".join(["Not as it must be:", *(str(outcome) for outcome in soak.wrong)]))
    if options.write:
        PAGE.write_text(write_between(PAGE.read_text(), START_MARK, END_MARK, told))


if __name__ == "__main__":
    main()
