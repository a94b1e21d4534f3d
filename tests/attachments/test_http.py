"""Every shape of the guide's section on uploads, with every source, over HTTP."""

import asyncio
import gc
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from studiogate import hookimpl
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.events import Event, TextDelta
from studiogate.exchange import Exchange
from tests.core.backends import CHAT_PATH, STOP, Held, until

from .house import file_of, serving_attachments
from .samples import FILES, JPEG, b64, data_url, png
from .webhost import serving_host

PNG_FILE = file_of("image-1.png", "image/png", png())


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Make a shared folder with a file of every kind."""
    folder = tmp_path / "shared files"
    folder.mkdir()
    for name, (data, _) in FILES.items():
        (folder / name).write_bytes(data)
    return folder


SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "image_url": lambda source: {"content": [{"type": "image_url", "image_url": {"url": source, "detail": "high"}}]},
    "image_url string": lambda source: {"content": ["Look.", {"type": "image_url", "image_url": source}]},
    "input_image": lambda source: {"content": [{"type": "input_image", "input_image": {"url": source}}]},
    "input_image, Responses": lambda source: {"content": [{"type": "input_image", "image_url": source}]},
    "file_url": lambda source: {"content": [{"type": "file_url", "file_url": {"url": source}}]},
    "media_url": lambda source: {"content": [{"type": "media_url", "media_url": {"url": source}}]},
    "input_audio": lambda source: {
        "content": [{"type": "input_audio", "input_audio": {"data": source, "format": "wav"}}]
    },
    "input_video": lambda source: {
        "content": [{"type": "input_video", "input_video": {"data": source, "format": "mp4", "mime_type": "video/mp4"}}]
    },
    "file": lambda source: {"content": [{"type": "file", "file": {"file_data": source, "filename": "a.png"}}]},
    "input_file": lambda source: {"content": [{"type": "input_file", "file_data": source, "filename": "a.png"}]},
    "attachments": lambda source: {"content": "Look.", "attachments": [source]},
    "attachments, object": lambda source: {"content": "Look.", "attachments": [{"url": source, "type": "image"}]},
    "images": lambda source: {"content": "Look.", "images": [source]},
    "files": lambda source: {"content": "Look.", "files": [{"path": source}]},
    "media": lambda source: {"content": "Look.", "media": [{"data": source, "mime_type": "image/png"}]},
    "content object": lambda source: {"content": {"text": "Look.", "attachments": [source]}},
    "no text": lambda source: {"content": None, "images": [source]},
}

SOURCES = ("data URL", "bare base64", "file URL", "path", "web")


@pytest.mark.parametrize("source", SOURCES)
async def test_every_shape_with_a_source_of(source: str, tmp_path: Path, shared: Path) -> None:
    """The file reaches the backend once, with the bytes, type and size of its source, whatever the request's shape."""
    async with serving_host() as host:
        roots, hosts = [str(shared)], [f"127.0.0.1:{host.port}"]
        async with serving_attachments(tmp_path, allowed_roots=roots, allowed_hosts=hosts) as house:
            text = {
                "data URL": data_url(png()),
                "bare base64": b64(png()),
                "file URL": (shared / "a.png").as_uri(),
                "path": str(shared / "a.png"),
                "web": host.serve("/files/a.png?x=1", png(), headers={"content-type": "image/png"}),
            }[source]
            seen: dict[str, Any] = {}
            for shape, message in SHAPES.items():
                response = await house.http.post(CHAT_PATH, json={"messages": [{"role": "user", **message(text)}]})
                seen[shape] = (response.status_code, house.files)
            response = await house.chat(text)
            seen["whole request"] = (response.status_code, house.files)

    named = file_of("a.png", "image/png", png())
    unnamed = PNG_FILE if source in ("data URL", "bare base64") else named
    assert seen == {
        shape: (200, [named if shape in ("file", "input_file") else unnamed]) for shape in (*SHAPES, "whole request")
    }


async def test_without_allowed_hosts_the_refusal_says_how_to_get_one(tmp_path: Path) -> None:
    """By default nothing is fetched."""
    async with serving_attachments(tmp_path) as house:
        response = await house.chat("https://example.com/a.png")

    assert response.status_code == 400
    assert "allowed_hosts in the [attachments] table" in response.json()["error"]["message"]


async def test_every_kind_arrives_as_it_is(tmp_path: Path, shared: Path) -> None:
    """All of the guide's types at once, in order, under their own names."""
    async with serving_attachments(tmp_path, allowed_roots=[str(shared)]) as house:
        response = await house.chat(*(str(shared / name) for name in FILES))

    assert response.status_code == 200
    assert house.files == [file_of(name, mime, data) for name, (data, mime) in FILES.items()]


