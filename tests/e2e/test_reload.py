"""plugins.toml read again with a real browser: what goes on, and what starts anew."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from .house import Gateway, Simulator, deltas, running_gateway, texts, wait_until, write_config

STREAM, PAGE = "stream_intercept", "dom_scrape"


def reloaded(config: Path) -> str:
    """Reload with the command; return what it says."""
    command = [sys.executable, "-m", "studiogate", "reload", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def browsers(gateway: Gateway) -> set[int]:
    """Return the processes below the gateway that last: Chromium marks those of tabs and the like by their type."""
    found: set[int] = set()
    for child in gateway.children():
        with suppress(psutil.Error):
            if not any(part.startswith("--type=") for part in child.cmdline()):
                found.add(child.pid)
    return found


def test_a_browser_outlives_another_order_and_goes_with_its_proxy(tmp_path: Path, simulator: Simulator) -> None:
    """A stream that runs meanwhile ends whole; without the proxy a fresh browser answers from the page."""
    simulator.play(text=["slowly "] * 20, chunk_delay_ms=50)
    config = write_config(tmp_path, simulator, {"studio": {"tabs": 1}}, backends=[STREAM, PAGE])
    with running_gateway(config) as gateway:
        before = browsers(gateway)
        with gateway.streaming("first") as response:
            chunks = deltas(response)
            next(chunks)
            write_config(tmp_path, simulator, {"studio": {"tabs": 1}}, backends=[PAGE, STREAM])
            said = reloaded(config)
            rest = list(chunks)
        after = browsers(gateway)
        write_config(tmp_path, simulator, {"studio": {"tabs": 1}}, backends=[PAGE])
        anew = reloaded(config)
        wait_until(lambda: not before & browsers(gateway), "the first browser's end")
        with gateway.streaming("second") as response:
            second = "".join(texts(response))
            backend = response.headers["x-studiogate-backend"]
        gateway.process.send_signal(signal.SIGTERM)

    assert "Started" not in said
    assert rest[-1]["choices"][0]["finish_reason"] == "stop"
    assert before <= after
    assert "Started: studio, dom_scrape." in anew
    assert second
    assert backend == PAGE
