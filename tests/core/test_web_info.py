"""`GET /api/info` and `GET /` over HTTP."""

import base64
import hashlib
import json
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from studiogate import hookimpl
from studiogate.health import Health

from .backends import Held, asked, backend, says, serving, until

MODEL = "test-model"
ANSWERS = backend(says("x"), MODEL)
KEY = "sk-first-key-1234"


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    """Make a file of one key."""
    path = tmp_path / "key.txt"
    path.touch(0o600)
    path.write_text(f"{KEY}\n")
    return str(path)


@attrs.define
class Page(HTMLParser):
    """Read a page: its text, its tags, its links."""

    text: str = ""
    style: str = ""
    tags: list[str] = attrs.field(factory=list[str])
    links: list[str] = attrs.field(factory=list[str])

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self.tags[-1:] == ["style"] and not self.style:
            self.style = data
        else:
            self.text += data


def read(answer: httpx.Response) -> Page:
    """Read an answer's page."""
    page = Page()
    page.feed(answer.text)
    page.close()
    return page


async def test_info_tells_all_that_a_client_needs() -> None:
    """No field is missing, and the addresses are those by which the client came."""
    async with serving({"a": ANSWERS, "b": backend(says("y"))}) as served:
        answer = await served.http.get("/api/info")

    info: dict[str, Any] = answer.json()
    endpoints = info.pop("endpoints")
    assert answer.status_code == 200
    assert info.pop("version").count(".") == 2
    assert info == {
        "name": "studiogate",
        "message": "No API key is needed.",
        "openai_compatible": True,
        "server_base_url": served.url,
        "api_base_url": f"{served.url}/v1",
        "api_key_required": False,
        "auth_header": "Authorization: Bearer <key>",
        "supported_auth_methods": ["Authorization: Bearer", "X-API-Key"],
        "model_name": MODEL,
        "backends": ["a", "b"],
        "defaults": {
            "temperature": 1.0,
            "top_p": 0.95,
            "max_output_tokens": 8192,
            "stop": [],
            "reasoning_effort": None,
            "seed": None,
        },
    }
    assert {
        "GET /",
        "GET /api/info",
        "GET /health",
        "GET /openapi.json",
        "GET /v1/models",
        "GET /v1/models/{model_id}",
        "GET /v1/queue",
        "POST /v1/cancel/{req_id}",
        "POST /v1/chat/completions",
    } <= {f"{each['method']} {each['path']}" for each in endpoints}
    assert all(each["description"].endswith(".") for each in endpoints)


async def test_info_says_whether_a_key_is_needed(keys_file: str) -> None:
    """To everybody, also to who has none; never which."""
    async with serving({"a": ANSWERS}, keys_file=keys_file) as served:
        answer = await served.http.get("/api/info")

    assert answer.status_code == 200
    assert answer.json()["api_key_required"] is True
    assert answer.json()["message"] == "Chats need an API key."
    assert KEY[:6] not in answer.text


async def test_while_no_model_is_known_there_is_no_default() -> None:
    """The operator's stands; else it is null until a plugin lists one."""
    async with serving({"a": backend(says("x"))}) as served:
        unknown = (await served.http.get("/api/info")).json()
    async with serving({"a": backend(says("x"))}, default_model="mine") as served:
        chosen = (await served.http.get("/api/info")).json()

    assert (unknown["model_name"], chosen["model_name"]) == (None, "mine")


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"host": "localhost:99"}, "http://localhost:99"),
        ({"host": "ai.example"}, "http://ai.example"),
        ({"host": "[::1]:2048"}, "http://[::1]:2048"),
        ({"host": "ai.example", "x-forwarded-proto": "https"}, "https://ai.example"),
        ({"host": "ai.example", "x-forwarded-proto": "HTTPS, http"}, "https://ai.example"),
        ({"host": "ai.example", "x-forwarded-proto": "javascript"}, "http://ai.example"),
        ({"host": "user@evil.example"}, None),
        ({"host": ""}, None),
    ],
)
async def test_the_address_is_the_one_the_client_sees(headers: dict[str, str], address: str | None) -> None:
    """Also behind a proxy that speaks TLS; a host that can't be one is replaced by the address listened on."""
    async with serving({"a": ANSWERS}, insecure=True) as served:
        info = (await served.http.get("/api/info", headers=headers)).json()

    assert info["server_base_url"] == (address or served.url)
    assert info["api_base_url"] == f"{info['server_base_url']}/v1"


