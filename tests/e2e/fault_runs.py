"""Plays the rows of `fault_rows`: a gateway for each order of the backends, one after the other."""

import json
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from tests.helper_service import HelperService, running_helper

from .fault_rows import TEXT, WELL, Row
from .house import Gateway, Simulator, running_gateway, running_simulator, wait_until, write_config
from .service import Service, running_service

AFTERWARDS = "And afterwards?"


@attrs.frozen(kw_only=True)
class Observed:
    """What came of a row."""

    status: int
    """Of the response."""
    text: str
    """What the client read."""
    failure: str = ""
    """The type of the error it got, whenever it came."""
    message: str = ""
    """Its words."""
    backend: str = ""
    attempts: str = ""
    """The headers `x-studiogate-backend` and `x-studiogate-attempts`."""
    retry_after: str = ""
    """The header `Retry-After`."""
    submitted: int = 0
    """How often the prompt was submitted in a page."""
    asked: int = 0
    """How often the service was asked."""
    next_status: int = 0
    next_backend: str = ""
    """What came of the next request, and who answered it."""


@attrs.frozen
class Stage:
    """What a row is played on."""

    gateway: Gateway
    simulator: Simulator
    service: Service
    reads_along: HelperService | None
    """The guide's helper service, where that stands behind helper_backend."""
    order: tuple[str, ...]

    def serves(self, row: Row) -> bool:
        """Tell whether a row can be played here."""
        return self.order == row.order and (self.reads_along is None) == (row.reads_along is None)

    def play(self, row: Row) -> Observed:
        """Inject the fault, ask, look at what came of it, and ask once more."""
        prompt = f"What about this: {row.fault}?"
        self._settle(row)
        for fault in row.posted:
            self.simulator.fault(**fault)
        self.simulator.play(when=prompt, **{"text": ["All is ", "well."], **row.scenario})
        self.service.reply(row.service)
        if self.reads_along is not None and row.reads_along is not None:
            fails = row.reads_along
            self.reads_along.fail(fails.fault, after=fails.after, status=fails.status, held=fails.after > 0)
        observed = self._asked(row, prompt)
        submitted = sum(prompt in turn["prompt"] for turn in self.simulator.log())
        asked = sum(prompt in request.body["messages"][-1]["content"] for request in self.service.asked)
        self._settle(row)
        answer = self.gateway.ask(AFTERWARDS)
        return attrs.evolve(
            observed,
            submitted=submitted,
            asked=asked,
            next_status=answer.status_code,
            next_backend=answer.headers.get("x-studiogate-backend", ""),
        )

    def _settle(self, row: Row) -> None:
        """Let nothing of an earlier request remain."""
        if row.own is None:
            # Else what is renewed or started anew would cost the next request some of its time.
            wait_until(lambda: self.gateway.tabs_ready() == 1, "the tab")
        self.simulator.reset()
        self.service.reply(WELL)
        self.service.forget()
        if self.reads_along is not None:
            self.reads_along.reset()

    def _asked(self, row: Row, prompt: str) -> Observed:
        if row.act is not None and row.moment == "before":
            row.act(self)
        if row.act is None or row.moment != "submitted":
            return self._streamed(row, prompt) if row.stream else _whole(self.gateway.ask(prompt))
        with _when(lambda: any(prompt in turn["prompt"] for turn in self.simulator.log()), row.act, self):
            return self._streamed(row, prompt) if row.stream else _whole(self.gateway.ask(prompt))

    def _streamed(self, row: Row, prompt: str) -> Observed:
        text: str = ""
        error: dict[str, str] = {}
        with self.gateway.streaming(prompt) as response:
            if not response.is_success:
                response.read()
                return _whole(response)
            for line in response.iter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                chunk = json.loads(line[6:])
                error = chunk.get("error", error)
                piece = "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
                if piece and not text and row.act is not None and row.moment == "begun":
                    row.act(self)
                text += piece
            return _observed(response, text, error)


def _whole(response: httpx.Response) -> Observed:
    body = response.json()
    text = body["choices"][0]["message"]["content"] or "" if "choices" in body else ""
    return _observed(response, text, body.get("error", {}))


def _observed(response: httpx.Response, text: str, error: dict[str, str]) -> Observed:
    return Observed(
        status=response.status_code,
        text=text,
        failure=error.get("type", ""),
        message=error.get("message", ""),
        backend=response.headers.get("x-studiogate-backend", ""),
        attempts=response.headers.get("x-studiogate-attempts", ""),
        retry_after=response.headers.get("retry-after", ""),
    )


