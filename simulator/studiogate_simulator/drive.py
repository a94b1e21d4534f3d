"""The Drive hosts: resumable uploads. Of a file its name, type, size and hash are kept, not its bytes.

`POST /upload/drive/v3/files?uploadType=resumable` with the metadata opens a session, whose address is in Location; a
`PUT` there brings all bytes at once and is answered with the file's id, which a prompt then names.
"""

import hashlib
import secrets
from typing import Final
from urllib.parse import parse_qs

from attrs import Factory, define, frozen
from litestar.types import HTTPScope, Receive, Send

from studiogate_simulator import cors, http
from studiogate_simulator.files import ReceivedFile
from studiogate_simulator.http import Header, Request
from studiogate_simulator.jspb import Json, decode, encode

APP_FOLDER: Final = "1SimulatedAppFolder00000000000000"
"""The folder that GetAppFolder names."""

_PATH: Final = "/upload/drive/v3/files"
_ID_BYTES: Final = 24
"""Make an id of 33 characters, with its leading 1."""


@frozen(kw_only=True)
class _Session:
    name: str
    mime: str
    size: int | None
    """In bytes, when it was announced."""


@define
class Drive:
    """The account's uploaded files, and those that are on their way."""

    token: str = Factory(lambda: f"ya29.{secrets.token_urlsafe(_ID_BYTES)}")
    """What GenerateAccessToken gives, and what an upload has to show."""

    _sessions: dict[str, _Session] = Factory(dict[str, _Session])
    _files: dict[str, ReceivedFile] = Factory(dict[str, ReceivedFile])

    def find(self, file_id: str) -> ReceivedFile | None:
        """Find an uploaded file."""
        return self._files.get(file_id)

    def begin(self, session: _Session) -> str:
        """Open a session and give its id."""
        upload_id = secrets.token_urlsafe(_ID_BYTES)
        self._sessions[upload_id] = session
        return upload_id

    def session(self, upload_id: str) -> _Session | None:
        """Find a session."""
        return self._sessions.get(upload_id)

    def keep(self, upload_id: str, file: ReceivedFile) -> str:
        """End a session with its file, and give the file's id."""
        self._sessions.pop(upload_id, None)
        file_id = f"1{secrets.token_urlsafe(_ID_BYTES)}"
        self._files[file_id] = file
        return file_id


class _Refused(Exception):  # noqa: N818 - a verdict on the call
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def serve_drive(drive: Drive, scope: HTTPScope, receive: Receive, send: Send) -> None:
    """Answer one request to a Drive host."""
    head = http.read_head(scope)
    allowed = cors.allow(head)
    if head.method == "OPTIONS":
        await http.respond(send, 200, [*allowed, *cors.preflight(head)], b"")
        return
    extra: list[Header] = []
    answer: Json
    try:
        status = 200
        extra, answer = await _answer(drive, head, receive)
    except _Refused as refused:
        status = refused.status
        answer = {"error": {"code": refused.status, "message": refused.message}}
    headers = [*allowed, *extra, (b"content-type", b"application/json; charset=UTF-8")]
    await http.respond(send, status, headers, encode(answer))


async def _answer(drive: Drive, head: Request, receive: Receive) -> tuple[list[Header], Json]:
    query = {name: values[-1] for name, values in parse_qs(head.query).items()}
    if head.path != _PATH or query.get("uploadType") != "resumable":
        raise _Refused(404, "Not Found")
    if head.headers.get("authorization") != f"Bearer {drive.token}":
        raise _Refused(401, "Invalid Credentials")
    match head.method, query.get("upload_id"):
        case "POST", None:
            upload_id = drive.begin(_read_session(head, await http.read_body(receive)))
            location = f"https://{head.headers['host']}{_PATH}?uploadType=resumable&upload_id={upload_id}"
            exposed = (b"access-control-expose-headers", b"Location, X-GUploader-UploadID")
            return [exposed, (b"location", location.encode())], None
        case "PUT", str(upload_id):
            return [], await _take(drive, upload_id, receive)
        case _:
            raise _Refused(404, "Not Found")


def _read_session(head: Request, body: bytes) -> _Session:
    try:
        metadata = decode(body)
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict):
        raise _Refused(400, "Bad Request")
    announced = head.headers.get("x-upload-content-length", "")
    mime = head.headers.get("x-upload-content-type") or metadata.get("mimeType") or "application/octet-stream"
    return _Session(
        name=str(metadata.get("name", "Untitled")), mime=str(mime), size=int(announced) if announced.isdigit() else None
    )


async def _take(drive: Drive, upload_id: str, receive: Receive) -> Json:
    session = drive.session(upload_id)
    if session is None:
        raise _Refused(404, "No upload session")
    digest, size = hashlib.sha256(), 0
    async for chunk in http.stream_body(receive):
        digest.update(chunk)
        size += len(chunk)
    if session.size is not None and size != session.size:
        raise _Refused(400, f"Expected {session.size} bytes, got {size}")
    file = ReceivedFile(name=session.name, mime=session.mime, size=size, sha256=digest.hexdigest())
    file_id = drive.keep(upload_id, file)
    return {"kind": "drive#file", "id": file_id, "name": file.name, "mimeType": file.mime}
