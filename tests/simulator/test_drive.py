import asyncio

import httpx
import pytest

from studiogate_simulator.hosts import DRIVE_HOSTS, PAGE_ORIGIN

from .harness import UPLOADS, Running, drive_client, upload


async def test_an_upload(simulator: Running) -> None:
    """A session's address is readable for the page, and its bytes are answered with an id."""
    async with drive_client(simulator) as drive:
        opened = await drive.post(f"{UPLOADS}?uploadType=resumable", json={"name": "a.txt"})
        answer = await upload(drive, b"text", name="a.txt", mime="text/plain")

    assert opened.headers["location"].startswith(f"https://{DRIVE_HOSTS[0]}{UPLOADS}?uploadType=resumable&upload_id=")
    assert "Location" in opened.headers["access-control-expose-headers"]
    assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
    assert answer.json() | {"id": "1"} == {
        "kind": "drive#file",
        "id": "1",
        "name": "a.txt",
        "mimeType": "text/plain",
    }


async def test_large_uploads_side_by_side(simulator: Running) -> None:
    """Files of many megabytes pass, several at once, each under an id of its own."""
    async with drive_client(simulator) as drive:
        contents = [bytes([number]) * 20_000_000 for number in range(3)]
        answers = await asyncio.gather(
            *(upload(drive, content, name=f"{content[0]}", mime="video/mp4") for content in contents)
        )

    assert [answer.json()["name"] for answer in answers] == ["0", "1", "2"]
    assert len({answer.json()["id"] for answer in answers}) == 3


@pytest.mark.parametrize("host", DRIVE_HOSTS)
async def test_preflight(simulator: Running, host: str) -> None:
    """The page may upload to either host."""
    asked = {"origin": PAGE_ORIGIN, "access-control-request-headers": "authorization"}
    async with simulator.client(host=host) as client:
        answer = await client.options(UPLOADS, headers=asked)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-headers"] == "authorization"


@pytest.mark.parametrize(
    ("method", "address", "changed", "status"),
    [
        ("POST", f"{UPLOADS}?uploadType=resumable", {"authorization": "Bearer ya29.other"}, 401),
        ("POST", f"{UPLOADS}?uploadType=multipart", {}, 404),
        ("POST", "/drive/v3/files?uploadType=resumable", {}, 404),
        ("PUT", f"{UPLOADS}?uploadType=resumable&upload_id=nobody", {}, 404),
        ("PUT", f"{UPLOADS}?uploadType=resumable", {}, 404),
    ],
)
async def test_refusals(simulator: Running, method: str, address: str, changed: dict[str, str], status: int) -> None:
    """Who shows no token, or asks for something else, gets an error body."""
    async with drive_client(simulator) as drive:
        answer = await drive.request(method, address, json={}, headers=changed)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_metadata_is_an_object(simulator: Running, body: bytes) -> None:
    """A session without metadata is a bad request."""
    async with drive_client(simulator) as drive:
        answer = await drive.post(f"{UPLOADS}?uploadType=resumable", content=body)

    assert answer.status_code == 400


async def test_an_upload_of_another_size(simulator: Running) -> None:
    """Bytes that are not those announced are refused, and the session stays open."""
    async with drive_client(simulator) as drive:
        announced = {"x-upload-content-length": "4"}
        opened = await drive.post(f"{UPLOADS}?uploadType=resumable", json={"name": "a"}, headers=announced)
        address = httpx.URL(opened.headers["location"]).raw_path.decode()
        answers = [await drive.put(address, content=content) for content in (b"tex", b"text")]

    assert [answer.status_code for answer in answers] == [400, 200]
