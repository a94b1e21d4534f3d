"""What somebody who may ask the gateway could try: each is refused or made harmless, and nothing stays on disk."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.core.backends import Held, until

from .house import House, file_of, serving_attachments
from .samples import FILES, JPEG, OTHERS, SVG, b64, data_url, png, zipped
from .webhost import Host, serving_host

SECRET = b"the operator's secret"


@attrs.define
class Site:
    """A gateway that shares a folder and fetches from a host, with secrets all around."""

    house: House
    host: Host
    shared: Path

    async def refused(self, *attachments: Any) -> str:
        """Ask about attachments, which must be refused; return status, place and message."""
        response = await self.house.chat(*attachments)
        error = response.json()["error"]
        assert self.house.exchanges == []
        assert SECRET not in response.content
        assert str(self.shared.parent) not in response.text
        assert self.house.left() == []
        return f"{response.status_code} {error['param']}: {error['message']}"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """Serve."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "a.png").write_bytes(png())
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (shared / "link.txt").symlink_to(tmp_path / "secret.txt")
    (shared / "up").symlink_to(tmp_path)
    os.mkfifo(shared / "pipe")
    async with serving_host() as host:
        hosts = [f"127.0.0.1:{host.port}", f"localhost:{host.port}", "rebind.example"]
        settings: dict[str, Any] = {"allowed_roots": [str(shared)], "allowed_hosts": hosts, "max_file_bytes": 100_000}
        async with serving_attachments(tmp_path, **settings) as house:
            yield Site(house, host, shared)


async def test_paths_do_not_lead_out_of_the_shared_folders(site: Site) -> None:
    """Neither by `..`, nor by links, nor by whatever a path can be written as."""
    shared = site.shared
    tried = {
        f"{shared}/../secret.txt": "is in no folder",
        f"{shared}/link.txt": "is in no folder",
        f"{shared}/up/secret.txt": "is in no folder",
        f"file://{shared}/%2e%2e/secret.txt": "is in no folder",
        f"file://{shared}%2F..%2Fsecret.txt": "is in no folder",
        f"file://localhost{shared}/a.png": "names no host",
        f"file://127.0.0.1{shared}/a.png": "names no host",
        "file://localhost/etc/passwd": "names no host",
        "/etc/passwd": "is in no folder",
        "file:///etc/passwd": "is in no folder",
        "/proc/self/environ": "is in no folder",
        "file:///proc/self/environ": "is in no folder",
        "/dev/zero": "is in no folder",
        "/dev/stdin": "is in no folder",
        "//server/share/a.png": "is in no folder",
        f"{shared}/pipe": "no regular file",
        f"{shared}/": "no regular file",
        f"{shared}/a.png\0.txt": "no such file",
        f"{shared}/gone.png": "no such file",
        "\\\\server\\share\\a.png": "No plugin of this gateway takes such an attachment",
        "C:\\Windows\\win.ini": "No plugin of this gateway takes such an attachment",
        "~/.ssh/id_ed25519": "No plugin of this gateway takes such an attachment",
        "../secret.txt": "No plugin of this gateway takes such an attachment",
    }
    told = {source: await site.refused({"path": source}) for source in tried}

    assert {source: answer for source, answer in told.items() if tried[source] not in answer} == {}
    assert {answer.partition(":")[0] for answer in told.values()} == {"400 attachments[0]"}


