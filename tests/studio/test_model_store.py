import json
import logging
from pathlib import Path
from typing import Any

import pytest

from studiogate.models import Model, Thinking
from studiogate_studio.model_listener import ModelListener
from studiogate_studio.model_store import FORMAT, ModelStore

MODELS = (
    Model(
        id="gemini-2.5-pro",
        display_name="Gemini 2.5 Pro",
        description="Grüße, 世界.",
        input_token_limit=1048576,
        output_token_limit=65536,
        default_temperature=1.0,
        default_top_p=0.95,
        default_top_k=64,
        thinking=Thinking(min_budget=128, max_budget=32768, default_budget=8192),
    ),
    Model(id="gemini-3", display_name="Gemini 3", thinking=Thinking(levels=("low", "high"), default_level="high")),
    Model(id="latest", display_name="Latest", target="gemini-3"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the models go; the folders are missing."""
    return tmp_path / "state" / "studio" / "models.json"


def test_what_is_saved_is_loaded(path: Path) -> None:
    """Every field, in order."""
    ModelStore(path).save(MODELS)

    assert ModelStore(path).load() == MODELS
    assert ModelListener(ModelStore(path)).models == MODELS


def test_nothing_is_loaded_from_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first start has no list, which is nothing to warn of."""
    assert ModelStore(path).load() == ModelListener(ModelStore(path)).models == ()
    assert not caplog.records


def test_the_file_is_its_owners_only(path: Path) -> None:
    """Which models an account may use is nobody else's business; nothing is left beside it."""
    ModelStore(path).save(MODELS)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_an_open_folder_is_closed(path: Path) -> None:
    """Whoever made it."""
    path.parent.mkdir(parents=True, mode=0o755)
    ModelStore(path).save(MODELS)

    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_changed_list_replaces_the_file(path: Path) -> None:
    """Whole, by another file: who reads meanwhile reads the one or the other."""
    store = ModelStore(path)
    store.save(MODELS)
    before = path.stat().st_ino
    store.save(MODELS[:1])

    assert path.stat().st_ino != before
    assert ModelStore(path).load() == MODELS[:1]


def test_an_unchanged_list_is_not_written(path: Path) -> None:
    """Nor one that was loaded and is told again."""
    ModelStore(path).save(MODELS)
    before = path.stat()
    again = ModelStore(path)
    again.save(again.load())

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        json.dumps({"format": FORMAT}).encode(),
        json.dumps({"format": FORMAT + 1, "models": []}).encode(),
        json.dumps({"format": FORMAT, "models": {}}).encode(),
        json.dumps({"format": FORMAT, "models": [{"id": "a"}]}).encode(),
        json.dumps({"format": FORMAT, "models": [{"id": "a", "display_name": 7}]}).encode(),
        json.dumps({"format": FORMAT, "models": [{"id": "a", "display_name": "A", "colour": "red"}]}).encode(),
        json.dumps({"format": FORMAT, "models": [{"id": "a", "display_name": "A", "thinking": [1]}]}).encode(),
    ],
)
def test_a_damaged_or_outdated_file_is_ignored_and_replaced(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning, no stop; the next list is as good as the first."""
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    store = ModelStore(path)

    assert store.load() == ()
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "the saved list of models is damaged or of another version; it is ignored")
    ]
    store.save(MODELS)
    assert ModelStore(path).load() == MODELS


def test_a_file_that_cant_be_read_or_written_is_no_reason_to_fail(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The models of this run are known all the same; the log names no folder of the server."""
    path.mkdir(parents=True)
    store = ModelStore(path)

    assert store.load() == ()
    store.save(MODELS)
    assert [record.message for record in caplog.records] == [
        "the saved list of models can't be read: Is a directory",
        "the list of models can't be saved: Is a directory",
    ]
    assert list(path.parent.iterdir()) == [path]


def test_what_could_not_be_written_is_tried_again(path: Path) -> None:
    """A full disk may have room later."""
    path.mkdir(parents=True)
    store = ModelStore(path)
    store.save(MODELS)
    path.rmdir()
    store.save(MODELS)

    assert ModelStore(path).load() == MODELS


def test_the_file_says_its_format(path: Path) -> None:
    """So that another version can tell."""
    ModelStore(path).save(MODELS[2:])
    content: Any = json.loads(path.read_text())

    assert content["format"] == FORMAT
    assert content["models"][0]["id"] == "latest"
