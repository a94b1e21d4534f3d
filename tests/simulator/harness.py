"""A running simulator and the clients that talk to it."""

import asyncio
import base64
import hashlib
import json
import secrets
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from studiogate_simulator.hosts import DRIVE_HOSTS, PAGE_ORIGIN, RPC_HOST, SERVICE_PATH
from studiogate_simulator.proof import digest_of

END_S: Final = 10
UPLOADS: Final = "/upload/drive/v3/files"


@frozen(kw_only=True)
class Running:
    """A simulator process and what it said of itself."""

    process: subprocess.Popen[bytes]
    url: str
    port: int
    ca: Path
    storage_state: Path

    @property
    def cookie(self) -> str:
        """The signed-in account's cookie header."""
        cookies = json.loads(self.storage_state.read_text())["cookies"]
        return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)

    @property
    def spki(self) -> str:
        """The hash of the authority's key, as Chromium wants it."""
        key = x509.load_pem_x509_certificate(self.ca.read_bytes()).public_key()
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    @property
    def resolver_rules(self) -> str:
        """What leads Chromium here instead of to the played hosts."""
        return ", ".join(f"MAP {name}:443 127.0.0.1:{self.port}" for name in ("*.google.com", "*.googleapis.com"))

    def client(self, *, http2: bool = True, **headers: str) -> httpx.AsyncClient:
        """Make a client that trusts the simulator's authority and nothing else."""
        context = ssl.create_default_context(cafile=str(self.ca))
        return httpx.AsyncClient(base_url=self.url, verify=context, http2=http2, headers=headers, trust_env=False)

    def reset(self) -> None:
        """Forget scenarios, faults and log, and give the page its default options."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with httpx.Client(base_url=self.url, verify=context, trust_env=False) as client:
            client.delete("/__sim/scenarios").raise_for_status()
            client.delete("/__sim/log").raise_for_status()
            client.delete("/__sim/uploads").raise_for_status()
            client.delete("/__sim/page").raise_for_status()
            client.delete("/__sim/faults").raise_for_status()

    def rpc(self, *, http2: bool = True, **headers: str) -> httpx.AsyncClient:
        """Make a client that is signed in at the RPC host."""
        signed_in = {"host": RPC_HOST, "cookie": self.cookie, "origin": PAGE_ORIGIN} | headers
        return self.client(http2=http2, **signed_in)


@contextmanager
def running(*arguments: str) -> Generator[Running]:
    """Start a simulator, and end it by closing its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "studiogate_simulator", "--exit-on-stdin-eof", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        # Should it end before it is ready, this line is empty and the test fails here.
        said = json.loads(process.stdout.readline())
        yield Running(
            process=process,
            url=said["url"],
            port=said["port"],
            ca=Path(said["ca"]),
            storage_state=Path(said["storage_state"]),
        )
        process.stdin.close()
        process.wait(END_S)


async def until_logged(client: httpx.AsyncClient, key: str) -> dict[str, Any]:
    """Poll the log until its last record has a value."""
    async with asyncio.timeout(END_S):
        while True:
            records: list[dict[str, Any]] = (await client.get("/__sim/log")).json()
            if records and records[-1][key]:
                return records[-1]
            await asyncio.sleep(0.01)


def method(name: str) -> str:
    """Give the path of an RPC."""
    return SERVICE_PATH + name


def proof_for(contents: Any, *, nonce: bytes = b"") -> str:
    """Make a proof as the page does."""
    raw = digest_of(contents) + (nonce or secrets.token_bytes(16)) + bytes(560)
    return "!" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def generate_request(prompt: str, *, model: str = "gemini-2.5-pro", nonce: bytes = b"", **slots: Any) -> list[Any]:
    """Make a GenerateContent request; slots replace the contents, the config or the proof."""
    contents = slots.get("contents", [[[[None, prompt]], "user"]])
    config = slots.get("config", [None, None, None, 500, 0.5, 0.9, 64, *[None] * 6, 1, None, None, [1]])
    proof = slots.get("proof", proof_for(contents, nonce=nonce))
    return [f"models/{model}", contents, None, config, proof, None, None, None, None, None, 1]


@asynccontextmanager
async def drive_client(simulator: Running) -> AsyncGenerator[httpx.AsyncClient]:
    """Open a client of the Drive host that may upload."""
    async with simulator.rpc() as rpc:
        [token] = (await rpc.post(method("GenerateAccessToken"), content='["users/me"]')).json()
    async with simulator.client(host=DRIVE_HOSTS[0], origin=PAGE_ORIGIN, authorization=f"Bearer {token}") as client:
        yield client


async def upload(drive: httpx.AsyncClient, content: bytes, *, name: str, mime: str) -> httpx.Response:
    """Upload a file as the page does; gives the answer with its id."""
    announced = {"x-upload-content-length": str(len(content)), "x-upload-content-type": mime}
    opened = await drive.post(f"{UPLOADS}?uploadType=resumable", json={"name": name}, headers=announced)
    assert opened.status_code == 200
    return await drive.put(httpx.URL(opened.headers["location"]).raw_path.decode(), content=content)


def frames_of(body: bytes) -> list[Any]:
    """Read the frames of a whole answer."""
    frames: list[Any] = json.loads(body)[0]
    return frames


def text_of(frames: list[Any]) -> str:
    """Join the answer text of frames, thoughts left out."""
    parts = [part for frame in frames if frame[0] for part in frame[0][0][0][0]]
    return "".join(part[1] for part in parts if len(part) > 1 and part[1] and (len(part) <= 12 or part[12] is None))
