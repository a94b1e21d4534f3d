"""The whole house as processes: a simulator, and gateways that serve from it, each with a real browser and proxy."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
import httpx
import psutil
from openai import AsyncOpenAI, OpenAI

ROOT = Path(__file__).parents[2]
"""The checkout."""
START_S = 60.0
WAIT_S = 30.0
SECRET_LENGTH = 16
"""Characters from which a cookie or prompt can't stand somewhere by chance."""


def wait_until[T](condition: Callable[[], T], what: str, within_s: float = WAIT_S) -> T:
    """Return the condition's first true value; fails the test after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {within_s:g} s in vain: {what}"
        time.sleep(0.02)
    return value


@attrs.frozen(kw_only=True)
class Simulator:
    """A running simulator, by its control channel."""

    port: int
    ca: Path
    storage_state: Path
    http: httpx.Client

    def play(self, **scenario: Any) -> None:
        """Add a scenario."""
        self.http.post("/__sim/scenarios", json=scenario).raise_for_status()

    def play_upload(self, **scenario: Any) -> None:
        """Add a scenario of what becomes of a file that the page is given."""
        self.http.post("/__sim/uploads", json=scenario).raise_for_status()

    def fault(self, name: str, **fields: Any) -> None:
        """Have a fault happen, in a turn, as a page is loaded, or now."""
        self.http.post("/__sim/faults", json={"fault": name, **fields}).raise_for_status()

    def faults(self) -> list[str]:
        """Return the names of the faults that have happened."""
        return [shown["fault"] for shown in self.http.get("/__sim/faults/shown").raise_for_status().json()]

    def options(self, **options: Any) -> None:
        """Set how the pages look that are loaded from now on."""
        self.http.put("/__sim/page", json=options).raise_for_status()

    def log(self) -> list[dict[str, Any]]:
        """Return every turn received, oldest first."""
        turns: list[dict[str, Any]] = self.http.get("/__sim/log").raise_for_status().json()
        return turns

    def turn(self, text: str) -> dict[str, Any]:
        """Return the one turn whose prompt holds a text."""
        found = [turn for turn in self.log() if text in turn["prompt"]]
        assert len(found) == 1, f"{len(found)} turns hold {text!r}"
        return found[0]

    def reset(self) -> None:
        """Forget scenarios, faults and log, and give the page its usual options."""
        for path in ("scenarios", "uploads", "page", "faults", "log"):
            self.http.delete(f"/__sim/{path}").raise_for_status()


@attrs.define(kw_only=True, slots=False)
class Gateway:
    """A running `studiogate serve`."""

    process: "subprocess.Popen[str]"
    port: int
    output: Path
    """Where its standard output and error go."""
    secrets: set[str] = attrs.field(factory=set[str], repr=False)
    """What nothing that it writes may hold: its profile's cookies, and the prompts of `ask` and `streaming`."""

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def client(self) -> OpenAI:
        """The official client, with nothing between the test and an error."""
        return OpenAI(base_url=f"{self.url}/v1", api_key="sk-none", max_retries=0, timeout=60)

    def async_client(self) -> AsyncOpenAI:
        """Make an official async client; the caller closes it."""
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key="sk-none", max_retries=0, timeout=60)

    def health(self) -> dict[str, Any]:
        """Return /health's body, whatever its status."""
        body: dict[str, Any] = httpx.get(f"{self.url}/health").json()
        return body

    def tabs_ready(self) -> int:
        """Return how many tabs wait for work."""
        studio = self.health()["plugins"].get("studio", {})
        return int(studio.get("details", {}).get("tabs", {}).get("ready", 0))

    def queue(self) -> dict[str, Any]:
        """Return who waits and who runs."""
        body: dict[str, Any] = httpx.get(f"{self.url}/v1/queue").raise_for_status().json()
        return body

    def cancel(self, req_id: str) -> httpx.Response:
        """Ask for a request's end."""
        return httpx.post(f"{self.url}/v1/cancel/{req_id}")

    def ask(self, text: str, **fields: Any) -> httpx.Response:
        """Post a chat request without streaming."""
        self._keep(text)
        body = {"messages": [{"role": "user", "content": text}], **fields}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=60)

    @contextmanager
    def streaming(self, text: str, **fields: Any) -> Generator[httpx.Response]:
        """Post a chat request and read its stream."""
        self._keep(text)
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **fields}
        with httpx.stream("POST", f"{self.url}/v1/chat/completions", json=body, timeout=60) as response:
            yield response

    def ask_and_leave(self, content: str | list[dict[str, Any]], once: Callable[[], bool], what: str) -> None:
        """Post a chat request without streaming, and close the connection as soon as a condition holds."""

        async def leave() -> None:
            body = {"messages": [{"role": "user", "content": content}]}
            async with httpx.AsyncClient(base_url=self.url, timeout=60) as http:
                asking = asyncio.create_task(http.post("/v1/chat/completions", json=body))
                await asyncio.to_thread(wait_until, once, what)
                asking.cancel()
                await asyncio.wait({asking})

        asyncio.run(leave())

    def children(self) -> list[psutil.Process]:
        """Return every process below the gateway's."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def browser(self) -> psutil.Process:
        """Return the browser's main process."""
        return next(
            child for child in self.children() if "chrom" in child.name() and "--type=" not in " ".join(child.cmdline())
        )

    def uploads(self) -> list[str]:
        """Return what it keeps on disk of requests' files."""
        folder = self.output.parent / "upload_files"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def said(self) -> str:
        """Return its log so far."""
        return self.output.read_text()

    def metrics(self) -> str:
        """Return its numbers, or nothing once it is gone."""
        try:
            return httpx.get(f"{self.url}/metrics", timeout=5).text
        except httpx.HTTPError:
            return ""

    def leaked(self, text: str) -> bool:
        """Tell whether a text holds a secret, which is not shown: the test's report is a log, too."""
        return any(secret in text for secret in self.secrets)

    def _keep(self, prompt: str) -> None:
        # What is shorter may stand anywhere.
        if len(prompt) >= SECRET_LENGTH and not prompt.isalpha():
            self.secrets.add(prompt)


