"""Files, from the client's request into the page and on to AI Studio."""

import hashlib
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.attachments.samples import FILES, JPEG, b64, data_url, png

from .house import Gateway, Simulator, running_gateway, wait_until, write_config

PNG = png()
OTHER = png(2)
MP4 = FILES["a.mp4"][0]
WAV = FILES["a.wav"][0]
PDF = FILES["a.pdf"][0]


@pytest.fixture(autouse=True)
def serves_afterwards(request: pytest.FixtureRequest, simulator: Simulator) -> Generator[None]:
    """Ask once more after every test here: whatever was uploaded, the next prompt goes alone, and no file is left."""
    gateway: Gateway | None = request.getfixturevalue("gateway") if "gateway" in request.fixturenames else None
    yield
    simulator.reset()
    if gateway is None:
        return
    for number in range(2):
        answer = gateway.ask(f"and afterwards? {number}")
        assert answer.status_code == 200, answer.text
    assert [turn["files"] for turn in simulator.log()] == [[], []]
    wait_until(lambda: gateway.uploads() == [], "every file gone")


def told(data: bytes, name: str, mime: str) -> dict[str, Any]:
    """Return what the simulator logs of a file."""
    return {"name": name, "mime": mime, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def item(data: bytes, mime: str = "image/png", **fields: Any) -> dict[str, Any]:
    """Return an image as OpenAI has it."""
    return {"type": "image_url", "image_url": {"url": data_url(data, mime), **fields}}


def text(words: str) -> dict[str, Any]:
    """Return a text as OpenAI has it."""
    return {"type": "text", "text": words}


def send(gateway: Gateway, *content: dict[str, Any], **fields: Any) -> httpx.Response:
    """Post one user message."""
    body = {"messages": [{"role": "user", "content": list(content)}], **fields}
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=110)


def uploading(simulator: Simulator) -> bool:
    """Tell whether the page has asked for all upload scenarios, as it does for each file that it takes."""
    return simulator.http.get("/__sim/uploads").raise_for_status().json() == []


@contextmanager
def sending(gateway: Gateway, *content: dict[str, Any]) -> Generator["Future[httpx.Response]"]:
    """Post from another thread; the answer is its result."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(send, gateway, *content)


def test_an_image(gateway: Gateway, simulator: Simulator) -> None:
    """The guide's third example: an image as a data URL, looked at closely."""
    answer = send(gateway, text("What is it?"), item(JPEG, "image/jpeg", detail="high"), model="gemini-2.5-pro")

    assert answer.status_code == 200, answer.text
    [turn] = simulator.log()
    assert (turn["model"], turn["prompt"]) == ("gemini-2.5-pro", "What is it?")
    assert turn["files"] == [told(JPEG, "image-1.jpg", "image/jpeg")]
    assert turn["config"]["media_resolution"] == "high"
    assert "x-studiogate-ignored" not in answer.headers


def test_several_files_in_every_shape(gateway: Gateway, simulator: Simulator) -> None:
    """The guide's fourth example and more: content items, fields of the message and of the request, in order, once."""
    body = {
        "model": "gemini-2.5-pro",
        "messages": [
            {
                "role": "user",
                "content": [
                    text("Compare."),
                    item(PNG),
                    {"type": "input_video", "input_video": {"data": data_url(MP4, "video/mp4"), "format": "mp4"}},
                    {"type": "input_audio", "input_audio": {"data": b64(WAV), "format": "wav"}},
                    item(PNG),
                ],
                "images": [data_url(OTHER)],
                "files": [{"data": b64(PDF), "filename": "Bericht für 2026.pdf"}],
            }
        ],
        "attachments": [data_url(b"# Notes\n", "text/markdown"), data_url(MP4, "video/mp4")],
    }
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=60)

    assert answer.status_code == 200, answer.text
    [turn] = simulator.log()
    assert turn["prompt"] == "Compare."
    assert turn["files"] == [
        told(PNG, "image-1.png", "image/png"),
        told(MP4, "video-1.mp4", "video/mp4"),
        told(WAV, "audio-1.wav", "audio/wav"),
        told(OTHER, "image-2.png", "image/png"),
        told(PDF, "Bericht für 2026.pdf", "application/pdf"),
        told(b"# Notes\n", "document-2.md", "text/markdown"),
    ]


def test_every_kind(gateway: Gateway, simulator: Simulator) -> None:
    """The page's browser takes each kind of the guide for what the gateway recognised it to be."""
    files = [{"data": b64(data), "filename": name} for name, (data, _) in FILES.items()]
    answer = send(gateway, text("All of it."), attachments=files)

    assert answer.status_code == 200, answer.text
    [turn] = simulator.log()
    assert turn["files"] == [told(data, name, mime) for name, (data, mime) in FILES.items()]