async def test_the_page_says_that_it_is_ready() -> None:
    """Name, version, state, queue, backends and model, for a person with a browser."""
    held = Held()
    async with serving({"one": backend(held, MODEL), "two": ANSWERS}, slots=1) as served, asked(served):
        await held.begun.wait()
        async with asked(served):
            await until(lambda: len(served.gateway.queue.waiting) == 1)
            answer = await served.http.get("/")

    text = read(answer).text
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for words in ("studiogate", "Ready.", "1 of 1 slots in use, 1 waiting", "one, two", MODEL, f"{served.url}/v1"):
        assert words in text


async def test_the_page_says_why_it_is_not() -> None:
    """With what to do; the page itself is there all the same."""

    @hookimpl
    def health(_: object) -> Health:
        return Health(ready=False, status="signed out", advice="Sign in.")

    async with serving({"a": type("Ill", (backend(says("x")),), {"health": health})}) as served:
        answer = await served.http.get("/")

    text = read(answer).text
    assert answer.status_code == 200
    assert "No backend can answer. a: signed out. Sign in." in text
    assert "none yet" in text


async def test_the_page_needs_and_allows_nothing_but_itself() -> None:
    """No script, no picture, nothing from elsewhere; its one style is the one that its policy names."""
    async with serving({"a": ANSWERS}) as served:
        answer = await served.http.get("/")

    page = read(answer)
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"].split("; ")
    assert not {"script", "img", "link", "iframe", "form"} & set(page.tags)
    assert not [link for link in page.links if ":" in link or link.startswith("/")]
    assert {"default-src 'none'", f"style-src 'sha256-{digest}'", "frame-ancestors 'none'"} <= set(policy)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_links_to_what_tells_more() -> None:
    """Every link leads somewhere, relative to wherever a proxy has put the page."""
    async with serving({"a": ANSWERS}) as served:
        links = read(await served.http.get("/")).links
        statuses = {link: (await served.http.get(f"/{link}")).status_code for link in links}

    assert statuses == dict.fromkeys(("health", "v1/models", "v1/queue", "api/info", "openapi.json"), 200)


async def test_nothing_on_the_page_can_be_mistaken_for_markup() -> None:
    """What plugins, operators and clients word is text, wherever it stands."""

    @hookimpl
    def health(_: object) -> Health:
        return Health(ready=False, status="<b>$state</b>", advice="<script>alert(1)</script>&amp;")

    evil = "\"><img src=x onerror=alert(1)>'"
    plugins = {"a": type("Ill", (backend(says("x"), evil),), {"health": health})}
    async with serving(plugins) as served:
        answer = await served.http.get("/")

    page = read(answer)
    assert not {"b", "script", "img"} & set(page.tags)
    assert "a: <b>$state</b>. <script>alert(1)</script>&amp;" in page.text
    assert evil in page.text


@pytest.mark.parametrize("model", ["test-model", 'it\'s "quoted" \\ $HOME `id`'])
async def test_the_example_is_a_request_that_works(model: str, keys_file: str) -> None:
    """Copied into a shell, with a key put in, it asks for an answer."""
    async with serving({"a": backend(says("Hello"), model)}, keys_file=keys_file) as served:
        text = read(await served.http.get("/")).text
        example = text[text.index("curl ") : text.index("Look further")].strip()
        # A shell drops an escaped end of line; shlex doesn't.
        _, url, *options = shlex.split(example.replace("<key>", KEY).replace("\\\n", ""))
        headers = dict(each.split(": ") for each in options[1:4:2])
        answer = await served.http.post(url, headers=headers, content=options[5].encode())

    assert options[0:5:2] == ["-H", "-H", "-d"]
    assert json.loads(options[5])["model"] == model
    assert answer.json()["choices"][0]["message"]["content"] == "Hello"