def deltas(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield each chunk of a stream, parsed; comments and `[DONE]` are left out."""
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line[6:])


def texts(response: httpx.Response) -> Iterator[str]:
    """Yield each piece of text on a stream."""
    for chunk in deltas(response):
        if text := chunk["choices"][0]["delta"].get("content"):
            yield text


@contextmanager
def running_simulator(folder: Path) -> Generator[Simulator]:
    """Run a simulator until the context is left."""
    command = [sys.executable, "-m", "studiogate_simulator", "--exit-on-stdin-eof", "--state-dir", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        said = json.loads(process.stdout.readline())
        trust = ssl.create_default_context(cafile=said["ca"])
        with httpx.Client(base_url=said["url"], verify=trust, timeout=30) as http:
            yield Simulator(
                port=said["port"], ca=Path(said["ca"]), storage_state=Path(said["storage_state"]), http=http
            )
        process.stdin.close()
        assert process.wait(START_S) == 0


def write_config(
    folder: Path,
    simulator: Simulator,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    backends: Sequence[str] = ("stream_intercept",),
) -> Path:
    """Write a plugins.toml that leads to the simulator; `tables` add to it or replace keys."""
    settings: dict[str, dict[str, Any]] = {
        "gateway": {"port": 0, "default_model": "gemini-2.5-flash", "grace_s": 5.0},
        "studio": {
            "profile": str(simulator.storage_state),
            "reroute": f"127.0.0.1:{simulator.port}",
            "reroute_ca": str(simulator.ca),
        },
    }
    for name, table in (tables or {}).items():
        settings.setdefault(name, {}).update(table)
    plugins = ["attachments", "tools_google_search", *backends]
    lines = [f"plugins = {json.dumps(plugins)}"]
    for name, table in settings.items():
        # JSON's strings, numbers and booleans are TOML's too.
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path = folder / "plugins.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def running_gateway(config: Path, *, ready: bool = True, arguments: tuple[str, ...] = ()) -> Generator[Gateway]:
    """Run `studiogate serve` until the context is left; then nothing of it may be left.

    :param ready: whether to wait until all tabs are ready, else only until it listens.
    """
    output = Path(tempfile.mkstemp(prefix="gateway-", suffix=".log", dir=config.parent)[1])
    command = [sys.executable, "-m", "studiogate", "serve", "--config", str(config), *arguments]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with output.open("w") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, text=True, env=environ, start_new_session=True)
    try:
        port = _listening_port(process, output)
        gateway = Gateway(process=process, port=port, output=output, secrets=_cookies(config))
        if ready:
            wait_until(lambda: gateway.tabs_ready() == gateway.health()["queue"]["slots"], "tabs", START_S)
        yield gateway
        gateway.client.close()
        assert not gateway.leaked(gateway.metrics()), "the metrics hold a cookie or a prompt"
    finally:
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(START_S)
        gone, left = psutil.wait_procs(below, timeout=10)
        for each in left:
            each.kill()
    assert not left, f"left behind: {left} (gone: {len(gone)})"
    assert not gateway.leaked(gateway.said()), "the log holds a cookie or a prompt"


def _cookies(config: Path) -> set[str]:
    """Return the values of the cookies in a configuration's profile, but those too short to be secret."""
    profile = Path(tomllib.loads(config.read_text()).get("studio", {}).get("profile", ""))
    if not profile.is_file():
        return set()
    try:
        state = json.loads(profile.read_text())
    except ValueError:  # a test's own broken profile
        return set()
    return {cookie["value"] for cookie in state.get("cookies", ()) if len(cookie.get("value", "")) >= SECRET_LENGTH}


@contextmanager
def running_demo(folder: Path, environment: Mapping[str, str] | None = None) -> Generator[Gateway]:
    """Run `studiogate demo` as `make demo` does, until the context is left or the test has ended it.

    :param folder: where its output goes.
    :param environment: variables besides this process's.
    """
    output = Path(tempfile.mkstemp(prefix="demo-", suffix=".log", dir=folder)[1])
    command = [sys.executable, "-m", "studiogate", "demo", "--port", "0"]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environ |= environment or {}
    with output.open("w") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, text=True, env=environ, cwd=ROOT, start_new_session=True
        )
    try:
        wait_until(lambda: "Try it" in output.read_text() or process.poll() is not None, "the demo", START_S)
        assert process.poll() is None, output.read_text()
        port = int(output.read_text().split("OpenAI's base URL is http://127.0.0.1:")[1].split("/")[0])
        yield Gateway(process=process, port=port, output=output)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(START_S)


def _listening_port(process: "subprocess.Popen[str]", output: Path) -> int:
    def found() -> int:
        assert process.poll() is None, output.read_text()
        for line in output.read_text().splitlines():
            if "listening on http://" in line:
                return int(line.split("listening on http://")[1].split(";")[0].rpartition(":")[2])
        return 0

    return wait_until(found, "the gateway listens", START_S)