@contextmanager
def _when(condition: Callable[[], bool], act: Callable[[Stage], None], stage: Stage) -> Generator[None]:
    """Do something in another thread as soon as a condition holds."""

    def wait() -> None:
        wait_until(condition, "the moment to act")
        act(stage)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def differences(row: Row, seen: Observed) -> list[str]:
    """Return how what came of a row differs from what it says."""
    answered = seen.backend if seen.text else ""
    checks = [
        ("answered by", answered, row.by),
        ("status", seen.status, row.status),
        ("failure", seen.failure, row.failure),
        ("submitted", seen.submitted, row.submitted),
        ("next status", seen.next_status, 200),
    ]
    if seen.next_backend not in (row.afterwards or row.order[:1]):
        checks.append(("next backend", seen.next_backend, " or ".join(row.afterwards or row.order[:1])))
    if row.by and not row.failure:
        checks.append(("text", seen.text, TEXT))
    return [f"{name}: {found!r}, not {wanted!r}" for name, found, wanted in checks if found != wanted]


@attrs.define
class Theatre:
    """A gateway for one order of the backends at a time; the one before is stopped."""

    folder: Path
    simulator: Simulator
    service: Service
    _stack: ExitStack = attrs.field(factory=ExitStack)
    _stage: Stage | None = None

    def play(self, row: Row) -> Observed:
        """Play a row, on a gateway for its order or on one of its own."""
        if row.own is not None:
            self.close()
            with row.own(self.simulator) as own:
                try:
                    self._stage = self._opened(row, own.tables)
                    return self._stage.play(attrs.evolve(row, act=own.act))
                finally:
                    self.close()
        if self._stage is None or not self._stage.serves(row):
            self.close()
            self._stage = self._opened(row, {})
        return self._stage.play(row)

    def close(self) -> None:
        """Stop the gateway."""
        self._stack.close()
        self._stage = None

    def _opened(self, row: Row, more: Mapping[str, Mapping[str, Any]]) -> Stage:
        self.simulator.reset()
        folder = Path(tempfile.mkdtemp(prefix="-".join(row.order), dir=self.folder))
        settings = tables(self.service)
        helper = None if row.reads_along is None else self._stack.enter_context(self._reading_along(folder))
        if helper is not None:
            # It hears of an answer when the page does, and its own silence is what `lag_s` is for.
            settings["gateway.timeouts.helper_backend"] = {"first_event_s": 15.0, "silence_s": 5.0}
            settings["helper_backend"] = {**helper.table(), "lag_s": 1.0, "settle_s": 1.0}
        for name, table in more.items():
            settings.setdefault(name, {}).update(table)
        config = write_config(folder, self.simulator, settings, backends=row.order)
        gateway = self._stack.enter_context(running_gateway(config))
        return Stage(gateway, self.simulator, self.service, helper, row.order)

    def _reading_along(self, folder: Path) -> AbstractContextManager[HelperService]:
        simulator = self.simulator
        return running_helper(
            folder, simulator=simulator.port, simulator_ca=simulator.ca, storage_state=simulator.storage_state
        )


def tables(service: Service) -> dict[str, dict[str, Any]]:
    """Return the settings: one tab, little patience, and no breaker, so that each row stands alone."""
    return {
        "gateway": {"breaker_failures": 1000, "first_event_s": 15.0, "silence_s": 5.0, "slots": 1},
        "gateway.timeouts.stream_intercept": {"first_event_s": 4.0, "silence_s": 1.0},
        "gateway.timeouts.helper_backend": {"first_event_s": 1.0, "silence_s": 1.0},
        "studio": {"tabs": 1, "type_s": 3.0, "submit_s": 4.0},
        "helper_backend": {"base_url": service.url, "retries": 0},
    }


@contextmanager
def theatre(folder: Path) -> Generator[Theatre]:
    """Run a simulator and a service, and gateways as they are asked for."""
    (folder / "simulator").mkdir()
    with running_simulator(folder / "simulator") as simulator, running_service() as service:
        made = Theatre(folder, simulator, service)
        try:
            yield made
        finally:
            made.close()


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Return rows so that each order of the backends is started once."""
    return sorted(rows, key=lambda row: (row.own is None, row.reads_along is not None, row.order))
