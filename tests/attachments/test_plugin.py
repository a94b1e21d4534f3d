import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from studiogate.errors import ConfigurationError
from studiogate.plugins import PluginHost, installed_plugins
from studiogate_attachments import Attachments, AttachmentsSettings
from tests.core.backends import config

from .house import serving_attachments


def loaded(**settings: object) -> AttachmentsSettings:
    """Load the installed plugin with a table of plugins.toml."""
    made = attrs.evolve(config("attachments"), tables={"attachments": settings})
    return PluginHost(made, installed_plugins()).plugin(Attachments).options


def test_it_is_installed_and_shares_nothing_by_default() -> None:
    """Its name in plugins.toml is enough; what is read beyond the request itself is the operator's to say."""
    assert loaded() == AttachmentsSettings()
    assert (loaded().allowed_roots, loaded().allowed_hosts) == ((), ())


def test_its_settings_are_read_from_its_table() -> None:
    """Folders are relative to the file."""
    settings = loaded(allowed_roots=["pictures", "/srv"], allowed_hosts=["example.com"], max_files=3, fetch_s=1)

    assert settings == AttachmentsSettings(
        allowed_roots=(Path("/somewhere/pictures"), Path("/srv")),
        allowed_hosts=("example.com",),
        max_files=3,
        fetch_s=1.0,
    )


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"max_files": 0}, "max_files"),
        ({"max_file_bytes": -1}, "max_file_bytes"),
        ({"max_request_bytes": 1.5}, "max_request_bytes"),
        ({"max_decode_ratio": 0}, "max_decode_ratio"),
        ({"fetch_s": 0}, "fetch_s"),
        ({"max_redirects": 21}, "max_redirects"),
        ({"allowed_roots": "pictures"}, "allowed_roots"),
        ({"allowed_roots": [""]}, "allowed_roots"),
        ({"allowed_hosts": ["http://example.com"]}, "allowed_hosts"),
        ({"allowed_folders": []}, "allowed_folders"),
    ],
)
def test_a_wrong_setting_stops_the_start(table: dict[str, object], key: str) -> None:
    """The operator reads which."""
    with pytest.raises(ConfigurationError, match=key):
        loaded(**table)


async def test_a_shared_folder_that_is_not_there_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the log, by its place in the list; it may be mounted later."""
    (tmp_path / "there").mkdir()
    with caplog.at_level("WARNING", "studiogate_attachments"):
        async with serving_attachments(tmp_path, allowed_roots=[str(tmp_path / "there"), str(tmp_path / "gone")]):
            pass

    told = [record.getMessage() for record in caplog.records if record.name == "studiogate_attachments"]
    assert told == ["[attachments] allowed_roots[1] is no folder; nothing of it can be read"]


def test_what_takes_its_time_is_imported_late() -> None:
    """`studiogate --help` doesn't wait for an HTTP client and libmagic's rules."""
    code = "import sys, studiogate_attachments; print([m for m in ('httpx', 'pure_magic_rs') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


SERVES = """
import asyncio, sys
from pathlib import Path
from studiogate.config import Config
from studiogate.web.server import running_gateway

async def main():
    config = Config(path=Path("/plugins.toml"), plugins=("attachments",), tables={"gateway": {"port": 0}}, environ={})
    async with running_gateway(config):
        print(sorted({"httpx", "litestar", "pydantic"} & set(sys.modules)))

asyncio.run(main())
"""


def test_a_gateway_that_fetches_nothing_has_nothing_to_fetch_with() -> None:
    """Nor has it what its web framework would bring for packages that happen to be installed."""
    done = subprocess.run([sys.executable, "-c", SERVES], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['litestar']"
