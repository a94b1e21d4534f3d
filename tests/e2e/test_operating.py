"""What operators rely on: a log without secrets, an upstream proxy that sees everything, settings in a `.env`."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.connect_proxy import connect_proxy

from .house import Gateway, Simulator, running_gateway, texts, wait_until, write_config

KEY = "sk-the-clients-own-key"
WRONG_KEY = "sk-somebody-elses-key"
PROMPT = "what-was-asked"
ANSWER = "what-was-answered"
PASSWORD = "the-proxys-password"


def lines(gateway: Gateway) -> list[dict[str, object]]:
    """Return the log, each line of which must be a JSON object."""
    return [json.loads(line) for line in gateway.said().splitlines()]


def requests(gateway: Gateway) -> list[dict[str, object]]:
    """Return the log's lines about requests."""
    return [line for line in lines(gateway) if line["event"] == "request"]


def everything_goes_wrong(gateway: Gateway, simulator: Simulator) -> None:
    """Ask in every way that ends differently; each prompt and each answer holds a word to look for."""
    with httpx.Client(base_url=gateway.url, headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:

        def ask(text: str, **fields: object) -> httpx.Response:
            messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": f"{PROMPT} {text}"}]
            return client.post("/v1/chat/completions", json={"messages": messages, **fields})

        simulator.play(text=[ANSWER, " and more"], thoughts=[ANSWER])
        assert ask("whole").status_code == 200
        assert ask("streamed", stream=True).status_code == 200
        assert ask("wrong", temperature=PROMPT).status_code == 400
        assert ask("no model", model="no-such-model").status_code == 422
        client.post("/v1/chat/completions", content=f'{{"messages": "{PROMPT}')
        client.post("/v1/chat/completions", headers={"x-api-key": WRONG_KEY, "authorization": ""}, json={})
        simulator.reset()
        simulator.play(http_status=500, status=[13, "Internal."])
        assert ask("broken").status_code == 502
        simulator.reset()
        simulator.play(text=[ANSWER, "x"], cut_after_frames=1)
        ask("cut", stream=True)
        simulator.reset()
        simulator.play(text=[ANSWER, "never"], hang_after_frames=1)
        body = {"stream": True, "messages": [{"role": "user", "content": f"{PROMPT} left"}]}
        with client.stream("POST", "/v1/chat/completions", json=body) as response:
            next(texts(response))
        simulator.reset()


@pytest.mark.parametrize("level", ["trace", "info"])
def test_no_level_writes_secrets(tmp_path: Path, simulator: Simulator, level: str) -> None:
    """Whatever happens to a request: no prompt, answer, key or cookie is in the log, however much it says."""
    (tmp_path / "key.txt").write_text(KEY)
    (tmp_path / "key.txt").chmod(0o600)
    config = write_config(tmp_path, simulator, {"gateway": {"keys_file": "key.txt", "log_level": level}})
    with running_gateway(config) as gateway:
        everything_goes_wrong(gateway, simulator)
        wait_until(lambda: len(requests(gateway)) == 9, "a line for each request")
        wait_until(lambda: gateway.tabs_ready() == 2, "the tabs put away")
        said = gateway.said()
        found = requests(gateway)
        libraries = {str(line["logger"]).partition(".")[0] for line in lines(gateway)}

    secrets = [cookie["value"] for cookie in json.loads(simulator.storage_state.read_text())["cookies"]]
    for secret in (KEY, WRONG_KEY, PROMPT, ANSWER, *secrets):
        assert secret not in said
    # A line is written when all of its exchange is put away, which a refusal may overtake.
    assert Counter(line["status"] for line in found) == Counter([200, 200, 400, 422, 400, 401, 502, 200, 499])
    assert {line.get("key") for line in found} == {"sk-t****-key", None}
    assert ("mitmproxy" in libraries) is (level == "trace")


def test_everything_goes_through_the_upstream_proxy(tmp_path: Path, simulator: Simulator) -> None:
    """The way to the network, here to the stand-in, is the operator's proxy alone; its password stays with us."""
    with connect_proxy(login=f"us:{PASSWORD}") as proxy:
        (tmp_path / ".env").write_text(f"UNIFIED_PROXY_CONFIG=http://us:{PASSWORD}@127.0.0.1:{proxy.port}\n")
        with running_gateway(write_config(tmp_path, simulator, {"gateway": {"log_level": "trace"}})) as gateway:
            before = len(proxy.asked)
            with gateway.streaming(PROMPT) as response:
                answer = "".join(texts(response))
            said = gateway.said()
            told = [_told(child) for child in gateway.children()]

    assert before > 0
    assert answer
    assert proxy.targets() == {f"127.0.0.1:{simulator.port}"}
    assert proxy.strangers == 0
    assert PASSWORD not in said
    assert PASSWORD not in "".join(told)


def _told(process: psutil.Process) -> str:
    """Return what a process was told at its start."""
    with suppress(psutil.NoSuchProcess):
        return " ".join([*process.cmdline(), *process.environ().values()])
    return ""


def test_an_upstream_proxy_that_refuses_is_named(tmp_path: Path, simulator: Simulator) -> None:
    """/health and the log say whose fault it is, and it is well again when the proxy is."""
    with connect_proxy(status=403) as proxy:
        upstream = {"upstream_proxy": f"http://127.0.0.1:{proxy.port}"}
        with running_gateway(write_config(tmp_path, simulator, {"studio": upstream}), ready=False) as gateway:
            wait_until(lambda: gateway.health()["plugins"]["stream_intercept"]["advice"], "the advice")
            health = httpx.get(f"{gateway.url}/health")
            said = gateway.said()
            proxy.status = 200
            wait_until(lambda: gateway.health()["status"] == "ok", "a ready gateway", 60)
            well = gateway.health()["plugins"]["stream_intercept"]["advice"]

    refusal = f"The upstream proxy http://127.0.0.1:{proxy.port} refused a tunnel (403 No)."
    assert health.status_code == 503
    assert health.json()["plugins"]["stream_intercept"]["advice"] == refusal
    assert refusal in said
    assert well is None


def test_the_stream_port_0_leaves_no_backend(tmp_path: Path, simulator: Simulator) -> None:
    """Without its only backend the gateway starts, and says to everybody what is missing."""
    config = write_config(tmp_path, simulator)
    (tmp_path / ".env").write_text("STREAM_PORT=0\n")
    with running_gateway(config, ready=False) as gateway:
        health = httpx.get(f"{gateway.url}/health")
        answer = gateway.ask("anybody?")
        said = gateway.said()
        below = gateway.children()

    assert health.status_code == 503
    assert health.json()["backends"] == []
    assert "No backend is enabled" in health.json()["message"]
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "No backend is enabled in plugins.toml.")
    assert "plugin stream_intercept is switched off (environment variable STREAM_PORT)" in said
    assert [child for child in below if "chrom" in child.name()] == []