async def test_example_3_of_the_guide(tmp_path: Path) -> None:
    """A picture as a data URL, with a detail."""
    content = [
        {"type": "text", "text": "请详细描述这张图片的内容。"},
        {"type": "image_url", "image_url": {"url": data_url(JPEG, "image/jpeg"), "detail": "high"}},
    ]
    async with serving_attachments(tmp_path) as house:
        body = {"messages": [{"role": "user", "content": content}], "stream": False, "max_output_tokens": 1000}
        response = await house.http.post(CHAT_PATH, json=body)

    assert response.status_code == 200
    assert house.files == [file_of("image-1.jpg", "image/jpeg", JPEG)]
    assert house.exchanges[0].attachments[0].ref.detail == "high"


@pytest.mark.parametrize("way", ["content", "attachments"])
async def test_example_4_of_the_guide(way: str, tmp_path: Path, shared: Path) -> None:
    """Three pictures, one of each source, both ways of the example."""
    sources = [data_url(JPEG, "image/jpeg"), (shared / "a.png").as_uri(), str(shared / "a.gif")]
    text = "分析这些图片的异同点。"
    items = [{"type": "image_url", "image_url": {"url": source}} for source in sources]
    message = (
        {"role": "user", "content": [{"type": "text", "text": text}, *items]}
        if way == "content"
        else {"role": "user", "content": text, "attachments": sources}
    )
    async with serving_attachments(tmp_path, allowed_roots=[str(shared)]) as house:
        response = await house.http.post(CHAT_PATH, json={"messages": [message]})

    assert response.status_code == 200
    assert [(file.name, file.mime) for file in house.files] == [
        ("image-1.jpg", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.gif", "image/gif"),
    ]


async def test_example_7_of_the_guide(tmp_path: Path) -> None:
    """A video with its format."""
    data, mime = FILES["a.mp4"]
    video = {"data": data_url(data, mime), "format": "mp4", "mime_type": "video/mp4"}
    content = [{"type": "text", "text": "总结这个视频的主要内容。"}, {"type": "input_video", "input_video": video}]
    async with serving_attachments(tmp_path) as house:
        response = await house.http.post(CHAT_PATH, json={"messages": [{"role": "user", "content": content}]})

    assert response.status_code == 200
    assert house.files == [file_of("video-1.mp4", mime, data)]


async def test_equal_files_are_one(tmp_path: Path, shared: Path) -> None:
    """By content, from whichever source and message; in the order of the first, and every reference finds its file."""
    async with serving_attachments(tmp_path, allowed_roots=[str(shared)]) as house:
        messages = [
            {"role": "user", "content": "One.", "images": [data_url(png()), data_url(JPEG)]},
            {"role": "assistant", "content": "Yes."},
            {"role": "user", "content": "Two.", "images": [str(shared / "a.gif"), str(shared / "a.png"), b64(JPEG)]},
            {"role": "user", "content": "Three.", "images": [str(shared / "a.gif")]},
        ]
        response = await house.http.post(CHAT_PATH, json={"messages": messages})

    assert response.status_code == 200
    assert [file.name for file in house.files] == ["image-1.png", "image-2.jpg", "a.gif"]
    (exchange,) = house.exchanges
    assert [[exchange.files[ref].filename for ref in message.attachments] for message in exchange.request.messages] == [
        ["image-1.png", "image-2.jpg"],
        [],
        ["a.gif", "image-1.png", "image-2.jpg"],
        ["a.gif"],
    ]


async def test_what_a_client_declares_is_corrected(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By the bytes; the log has the kinds, and nothing else of what the client said."""
    async with serving_attachments(tmp_path) as house:
        with caplog.at_level("INFO", "studiogate_attachments"):
            await house.chat({"data": data_url(png(), "image/jpeg"), "filename": "secret plans.jpg"})

    assert house.files == [file_of("secret plans.png", "image/png", png())]
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("studiogate_attachments")]
    assert logged == ["an attachment declared as image/jpeg is image/png, and goes as that"]


async def test_texts_are_what_they_are_declared_as(tmp_path: Path) -> None:
    """As nothing else tells a Markdown file from any other text."""
    text = b"# Title\n"
    async with serving_attachments(tmp_path) as house:
        await house.chat(data_url(text, "text/markdown"), {"data": b64(b"{}"), "mime_type": "application/json"},
                         {"data": data_url(b"plain"), "filename": "notes.md"})  # fmt: skip

    assert [(file.name, file.mime) for file in house.files] == [
        ("document-1.md", "text/markdown"),
        ("document-2.json", "application/json"),
        ("notes.md", "text/markdown"),
    ]


async def test_only_the_current_messages_files_on_request(tmp_path: Path) -> None:
    """The operator may leave those of the history out."""
    settings = {"only_collect_current_user_attachments": True}
    async with serving_attachments(tmp_path, gateway=settings) as house:
        messages = [
            {"role": "user", "content": "One.", "images": [data_url(png())]},
            {"role": "user", "content": "Two.", "images": [data_url(JPEG)]},
        ]
        await house.http.post(CHAT_PATH, json={"messages": messages})

    assert [file.name for file in house.files] == ["image-1.jpg"]


async def test_another_plugin_may_add_a_scheme(tmp_path: Path) -> None:
    """What it takes before us is its own, and the order of the request is kept."""

    class Buckets:
        @hookimpl
        async def resolve_attachments(
            self, refs: Sequence[AttachmentRef], workdir: Path
        ) -> Mapping[AttachmentRef, Attachment]:
            folder = workdir / "buckets"
            folder.mkdir()
            files: dict[AttachmentRef, Attachment] = {}
            for ref in refs:
                if ref.source.startswith("gs://"):
                    path = folder / ref.source.rpartition("/")[2]
                    size = path.write_bytes(JPEG)
                    files[ref] = Attachment(ref=ref, path=path, mime="image/jpeg", filename=path.name, size=size)
            return files

    async with serving_attachments(tmp_path, others={"buckets": Buckets}) as house:
        response = await house.chat(data_url(png()), "gs://bucket/b.jpg", data_url(FILES["a.gif"][0]))
        unknown = await house.chat("s3://bucket/a")

    assert response.status_code == 200
    assert [file.name for file in house.files] == ["image-1.png", "b.jpg", "image-2.gif"]
    assert unknown.status_code == 400
    assert unknown.json()["error"]["param"] == "attachments[0]"


async def test_files_are_there_while_the_answer_comes_and_gone_after_it(tmp_path: Path) -> None:
    """Readable by the gateway alone."""
    modes: list[str] = []

    async def looks(exchange: Exchange) -> AsyncGenerator[Event]:
        (file,) = exchange.attachments
        modes.extend(oct(path.stat().st_mode & 0o777) for path in (file.path, *list(file.path.parents)[:4]))
        yield TextDelta(text="A picture.")
        yield STOP

    async with serving_attachments(tmp_path, script=looks) as house:
        response = await house.chat(data_url(png()))
        left = house.left()

    assert response.status_code == 200
    assert modes == ["0o600", *["0o700"] * 4]
    assert left == []


async def test_a_client_that_leaves_leaves_nothing(tmp_path: Path) -> None:
    """Whether it waits for its slot or for its answer."""
    held = Held(first="")
    async with serving_attachments(tmp_path, script=held) as house:
        asking = asyncio.create_task(house.chat(data_url(png())))
        await held.begun.wait()
        there = house.left()
        asking.cancel()
        await held.closed.wait()
        await until(lambda: house.left() == [])

    assert any(path.endswith("/image-1.png") for path in there)


async def test_a_client_that_leaves_while_its_file_is_stored_leaves_nothing(tmp_path: Path) -> None:
    """The thread that stores it ends first."""
    async with serving_host() as host, serving_attachments(tmp_path, allowed_hosts=[f"127.0.0.1:{host.port}"]) as house:
        asking = asyncio.create_task(house.chat(data_url(png()), host.url("/never")))
        await until(lambda: bool(host.asked) and len(house.left()) > 1)
        asking.cancel()
        await until(lambda: house.left() == [])


@pytest.mark.parametrize("shape", ["image_url", "file", "attachments", "content object", "whole request"])
async def test_big_files_arrive_whole(shape: str, tmp_path: Path) -> None:
    """Also those that are never decoded as JSON, beside small ones."""
    big = png(more=random.Random(1).randbytes(3_000_000))
    source = data_url(big)
    async with serving_attachments(tmp_path) as house:
        if shape == "whole request":
            response = await house.chat(data_url(JPEG), source, b64(big + b"x"))
        else:
            messages = [{"role": "user", **SHAPES[shape](text)} for text in (data_url(JPEG), source, b64(big + b"x"))]
            response = await house.http.post(CHAT_PATH, json={"messages": messages})

    name = "a.png" if shape == "file" else ""
    assert response.status_code == 200
    assert house.files == [
        file_of("a.jpg" if name else "image-1.jpg", "image/jpeg", JPEG),
        file_of(name or "image-2.png", "image/png", big),
        file_of(name or "image-3.png", "image/png", big + b"x"),
    ]


async def test_nothing_as_big_as_a_file_stays_in_memory(tmp_path: Path) -> None:
    """While its answer comes, a request is what it says, and its files are on disk."""
    held = Held(first="")
    async with serving_attachments(tmp_path, script=held) as house:
        asking = asyncio.create_task(house.chat(data_url(png(more=bytes(3_000_000)))))
        await held.begun.wait()
        gc.collect()
        kept = [each.param for each in gc.get_objects() if isinstance(each, AttachmentRef) and each.data is not None]
        held.go.set()
        await asking

    assert kept == []
