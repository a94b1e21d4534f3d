"""Attachments in a request: the memory they take on their way to disk, and how late they make the event loop.

`uploads_gateway` serves in a process of its own. The client streams a body from disk, so that the measured process
holds nothing of it but what the gateway keeps. Measured twice: with a backend that only looks at the files, and through
the page, whose upload passes the gateway's own proxy.
"""

import base64
import http.client
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from scripts.bench.figures import Budget, Figure, percentile
from tests.e2e.house import Simulator, write_config

ROOT = Path(__file__).resolve().parents[2]
MB = 10**6
ENOUGH = 10**9
STOP_S = 30.0
MEMORY_BUDGET = Budget(limit=2)
LATE_BUDGET = Budget(limit=50)
LINE = "text of no meaning, line after line\n"
_BEGIN = b'{"messages": [{"role": "user", "content": [{"type": "file_url", "file_url": {"url": "data:text/plain;base64,'
_END = b'"}}]}]}'


@attrs.frozen(kw_only=True)
class Upload:
    """What one request with an attachment cost."""

    body: int
    """Bytes."""
    grown: int
    """Bytes by which the process's resident memory grew at most."""
    late_ms: float
    """The longest that the event loop came late, for which the machine did nothing else."""
    took_ms: float


def measure_uploads(simulator: Simulator, *, megabytes: tuple[int, ...], rounds: int) -> list[Figure]:
    """Send files of some sizes as data URLs, each a few times."""
    with tempfile.TemporaryDirectory(prefix="studiogate-bench-") as name:
        folder = Path(name)
        tables = {
            "gateway": {"max_body_bytes": ENOUGH},
            "attachments": {"max_file_bytes": ENOUGH},
            "studio": {"tabs": 1},
        }
        page = write_config(folder, simulator, tables)
        bodies = {size: _body(folder, size * MB) for size in {1, *megabytes}}
        return [
            figure
            for place, way in ((folder, ""), (page, ", through the page"))
            for figure in _measured(place, way, {size: bodies[size] for size in megabytes}, bodies[1], rounds)
        ]


def _measured(place: Path, way: str, bodies: Mapping[int, Path], first: Path, rounds: int) -> list[Figure]:
    figures: list[Figure] = []
    with _serving(place) as gateway:
        # What is made once is no file's.
        gateway.upload(first)
        for size, body in bodies.items():
            uploads = [gateway.upload(body) for _ in range(rounds)]
            figures += [
                Figure(
                    name=f"{size} MB attachment{way}: memory, of its request's body",
                    value=max(upload.grown for upload in uploads) / uploads[0].body,
                    unit="times",
                    runs=f"data URL, worst of {rounds}",
                    budget=MEMORY_BUDGET,
                ),
                Figure(
                    name=f"{size} MB attachment{way}: event loop late",
                    value=percentile([upload.late_ms for upload in uploads], 0.5),
                    unit="ms",
                    runs=f"data URL, the worst of each of {rounds}",
                    budget=LATE_BUDGET,
                ),
                Figure(
                    name=f"{size} MB attachment{way}: request",
                    value=percentile([upload.took_ms for upload in uploads], 0.5),
                    unit="ms",
                    runs=f"{rounds} data URLs",
                ),
            ]
    return figures


@attrs.frozen
class Gateway:
    """The measured process."""

    process: "subprocess.Popen[str]"
    host: str

    def upload(self, body: Path) -> Upload:
        """Send a body from disk."""
        before = self._memory("VmRSS")
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")  # forgets the peak so far
        self.ask("forget")
        connection = http.client.HTTPConnection(self.host, timeout=120)
        size = body.stat().st_size
        start = time.perf_counter()
        with body.open("rb") as file:
            headers = {"content-type": "application/json", "content-length": str(size)}
            connection.request("POST", "/v1/chat/completions", file, headers)
            response = connection.getresponse()
            answer = response.read()
        took = time.perf_counter() - start
        connection.close()
        if response.status != 200:  # noqa: PLR2004
            raise RuntimeError(f"the gateway answered {response.status}: {answer[:200]!r}")
        late_ms = float(self.ask("late"))
        return Upload(body=size, grown=self._memory("VmHWM") - before, late_ms=late_ms, took_ms=took * 1e3)

    def ask(self, word: str) -> str:
        """Say a word to the process and return its answer."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def _memory(self, field: str) -> int:
        """Return a field of the process's status, in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


@contextmanager
def _serving(place: Path) -> Generator[Gateway]:
    command = [sys.executable, "-m", "scripts.bench.uploads_gateway", str(place)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            yield Gateway(process, urllib.parse.urlsplit(url).netloc)
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(STOP_S)


def _body(folder: Path, size: int) -> Path:
    """Write a request with a file of `size` bytes."""
    path = folder / f"{size}.json"
    text = LINE * (size // len(LINE) + 1)
    path.write_bytes(_BEGIN + base64.b64encode(text[:size].encode()) + _END)
    return path