async def test_nothing_is_read_or_fetched_unless_the_operator_says_so(tmp_path: Path) -> None:
    """By default requests bring their files themselves; the refusal says what an operator can do."""
    (tmp_path / "a.png").write_bytes(png())
    async with serving_host() as host, serving_attachments(tmp_path) as house:
        answers = [
            await house.chat(source)
            for source in (str(tmp_path / "a.png"), (tmp_path / "a.png").as_uri(), host.serve("/a", png()))
        ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert [re.findall(r"allowed_\w+", answer.text)[0] for answer in answers] == [
        *["allowed_roots"] * 2,
        "allowed_hosts",
    ]
    assert host.asked == []
    assert house.exchanges == []


async def test_web_addresses_do_not_lead_into_the_network(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither directly, nor by names, nor by redirects."""
    host = site.host
    real = asyncio.get_running_loop().getaddrinfo

    async def getaddrinfo(name: str, *arguments: Any, **options: Any) -> list[Any]:
        if name == "rebind.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
        return await real(name, *arguments, **options)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    host.serve("/secret", SECRET)
    tried = {
        "http://169.254.169.254/latest/meta-data/": "none that this gateway fetches",
        "http://127.0.0.1/": "none that this gateway fetches",
        "http://[::1]/": "none that this gateway fetches",
        "http://0x7f000001/": "none that this gateway fetches",
        f"http://127.0.0.1.:{host.port}@evil.example/": "no user name",
        host.url("/secret", "[::ffff:127.0.0.2]"): "none that this gateway fetches",
        "http://rebind.example/": "not public",
        host.redirect("/1", "http://169.254.169.254/"): "none that this gateway fetches",
        host.redirect("/2", "http://rebind.example/"): "not public",
        host.redirect("/3", "file:///etc/passwd"): "http: or https:",
        host.redirect("/4", "/4"): "redirects more than",
    }
    told = {url: await site.refused({"url": url}) for url in tried}

    assert {url: answer for url, answer in told.items() if tried[url] not in answer} == {}
    assert {answer.partition(":")[0] for answer in told.values()} == {"400 attachments[0]"}
    assert not any(head.startswith("GET /secret") for head in host.asked)


async def test_a_name_of_this_machine_is_not_public_by_its_name(tmp_path: Path) -> None:
    """Listing `localhost` is not listing 127.0.0.1."""
    async with serving_host() as host:
        hosts = [f"localhost:{host.port}", "127.0.0.1"]  # on the usual ports, that is
        async with serving_attachments(tmp_path, allowed_hosts=hosts) as house:
            response = await house.chat(host.url("/secret", "localhost"))

    assert response.status_code == 400
    assert "not public" in response.json()["error"]["message"]
    assert host.asked == []


async def test_data_that_is_none_is_refused(site: Site) -> None:
    """Wrong base64, other kinds than it takes, nothing at all."""
    tried = {
        "data:image/png;base64,%%%": "not base64",
        "data:image/png;base64,iVBORw0KGgo*": "not base64",
        "data:image/png;base64,AAAAA": "not base64",
        "data:image/png;base64,AA==AA==": "not base64",
        "data:image/png;base64,": "empty",
        "data:image/png": "comma",
        "hello world": "not taken",
        data_url(OTHERS["program"]): "not taken",
        data_url(OTHERS["gzip"]): "not taken",
        data_url(OTHERS["with NUL"], "text/plain"): "not taken",
    }
    told = {source: await site.refused(source) for source in tried}

    assert {source: answer for source, answer in told.items() if tried[source] not in answer} == {}
    assert {answer.partition(":")[0] for answer in told.values()} == {"400 attachments[0]"}


async def test_what_is_too_much_is_refused(site: Site) -> None:
    """By bytes, by what a file grows to when it is opened, and by number."""
    host = site.host
    (site.shared / "sparse").write_bytes(b"")
    os.truncate(site.shared / "sparse", 2**40)
    endless = b"200000\r\n" + bytes(2**21) + b"\r\n"
    tried = {
        data_url(bytes(100_001)): "at most 100000 bytes",
        f"data:text/plain,{'%20' * 100_001}": "at most 100000 bytes",
        f"data:text/plain,{'x' * 100_001}": "at most 100000 bytes",
        str(site.shared / "sparse"): "at most 100000 bytes",
        host.serve("/long", bytes(100_001)): "at most 100000 bytes",
        host.serve("/endless", endless, headers={"transfer-encoding": "chunked"}): "at most 100000 bytes",
        data_url(png(30_000, 30_000)): "more than 200 times its size",
        data_url(zipped(**{f"{number}": bytes(9_000_000) for number in range(8)})): "more than 200 times its size",
    }
    told = {source: await site.refused(source) for source in tried}
    many = await site.refused(*[data_url(png())] * 1000)

    assert {source[:40]: answer for source, answer in told.items() if tried[source] not in answer} == {}
    assert {answer.partition(":")[0] for answer in told.values()} == {"413 attachments[0]"}
    assert many == "413 attachments[100]: A request may have at most 100 files."


async def test_what_a_request_brings_together_is_bounded(tmp_path: Path) -> None:
    """Also when each file is small enough."""
    async with serving_attachments(tmp_path, max_request_bytes=250, max_files=3) as house:
        fits = await house.chat(*[data_url(b"x" * 80, "text/plain"), data_url(b"y" * 80, "text/plain")] * 1)
        much = await house.chat(*(data_url(bytes([65 + number]) * 100, "text/plain") for number in range(3)))
        many = await house.chat(*(data_url(bytes([65 + number]), "text/plain") for number in range(4)))
        left = house.left()

    assert fits.status_code == 200
    assert (much.status_code, many.status_code) == (413, 413)
    assert "250 bytes together" in much.json()["error"]["message"]
    assert left == []


async def test_programs_in_pictures_are_refused(site: Site) -> None:
    """Whatever the picture is called; the same as a text would only be read."""
    active = SVG.replace(b"/>", b"><script>alert(1)</script></svg>")
    entity = b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG
    answers = [
        await site.refused(data_url(active, "image/svg+xml")),
        await site.refused({"data": data_url(active, "text/plain"), "filename": "a.txt"}),
        await site.refused(data_url(entity, "image/svg+xml")),
    ]

    assert [re.findall(r"holds (.*), which", answer) for answer in answers] == [
        *[["<script>"]] * 2,
        ["an entity declaration"],
    ]


NAMES = {
    "../../etc/cron.d/a.png": "a.png",
    "/etc/passwd": "passwd.png",
    "a\0b.png": "ab.png",
    "a\nb.png": "ab.png",
    "a\u202egnp.exe": "agnp.exe.png",
    "\u2066a\u2069\u200f.png": "a.png",
    "x" * 300 + ".png": "x" * 251 + ".png",
    "..": "image-1.png",
    "a\\..\\b.png": "b.png",
    "-rf *.png": "-rf *.png",
    "$(id).png": "$(id).png",
}


async def test_names_are_made_harmless(site: Site) -> None:
    """No folder, no control, nothing hidden, at most 255 bytes; and the file is where it belongs."""
    seen: dict[str, str] = {}
    for name in NAMES:
        response = await site.house.chat({"data": data_url(png()), "filename": name})
        assert response.status_code == 200
        (file,) = site.house.files
        seen[name] = file.name

    assert seen == NAMES
    assert site.house.left() == []
    assert sorted(path.name for path in site.shared.iterdir()) == ["a.png", "link.txt", "pipe", "up"]


async def test_one_bad_file_spoils_all(site: Site) -> None:
    """Nothing goes on with half of what was asked about; the bad one is named."""
    told = await site.refused(data_url(png()), str(site.shared / "a.png"), "data:,\0", data_url(JPEG))

    assert told.startswith("400 attachments[2]: ")


async def test_bad_files_are_refused_before_they_wait(tmp_path: Path) -> None:
    """A full gateway says so at once."""
    held = Held(first="")
    async with serving_attachments(tmp_path, script=held, gateway={"slots": 1}) as house:
        running = asyncio.create_task(house.chat(data_url(png())))
        await held.begun.wait()
        response = await house.chat("/etc/passwd")
        held.go.set()
        await running

    assert response.status_code == 400


async def test_the_operators_files_are_as_they_were(site: Site) -> None:
    """What is shared is read and copied, never moved or removed."""
    before = {path: path.stat() for path in site.shared.glob("*.png")}
    response = await site.house.chat(str(site.shared / "a.png"))
    await until(lambda: site.house.left() == [])

    assert response.status_code == 200
    assert site.house.files == [file_of("a.png", "image/png", png())]
    assert {path: (now.st_ino, now.st_mtime, now.st_size) for path, now in ((p, p.stat()) for p in before)} == {
        path: (was.st_ino, was.st_mtime, was.st_size) for path, was in before.items()
    }


async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is nobody's mistake, and passes."""
    really = os.write

    def full(descriptor: int, data: bytes) -> int:
        if bytes(data[:4]) == b"%PDF":
            raise OSError(28, "No space left on device")
        return really(descriptor, data)

    async with serving_attachments(tmp_path) as house:
        monkeypatch.setattr(os, "write", full)
        response = await house.chat(b64(FILES["a.pdf"][0]))
        left = house.left()

    assert response.status_code == 503
    assert response.json()["error"]["message"] == "The gateway can't store the file: No space left on device."
    assert left == []
