"""Servers as processes, and a gateway that uses them."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
STDIO = [sys.executable, "-m", "tests.mcp.server", "stdio"]


@attrs.frozen
class Served:
    """A running server."""

    process: "subprocess.Popen[str]"
    port: int
    path: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}{self.path}"


@contextmanager
def running_server(transport: str, port: int = 0) -> Generator[Served]:
    """Run the tests' server over HTTP until the context is left."""
    command = [sys.executable, "-m", "tests.mcp.server", transport, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Served(process, int(process.stdout.readline()), "/mcp" if transport == "http" else "/sse")
        finally:
            process.kill()
