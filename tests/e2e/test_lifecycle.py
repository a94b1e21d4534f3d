"""Start, stop and what is left: gateways of a test's own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import httpx
import openai
import psutil
import pytest

from .house import START_S, Gateway, Simulator, deltas, running_demo, running_gateway, texts, wait_until, write_config


def test_ctrl_c_lets_a_running_answer_finish(tmp_path: Path, simulator: Simulator) -> None:
    """The first signal ends the serving, not the answer; nothing of the process is left."""
    config = write_config(tmp_path, simulator, {"gateway": {"grace_s": 60.0}})
    simulator.play(text=["slowly "] * 20, chunk_delay_ms=50)
    with running_gateway(config) as gateway, gateway.streaming("last words") as response:
        chunks = deltas(response)
        next(chunks)
        below = gateway.children()
        gateway.process.send_signal(signal.SIGINT)
        rest = list(chunks)
        code = gateway.process.wait(START_S)

    assert rest[-1]["choices"][0]["finish_reason"] == "stop"
    assert code == 0
    assert not psutil.wait_procs(below, timeout=20)[1]


def test_an_answer_that_outlives_the_grace_is_ended_cleanly(tmp_path: Path, simulator: Simulator) -> None:
    """After the grace the stream ends with an error that says why, and the upstream is told."""
    simulator.play(text=["one ", "two"], hang_after_frames=1)
    config = write_config(tmp_path, simulator, {"gateway": {"grace_s": 0.5}})
    with running_gateway(config) as gateway, gateway.streaming("endless") as response:
        chunks = deltas(response)
        next(chunk for chunk in chunks if chunk["choices"][0]["delta"].get("content"))
        gateway.process.send_signal(signal.SIGINT)
        last = list(chunks)[-1]
        code = gateway.process.wait(START_S)

    assert last["error"]["type"] == "service_unavailable"
    assert code == 0
    wait_until(lambda: simulator.turn("endless")["aborted_at"], "the abort upstream")


def test_a_killed_gateway_takes_its_browser_along(config: Path) -> None:
    """Even SIGKILL leaves no browser, driver or helper process behind."""
    with running_gateway(config) as gateway:
        below = gateway.children()
        gateway.process.kill()
        gateway.process.wait(START_S)

    assert below
    assert not psutil.wait_procs(below, timeout=20)[1]


def test_a_second_gateway_on_the_same_port_is_refused(config: Path) -> None:
    """It says what is wrong and what to do, and the first one goes on."""
    with running_gateway(config) as gateway:
        second = subprocess.run(
            [sys.executable, "-m", "studiogate", "serve", "--config", str(config), "--port", str(gateway.port)],
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        answer = gateway.ask("still there?")

    assert second.returncode == 2
    assert f"port {gateway.port}" in second.stderr
    assert "--port" in second.stderr
    assert "Traceback" not in second.stderr
    assert answer.status_code == 200


def test_without_a_profile_it_starts_and_says_what_to_do(tmp_path: Path, simulator: Simulator) -> None:
    """/health, the log and every answer tell the operator; the profile is used as soon as it is there."""
    profile = tmp_path / "studio.json"
    config = write_config(tmp_path, simulator, {"studio": {"profile": "studio.json", "profile_poll_s": 0.1}})
    with running_gateway(config, ready=False) as gateway:
        wait_until(lambda: gateway.health()["plugins"]["studio"]["status"] == "no profile", "the finding")
        health = httpx.get(f"{gateway.url}/health")
        refused = gateway.ask("anybody?")
        profile.touch(0o600)
        profile.write_bytes(simulator.storage_state.read_bytes())
        wait_until(lambda: gateway.health()["status"] == "ok", "a ready tab", START_S)
        answer = gateway.ask("now?")
        said = gateway.said()

    assert health.status_code == 503
    assert "docs/operating.md" in health.json()["plugins"]["studio"]["advice"]
    assert (refused.status_code, refused.json()["error"]["type"]) == (503, "service_unavailable")
    assert str(tmp_path) not in refused.text
    assert "profile" in said
    assert answer.status_code == 200


@pytest.fixture
def temporary() -> Generator[Path]:
    """Make a folder for temporary files whose path is short: Chromium has a socket below it, and 108 bytes for both."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


@pytest.fixture
def demo(tmp_path: Path, temporary: Path) -> Generator[Gateway]:
    """Run `studiogate demo` as `make demo` does, with a folder for temporary files that can be looked at.

    The operator has a proxy for the network, which knows nothing of a simulator on this machine.
    """
    environ = {"TMPDIR": str(temporary), "UNIFIED_PROXY_CONFIG": "http://127.0.0.1:9"}
    with running_demo(tmp_path, environ) as demo:
        yield demo


def test_the_demo_answers_and_leaves_nothing_behind(demo: Gateway, temporary: Path) -> None:
    """The printed curl line works as it is; Ctrl-C, as a terminal sends it, ends every process and file."""
    printed = demo.said().split("Try it:")[1].split("Ctrl-C")[0]
    curl = subprocess.run(["bash", "-c", printed], capture_output=True, text=True, timeout=START_S, check=True)
    below = demo.children()
    with demo.streaming("and now") as response:
        first = next(texts(response))
        os.killpg(demo.process.pid, signal.SIGINT)
        code = demo.process.wait(START_S)

    assert curl.stdout.startswith("data: ")
    assert "reasoning_content" in curl.stdout
    assert curl.stdout.rstrip().endswith("data: [DONE]")
    assert first
    assert code == 0
    assert not psutil.wait_procs(below, timeout=20)[1]
    assert list(temporary.iterdir()) == []
    assert '"level": "error"' not in demo.said()


def test_the_demo_serves_the_official_client(demo: Gateway) -> None:
    """Any key will do, and the answer names what it received."""
    answer = openai.OpenAI(base_url=f"{demo.url}/v1", api_key="anything").chat.completions.create(
        model="gemini-2.5-pro", messages=[{"role": "user", "content": "Hello!"}], temperature=0.25
    )

    assert "Temperature: 0.25" in (answer.choices[0].message.content or "")
    assert answer.usage