def test_a_video_streamed(gateway: Gateway, simulator: Simulator) -> None:
    """A stream begins with its files already there."""
    content = [{"type": "input_video", "input_video": {"data": data_url(MP4, "video/mp4")}}, text("What happens?")]
    body = {"messages": [{"role": "user", "content": content}], "stream": True}
    with httpx.stream("POST", f"{gateway.url}/v1/chat/completions", json=body, timeout=60) as response:
        lines = list(response.iter_lines())

    assert lines[-2:] == ["data: [DONE]", ""]
    assert simulator.turn("What happens?")["files"] == [told(MP4, "video-1.mp4", "video/mp4")]


def test_a_file_without_a_word(gateway: Gateway, simulator: Simulator) -> None:
    """The guide's messages may be files alone."""
    answer = send(gateway, item(PNG))

    assert answer.status_code == 200, answer.text
    [turn] = simulator.log()
    assert (turn["prompt"], turn["files"]) == ("", [told(PNG, "image-1.png", "image/png")])


def test_files_of_a_conversation(gateway: Gateway, simulator: Simulator) -> None:
    """Those of earlier messages go along, each once, before the transcript."""
    messages = [
        {"role": "user", "content": [text("What is it?"), item(PNG)]},
        {"role": "assistant", "content": "A dot."},
        {"role": "user", "content": [text("And this?"), item(OTHER), item(PNG)]},
    ]
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json={"messages": messages}, timeout=60)

    assert answer.status_code == 200, answer.text
    turn = simulator.turn("And this?")
    assert turn["files"] == [told(PNG, "image-1.png", "image/png"), told(OTHER, "image-2.png", "image/png")]


@pytest.mark.parametrize(
    ("details", "model", "expected"),
    [
        (("low", "high"), "gemini-2.5-flash", ("high", "detail: high for all files, as a request has one")),
        (("low", "auto"), "gemini-2.5-flash", ("low", None)),
        (("auto", "auto"), "gemini-2.5-flash", (None, None)),
        (("high", "high"), "gemma-3-27b-it", (None, "detail: gemma-3-27b-it takes no media resolution")),
    ],
)
def test_detail(
    gateway: Gateway,
    simulator: Simulator,
    details: tuple[str, str],
    model: str,
    expected: tuple[str | None, str | None],
) -> None:
    """The highest that is asked for; what can't be honoured is reported, and no model gets what it refuses."""
    first, second = details
    answer = send(gateway, text("Look."), item(PNG, detail=first), item(OTHER, detail=second), model=model)

    assert answer.status_code == 200, answer.text
    resolution = simulator.turn("Look.")["config"].get("media_resolution")
    assert (resolution, answer.headers.get("x-studiogate-ignored")) == expected


@pytest.mark.parametrize("fail", ["chip", "toast"])
def test_what_the_page_refuses(gateway: Gateway, simulator: Simulator, fail: str) -> None:
    """The client gets the page's words and the file's place, and nothing is submitted."""
    simulator.play_upload(when="image-2", fail=fail, message="This file is not supported.")
    answer = send(gateway, text("Look."), item(PNG), item(OTHER))

    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (400, "invalid_request_error", "attachment_refused")
    assert "This file is not supported." in error["message"]
    # A toast names no file, and both were under way.
    assert error["param"] == ("messages[0].content[2].image_url" if fail == "chip" else None)
    assert "stream_intercept=failed" in answer.headers["x-studiogate-attempts"]
    assert simulator.log() == []


def test_a_refused_prompt_keeps_its_files_to_itself(gateway: Gateway, simulator: Simulator) -> None:
    """The page gives files back when upstream refuses; the next prompt doesn't get them."""
    simulator.play(http_status=429, times=1)
    answer = send(gateway, text("Look."), item(PNG))

    assert answer.status_code == 429
    assert len(simulator.log()) == 1


@pytest.mark.parametrize("wait", ["upload", "count"])
def test_a_client_that_leaves_during_an_upload(gateway: Gateway, simulator: Simulator, wait: str) -> None:
    """Nothing is submitted, the files are gone from the disk, and the tab is clean."""
    simulator.play_upload(**{f"{wait}_ms": 60_000}, times=2)
    files = [text("Look."), item(PNG), item(OTHER)]
    gateway.ask_and_leave(files, lambda: bool(gateway.uploads()) and uploading(simulator), "the uploads")

    wait_until(lambda: gateway.uploads() == [], "the files gone")
    assert simulator.log() == []


