"""The page host and the accounts host: HTML, the page's own scripts, and the redirect between the two."""

import json
import mimetypes
from importlib import resources
from string import Template
from typing import Final
from urllib.parse import parse_qs, urlencode

from attrs import frozen
from litestar.types import HTTPScope, Send

from studiogate_simulator import http
from studiogate_simulator.account import is_signed_in, signing_in_cookies
from studiogate_simulator.fault_pages import faulty_page, load_options
from studiogate_simulator.hosts import ACCOUNTS_HOST, DRIVE_HOSTS, PAGE_ORIGIN, RPC_HOST
from studiogate_simulator.http import Header
from studiogate_simulator.page_options import for_page, settled
from studiogate_simulator.simulation import Simulation

_ASSETS: Final = "/static/"
_ERROR_REPORTS: Final = "/_/MakerSuite/jserror"
_SIGN_IN: Final = "/ServiceLogin"
_ENTRIES: Final = ("/prompts/", "/app/prompts/")
_SERVICES: Final = " ".join(f"https://{host}" for host in (RPC_HOST, *DRIVE_HOSTS))
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; "
    "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src blob:; "
    f"connect-src 'self' {_SERVICES}"
)
_TRUSTED_TYPES: Final = "; require-trusted-types-for 'script'; trusted-types 'none'"


@frozen(kw_only=True)
class _Answer:
    status: int
    headers: list[Header]
    body: bytes = b""


async def serve_page(simulation: Simulation, scope: HTTPScope, send: Send) -> None:
    """Answer one request to the page host."""
    answer = _page(simulation, scope)
    await http.respond(send, answer.status, [*answer.headers, (b"x-content-type-options", b"nosniff")], answer.body)


async def serve_accounts(simulation: Simulation, scope: HTTPScope, send: Send) -> None:
    """Answer one request to the accounts host: the sign-in form, which signs in whoever fills it in.

    Chromium itself asks this host, by POST too, which accounts there are; that signs nobody in.
    """
    if scope["method"] == "POST" and scope["path"] != _SIGN_IN:
        answer = _Answer(status=404, headers=[_type("text/plain")], body=b"The requested URL was not found.")
    elif scope["method"] == "POST":
        simulation.faults.end("signed_out")
        answer = _signed_in(parse_qs(scope["query_string"].decode("latin-1")).get("continue", [""])[0])
    else:
        status = 200 if scope["path"] != "/favicon.ico" else 404
        answer = _Answer(status=status, headers=[_type("text/html")], body=_read("sign_in.html"))
    await http.respond(send, answer.status, answer.headers, answer.body)


def _signed_in(target: str) -> _Answer:
    """Lead back to the page with the account's cookies; to nowhere else."""
    location = target if target.startswith(f"{PAGE_ORIGIN}/") else f"{PAGE_ORIGIN}/"
    cookies = [(b"set-cookie", cookie.encode()) for cookie in signing_in_cookies()]
    return _Answer(status=303, headers=[(b"location", location.encode()), *cookies])


def _page(simulation: Simulation, scope: HTTPScope) -> _Answer:
    path = scope["path"]
    if path.startswith(_ASSETS):
        return _asset(path.removeprefix(_ASSETS))
    if path in {"/favicon.ico", _ERROR_REPORTS}:
        return _Answer(status=204, headers=[])
    enters = path.startswith(_ENTRIES)
    # Whoever is signed out only for a while is so for pages alone: what else is fetched does not count.
    signed_out = enters and simulation.faults.take_one("signed_out") is not None
    if signed_out or not is_signed_in(http.read_headers(scope)):
        query = scope["query_string"].decode("latin-1")
        target = urlencode({"continue": PAGE_ORIGIN + path + (f"?{query}" if query else ""), "service": "aistudio"})
        return _redirect(f"https://{ACCOUNTS_HOST}{_SIGN_IN}?{target}")
    if path in {"/", "/app", "/app/"}:
        return _redirect("/prompts/new_chat")
    if not enters:
        return _Answer(status=404, headers=[_type("text/plain")], body=b"The requested URL was not found.")
    if faulty := faulty_page(simulation.faults):
        return _Answer(status=faulty.status, headers=[_type("text/html")], body=faulty.body)
    return _document(simulation)


def _document(simulation: Simulation) -> _Answer:
    chosen = settled(simulation.page, simulation.generation)
    options = {
        **load_options(simulation.faults, simulation.hydration_ms),
        "rpcHost": RPC_HOST,
        "driveHost": DRIVE_HOSTS[0],
        "visitId": simulation.visits.open(str(chosen.generation)),
        **for_page(chosen),
    }
    # In a script element only `<` could end the data early.
    data = json.dumps(options).replace("<", "\\u003c")
    document = Template(_read("index.html").decode()).substitute(options=data, lang=chosen.lang)
    policy = _POLICY + (_TRUSTED_TYPES if chosen.trusted_types else "")
    return _Answer(
        status=200,
        headers=[
            _type("text/html"),
            (b"content-security-policy", policy.encode()),
            (b"cache-control", b"no-store"),
        ],
        body=document.encode(),
    )


def _asset(name: str) -> _Answer:
    asset = resources.files("studiogate_simulator") / "web" / name
    if "/" in name or name.startswith(".") or name.endswith(".html") or not asset.is_file():
        return _Answer(status=404, headers=[_type("text/plain")], body=b"no such asset")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _Answer(
        status=200, headers=[_type(kind), (b"cache-control", b"private, max-age=3600")], body=asset.read_bytes()
    )


def _redirect(target: str) -> _Answer:
    return _Answer(status=302, headers=[(b"location", target.encode())])


def _type(kind: str) -> Header:
    return b"content-type", f"{kind}; charset=utf-8".encode()


def _read(name: str) -> bytes:
    return (resources.files("studiogate_simulator") / "web" / name).read_bytes()
