"""The simulator of AI Studio as a process, where it is installed (`studiogate-simulator`)."""

import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

_END_S = 10.0


@attrs.frozen(kw_only=True)
class Simulator:
    """Reach a running simulator. What it can play is said in its README."""

    url: str
    """Of its control, without a slash at the end."""
    port: int
    ca: Path
    """PEM file of its certificate authority."""
    storage_state: Path
    """A signed-in profile."""

    def play(self, **scenario: Any) -> None:
        """Script an answer."""
        self._send("POST", "/__sim/scenarios", scenario)

    def reset(self) -> None:
        """Have nothing scripted and nothing logged."""
        for path in ("scenarios", "uploads", "page", "faults", "log"):
            self._send("DELETE", f"/__sim/{path}")

    def prompts(self) -> list[str]:
        """Return the prompts that it received, in order."""
        return [turn["prompt"] for turn in json.loads(self._send("GET", "/__sim/log"))]

    def studio(self, folder: Path) -> dict[str, Any]:
        """Return a `[studio]` table for a browser that meets the simulator, signed in.

        :param folder: where the profile is kept, one of the test's own.
        """
        profile = folder / "profile.json"
        profile.write_bytes(self.storage_state.read_bytes())
        profile.chmod(0o600)
        return {"profile": str(profile), "reroute": f"127.0.0.1:{self.port}", "reroute_ca": str(self.ca), "tabs": 1}

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        asking = urllib.request.Request(  # noqa: S310 - the simulator's address alone
            self.url + path, data, {"content-type": "application/json"}, method=method
        )
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca))
        with urllib.request.build_opener(urllib.request.ProxyHandler({}), trust).open(asking) as response:
            said: bytes = response.read()
        return said


@contextmanager
def running_simulator() -> Generator[Simulator]:
    """Run a simulator until the context is left."""
    command = [sys.executable, "-m", "studiogate_simulator", "--port", "0", "--exit-on-stdin-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")
        ready: dict[str, Any] = json.loads(process.stdout.readline())
        yield Simulator(
            url=ready["url"], port=ready["port"], ca=Path(ready["ca"]), storage_state=Path(ready["storage_state"])
        )
        process.stdin.close()
        process.wait(_END_S)