def test_cancel_during_an_upload(gateway: Gateway, simulator: Simulator) -> None:
    """The client gets its 499 at once."""
    simulator.play_upload(upload_ms=60_000)
    with sending(gateway, text("Look."), item(PNG)) as answer:
        wait_until(lambda: gateway.queue()["running"] and gateway.tabs_ready() < 2, "the upload")
        (running,) = gateway.queue()["running"]
        assert gateway.cancel(running["req_id"]).status_code == 200
        assert answer.result(60).status_code == 499

    assert simulator.log() == []


def test_a_browser_that_dies_during_an_upload(gateway: Gateway, simulator: Simulator) -> None:
    """The client is told, nothing is submitted, and the new browser's tabs are clean."""
    simulator.play_upload(upload_ms=60_000, times=1)
    with sending(gateway, text("Look."), item(PNG)) as answer:
        wait_until(lambda: uploading(simulator), "the upload")
        gateway.browser().kill()

        assert answer.result(60).status_code == 502, answer.result().text
    wait_until(lambda: gateway.uploads() == [], "the files gone")
    assert simulator.log() == []


def test_a_gateway_that_is_killed_during_an_upload(tmp_path: Path, simulator: Simulator) -> None:
    """Its next start removes the files that it left, and takes prompts."""
    simulator.play_upload(upload_ms=60_000, times=1)
    config = write_config(tmp_path, simulator, {"studio": {"tabs": 1}})
    with running_gateway(config) as killed, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(send, killed, text("Look."), item(PNG))
        wait_until(lambda: uploading(simulator), "the upload")
        killed.process.kill()
        with pytest.raises(httpx.HTTPError):
            asking.result(30)
    assert killed.uploads() != []

    with running_gateway(config) as gateway:
        assert gateway.uploads() == []
        assert send(gateway, text("Again."), item(PNG)).status_code == 200
    assert [turn["prompt"] for turn in simulator.log()] == ["Again."]


def test_two_uploads_at_once(gateway: Gateway, simulator: Simulator) -> None:
    """Each prompt has its own files, whichever is ready first."""
    simulator.play_upload(when="image-1.png", upload_ms=500, times=1)
    with sending(gateway, text("slow"), item(PNG)) as slow:
        wait_until(lambda: gateway.queue()["running"], "the first")
        assert send(gateway, text("fast"), item(OTHER)).status_code == 200
        assert slow.result().status_code == 200

    assert simulator.turn("slow")["files"][0]["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert simulator.turn("fast")["files"][0]["sha256"] == hashlib.sha256(OTHER).hexdigest()


@pytest.mark.timeout(300)
def test_large_files_from_a_shared_folder(tmp_path: Path, simulator: Simulator) -> None:
    """Fifty megabytes go to Drive through the proxy, what fits goes inside the request; all arrive whole."""
    simulator.options(inline_bytes=32_000_000)
    shared = tmp_path / "shared"
    shared.mkdir()
    files = {"small.mp4": MP4, "film.mp4": MP4 + bytes(25_000_000), "great film.mp4": MP4 + bytes(50_000_000)}
    for name, data in files.items():
        (shared / name).write_bytes(data)
    config = write_config(tmp_path, simulator, {"attachments": {"allowed_roots": [str(shared)]}, "studio": {"tabs": 1}})
    with running_gateway(config) as gateway:
        answer = send(gateway, text("Watch."), attachments=[str(shared / name) for name in files])

        assert answer.status_code == 200, answer.text
    assert simulator.turn("Watch.")["files"] == [told(data, name, "video/mp4") for name, data in files.items()]


def test_a_page_that_does_not_end_an_upload(tmp_path: Path, simulator: Simulator) -> None:
    """The client is told in time, and the tab is replaced."""
    simulator.play_upload(fail="hang", times=1)
    config = write_config(tmp_path, simulator, {"studio": {"tabs": 1, "upload_s": 5, "upload_s_per_mb": 0}})
    with running_gateway(config) as gateway:
        answer = send(gateway, text("Look."), item(PNG))
        afterwards = send(gateway, text("Again."), item(PNG))

    assert (answer.status_code, afterwards.status_code) == (502, 200)
    assert "too long with the files" in answer.json()["error"]["message"]
    assert [turn["prompt"] for turn in simulator.log()] == ["Again."]


def test_the_owner_agrees_in_person(tmp_path: Path, simulator: Simulator) -> None:
    """Where the operator wants it so, a file waits for the owner, with advice, and prompts alone don't."""
    config = write_config(tmp_path, simulator, {"studio": {"tabs": 1, "acknowledge_copyright": False}})
    with running_gateway(config) as gateway:
        refused = send(gateway, text("Look."), item(PNG))
        answered = send(gateway, text("No file."))

    assert (refused.status_code, answered.status_code) == (503, 200)
    assert "acknowledge_copyright" in refused.json()["error"]["message"]
