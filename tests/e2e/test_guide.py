"""The guide's nine examples as written, against the demo: what its users type has to work."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from .house import Gateway, running_demo

GUIDE = Path(__file__).with_name("guide.md").read_text(encoding="utf-8")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = (
    bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300")
    + b"\x08" * 64
    + bytes.fromhex("ffc0000b080001000101011100ffd9")
)
MP4 = bytes.fromhex("000000206674797069736f6d0000020069736f6d69736f32617663316d703431") + b"\0" * 64

REFUSED = ("错误", "Error", "Traceback")
"""What the examples print where an answer isn't one."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder of the files that the examples name."""
    folder = tmp_path_factory.mktemp("files")
    for name, content in {
        "image.jpg": JPEG,
        "image2.png": PNG,
        "image3.jpg": JPEG + b"\0",
        "video.mp4": MP4,
    }.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Generator[Gateway]:
    """Run the demo, which may read those files."""
    allowed = {"STUDIOGATE_ATTACHMENTS_ALLOWED_ROOTS": str(files)}
    with running_demo(tmp_path_factory.mktemp("demo"), allowed) as gateway:
        yield gateway


def example(number: int, language: str = "python") -> list[str]:
    """Return the code of one example, block by block."""
    (text,) = re.findall(rf"^## Example {number}\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def adapted(code: str, demo: Gateway, files: Path) -> str:
    """Change what the guide tells its readers to change: address, key, paths of files."""
    changes = {
        "http://127.0.0.1:2048": demo.url,
        "your-api-key": "sk-guide-0123456789",
        "path/to/your/image.jpg": str(files / "image.jpg"),
        "path/to/image.jpg": str(files / "image.jpg"),
        "path/to/video.mp4": str(files / "video.mp4"),
        "/9j/4AAQ...": base64.b64encode(JPEG).decode(),
        "/Users/username/": f"{files}/",
        # The name of base64's option for a file on the author's system.
        "base64 -i ": "base64 -w 0 ",
    }
    for old, new in changes.items():
        code = code.replace(old, new)
    return code


def run(*command: str) -> str:
    """Run an example and return what it prints; fails where it fails."""
    environ = {**os.environ, "PYTHONUTF8": "1", "NO_PROXY": "*"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    assert not any(word in done.stdout for word in REFUSED), done.stdout
    return done.stdout


def printed(number: int, demo: Gateway, files: Path) -> str:
    """Run an example in Python and return what it prints."""
    (code,) = example(number)
    return run(sys.executable, "-c", adapted(code, demo, files))


def test_example_1_a_simple_conversation(demo: Gateway, files: Path) -> None:
    """System message, parameters and usage."""
    said = printed(1, demo, files)

    for told in (
        "**gemini-2.5-pro**",
        "Temperature: 0.7",
        "output tokens: 500",
        "你是一个有帮助的AI助手",
        "prompt_tokens",
    ):
        assert told in said


def test_example_2_a_stream(demo: Gateway, files: Path) -> None:
    """Every line of the stream is one that the example can read, up to its end."""
    said = printed(2, demo, files)

    assert "Temperature: 0.9" in said
    assert "流式输出完成" in said


def test_example_3_an_image(demo: Gateway, files: Path) -> None:
    """A data URL becomes a file in the page."""
    said = printed(3, demo, files)

    assert re.search(r"Files: \S+\.jpe?g", said)
    assert "请详细描述这张图片的内容" in said


def test_example_4_several_files(demo: Gateway, files: Path) -> None:
    """A data URL, a file URL and a path, in the content or beside it."""
    said = printed(4, demo, files)
    (code,) = example(4)
    other = adapted(code, demo, files).replace("json=data)", "json=data_alternative)", 1)
    beside = run(sys.executable, "-c", other)

    for told in (said, beside):
        assert re.search(r"Files: \S+\.jpe?g, image2\.png, image3\.jpg", told)


def test_example_5_advanced_parameters(demo: Gateway, files: Path) -> None:
    """Sampling, stop sequences, reasoning and seed; the reasoning is printed apart."""
    said = printed(5, demo, files)

    for told in ("Temperature: 0.5", "Top P: 0.9", "output tokens: 2000", "推理过程", "总计: "):
        assert told in said


def test_example_6_google_search(demo: Gateway, files: Path) -> None:
    """The model may search."""
    assert "Tools: google_search" in printed(6, demo, files)


def test_example_7_a_video(demo: Gateway, files: Path) -> None:
    """OpenAI's shape for audio, with a video in it."""
    assert re.search(r"Files: \S+\.mp4", printed(7, demo, files))


def test_example_8_the_official_client(demo: Gateway, files: Path) -> None:
    """Whole and streamed, with a model that is an alias now."""
    said = printed(8, demo, files)

    for told in ("Temperature: 0.7", "output tokens: 500", "Temperature: 0.9", "解释一下什么是机器学习"):
        assert told in said


def test_example_9_curl(demo: Gateway, files: Path) -> None:
    """Whole, streamed, and with an image."""
    whole, streamed, image = (run("bash", "-c", adapted(code, demo, files)) for code in example(9, "bash"))

    assert "Temperature: 0.7" in whole
    assert streamed.rstrip().endswith("data: [DONE]")
    assert re.search(r"Files: \S+\.jpe?g", image)
