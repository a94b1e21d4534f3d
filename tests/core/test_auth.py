"""Keys over HTTP: the real application under the real server, asked with right, wrong and no keys."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import openai
import pytest

from studiogate import ConfigurationError
from studiogate.exchange import Caller

from .backends import CHAT_PATH, HELLO, Held, Script, Served, backend, says, serving

KEY = "sk-first-key-1234"
OTHER = "sk-second-key-5678"
MASKED = "sk-f****1234"


@attrs.frozen
class KeyFile:
    """A file of keys that a test changes while a gateway reads it."""

    path: Path

    def holds(self, *lines: str) -> None:
        """Write it anew."""
        self.path.write_text("".join(f"{line}\n" for line in lines))

    def vanishes(self) -> None:
        """Remove it."""
        self.path.unlink()


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    """Make a file of two keys."""
    made = KeyFile(tmp_path / "key.txt")
    made.holds("# mine", KEY, "", OTHER)
    made.path.chmod(0o600)
    return made


@asynccontextmanager
async def guarded(keys: KeyFile, script: Script | None = None, **gateway: Any) -> AsyncGenerator[Served]:
    """Serve a gateway with a file of keys."""
    async with serving({"a": backend(script or says("Hello"))}, keys_file=str(keys.path), **gateway) as served:
        yield served


async def test_the_official_client_gets_an_answer_with_a_key(keys: KeyFile) -> None:
    """Every key of the file is as good as the others."""
    async with guarded(keys) as served:
        for key in (KEY, OTHER):
            completions = served.openai.with_options(api_key=key).chat.completions
            answer = await completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])

            assert answer.choices[0].message.content == "Hello"


async def test_the_official_client_is_told_of_a_wrong_key(keys: KeyFile) -> None:
    """Its own exception for it, with OpenAI's code."""
    async with guarded(keys) as served:
        with pytest.raises(openai.AuthenticationError, match="Invalid API key") as refusal:
            await served.openai.with_options(api_key="sk-wrong-key-0000").chat.completions.create(**HELLO)

    assert (refusal.value.status_code, refusal.value.code) == (401, "invalid_api_key")


async def test_a_missing_key_is_asked_for(keys: KeyFile) -> None:
    """The answer says how to send one, in a body like any other error's."""
    async with guarded(keys) as served:
        refusal = await served.chat()

    message = "This gateway asks for an API key. Send it as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'."
    assert refusal.status_code == 401
    assert refusal.headers["www-authenticate"] == "Bearer"
    assert refusal.json() == {
        "error": {"message": message, "type": "authentication_error", "param": None, "code": "invalid_api_key"},
        "detail": message,
    }


async def test_the_exchange_knows_its_caller(keys: KeyFile) -> None:
    """Masked, for logs, and told apart, for a fair queue."""
    held = Held()
    held.go.set()
    async with guarded(keys, held) as served:
        for key in (KEY, OTHER, KEY):
            await served.http.post(CHAT_PATH, json=HELLO, headers={"x-api-key": key})
    first, other, again = (exchange.caller for exchange in held.exchanges)

    assert first.key == MASKED
    assert first == again
    assert first.id != other.id
    assert KEY not in str(first)


async def test_without_keys_nobody_is_asked(tmp_path: Path) -> None:
    """No file, or one without keys: whatever key a client sends is fine."""
    held = Held()
    held.go.set()
    missing, empty = KeyFile(tmp_path / "missing.txt"), KeyFile(tmp_path / "empty.txt")
    empty.holds("# none yet")
    for keys in (missing, empty):
        async with guarded(keys, held) as served:
            assert (await served.chat()).status_code == 200
            await served.openai.chat.completions.create(**HELLO)

    assert {exchange.caller for exchange in held.exchanges} == {Caller()}


async def asked(served: Served, *headers: tuple[str, str | bytes]) -> httpx.Response:
    """Ask for a completion with just these headers more, which may be repeated and hold any bytes."""
    encoded = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers]
    return await served.http.post(CHAT_PATH, json=HELLO, headers=encoded)


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", f"Bearer {KEY}")],
        [("authorization", f"bearer {KEY}")],
        [("AUTHORIZATION", f"BEARER   {KEY}")],
        [("x-api-key", KEY)],
        [("authorization", f"Bearer {KEY}"), ("x-api-key", "wrong-key")],
        [("authorization", "Bearer wrong-key"), ("x-api-key", KEY)],
        [("authorization", "Basic dXNlcjpwYXNz"), ("x-api-key", KEY)],
        [("authorization", "Basic dXNlcjpwYXNz"), ("authorization", f"Bearer {KEY}")],
        [("x-api-key", "wrong-key"), ("x-api-key", KEY)],
    ],
)
async def test_a_valid_key_suffices(keys: KeyFile, headers: list[tuple[str, str | bytes]]) -> None:
    """In either header, whatever the other one holds."""
    async with guarded(keys) as served:
        assert (await asked(served, *headers)).status_code == 200


async def test_the_bearer_counts_first(keys: KeyFile) -> None:
    """With two valid keys the request is that of the one in `Authorization`."""
    held = Held()
    held.go.set()
    async with guarded(keys, held) as served:
        await asked(served, ("x-api-key", OTHER), ("authorization", f"Bearer {KEY}"))

    assert held.exchanges[0].caller.key == MASKED


@pytest.mark.parametrize(
    ("header", "value", "message"),
    [
        ("authorization", "Bearer wrong-key", "Invalid API key"),
        ("authorization", f"Bearer {KEY[:-1]}", "Invalid API key"),
        ("authorization", f"Bearer {KEY}, Bearer {OTHER}", "Invalid API key"),
        ("authorization", f"Bearer {KEY} {OTHER}", "Invalid API key"),
        ("authorization", "Bearer # mine", "Invalid API key"),
        ("authorization", "Bearer Schlüssel-Ключ", "Invalid API key"),
        ("authorization", b"Bearer \xff\xfe\xe9", "Invalid API key"),
        ("authorization", "Bearer " + "k" * 100_000, "Invalid API key"),
        ("x-api-key", "wrong-key", "Invalid API key"),
        ("x-api-key", b"\xff\xfe\xe9", "Invalid API key"),
        ("x-api-key", f"Bearer {KEY}", "Invalid API key"),
        ("authorization", "Bearer", "asks for an API key"),
        ("authorization", KEY, "asks for an API key"),
        ("authorization", f"Basic {KEY}", "asks for an API key"),
        ("authorization", f"Bearer:{KEY}", "asks for an API key"),
        ("authorization", b"\xff\xfe", "asks for an API key"),
        ("authorization", "", "asks for an API key"),
        ("x-api-key", "", "asks for an API key"),
        ("cookie", f"key={KEY}", "asks for an API key"),
    ],
)
async def test_anything_else_is_a_401(keys: KeyFile, header: str, value: str | bytes, message: str) -> None:
    """A wrong key and none are told apart; garbage is one of the two, and no failure of the gateway."""
    async with guarded(keys) as served:
        refusal = await asked(served, (header, value))

    assert (refusal.status_code, refusal.headers["www-authenticate"]) == (401, "Bearer")
    assert message in refusal.json()["detail"]
    assert refusal.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("body", [b"{", b'{"messages": 1}', b"\xff", b"x" * 8_000_000])
async def test_who_asks_comes_before_what(keys: KeyFile, body: bytes) -> None:
    """Without a key nobody learns what the gateway makes of a body, and a large one doesn't hide the answer."""
    async with guarded(keys, max_body_bytes=1000) as served:
        refusals = [await served.http.post(CHAT_PATH, content=body) for _ in range(3)]

    assert [refusal.status_code for refusal in refusals] == [401] * 3


async def test_a_key_in_the_address_is_none(keys: KeyFile) -> None:
    """Addresses end in logs and histories; a key doesn't belong there."""
    async with guarded(keys) as served:
        assert (await served.http.post(f"{CHAT_PATH}?key={KEY}&api_key={KEY}", json=HELLO)).status_code == 401


@pytest.mark.parametrize("path", ["/v1/models", "/health"])
async def test_the_guides_public_endpoints_stay_public(keys: KeyFile, path: str) -> None:
    """They ask for no key, and don't mind a wrong one."""
    async with guarded(keys) as served:
        answers = [
            await served.http.get(path, headers=headers) for headers in ({}, {"authorization": "Bearer wrong-key"})
        ]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_running_gateway_follows_the_file(keys: KeyFile) -> None:
    """A key that is added counts at once, one that is removed no longer; answers that run go on."""
    held = Held()
    async with guarded(keys, held) as served:
        running = asyncio.create_task(asked(served, ("x-api-key", KEY)))
        await held.begun.wait()
        keys.holds("sk-a-new-one")
        old, new = ("x-api-key", KEY), ("x-api-key", "sk-a-new-one")
        refused = (await asked(served, old)).status_code
        held.go.set()

        assert refused == 401
        assert (await asked(served, new)).status_code == 200
        assert (await running).status_code == 200


async def test_a_broken_file_leaves_the_keys_as_they_were(keys: KeyFile, caplog: pytest.LogCaptureFixture) -> None:
    """Neither is everybody let in nor everybody locked out; the log says once what to correct."""
    async with guarded(keys) as served:
        keys.holds(KEY, "short")
        statuses = [(await asked(served, ("x-api-key", key))).status_code for key in (KEY, OTHER, "short", "wrong-key")]

    assert statuses == [200, 200, 401, 401]
    assert caplog.text.count("key.txt: line 2: the key is shorter than 8 characters.") == 1


async def test_on_loopback_a_file_that_is_removed_opens_the_gateway(keys: KeyFile) -> None:
    """As if there had never been one: to this machine's programs, not to web pages."""
    async with guarded(keys) as served:
        keys.vanishes()

        assert (await served.chat()).status_code == 200
        assert (await asked(served, ("origin", "https://evil.example"))).status_code == 403


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}, {"trusted_hosts": ["ai.example"]}])
async def test_where_others_reach_it_a_gateway_never_opens(keys: KeyFile, settings: dict[str, Any]) -> None:
    """With its keys gone it refuses everybody, and what needs no key goes on."""
    async with guarded(keys, **settings) as served:
        before = await asked(served, ("x-api-key", KEY))
        keys.vanishes()
        after = [await served.chat(), await asked(served, ("x-api-key", KEY))]
        models = await served.http.get("/v1/models")

    assert before.status_code == 200
    assert [answer.status_code for answer in after] == [401, 401]
    assert models.status_code == 200


async def test_a_wider_address_needs_keys_that_can_be_used(tmp_path: Path) -> None:
    """Neither a missing file nor a broken one starts a gateway that others can reach."""
    keys = KeyFile(tmp_path / "key.txt")
    with pytest.raises(ConfigurationError, match="Make one with 'studiogate keys add'"):
        async with guarded(keys, host="0.0.0.0"):
            pass
    keys.holds("short")
    with pytest.raises(ConfigurationError, match=r"^key\.txt: line 1: the key is shorter than 8 characters\.$"):
        async with guarded(keys, host="0.0.0.0"):
            pass


@pytest.mark.parametrize("headers", [{"host": "ai.example"}, {"origin": "https://chat.example"}])
async def test_with_keys_a_gateway_goes_by_any_name(keys: KeyFile, headers: dict[str, str]) -> None:
    """A page that isn't ours lacks the key; who has one may come from anywhere and by any name."""
    async with guarded(keys) as served:
        missing = await asked(served, *headers.items())
        given = await asked(served, ("x-api-key", KEY), *headers.items())
        public = await served.http.get("/v1/models", headers=headers)

    assert (missing.status_code, given.status_code, public.status_code) == (401, 200, 200)
    assert "access-control-allow-origin" not in public.headers


async def test_refusals_are_in_the_log(keys: KeyFile, caplog: pytest.LogCaptureFixture) -> None:
    """One line each, of the kind of the refusal and where it went."""
    caplog.set_level(logging.INFO)
    async with guarded(keys) as served:
        await served.chat()
        await asked(served, ("x-api-key", "wrong-key"))

    refused = [vars(record)["fields"] for record in caplog.records if "fields" in vars(record)]
    assert [(each["status"], each["client"], each["error_message"][:23]) for each in refused] == [
        (401, "127.0.0.1", "This gateway asks for a"),
        (401, "127.0.0.1", "Invalid API key: this g"),
    ]


async def test_no_key_is_ever_shown(
    keys: KeyFile, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither right nor wrong ones, in no log, answer or header, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    secrets = (KEY, OTHER, "sk-wrong-key-0000", "tiny")
    async with guarded(keys) as served:
        answers = [await asked(served, ("authorization", f"Bearer {secret}")) for secret in secrets]
        answers += [await asked(served, ("x-api-key", secret)) for secret in secrets]
        keys.holds(KEY, "tiny")
        answers.append(await asked(served, ("x-api-key", KEY)))
        keys.holds(OTHER)
        answers.append(await asked(served, ("x-api-key", KEY)))
        keys.vanishes()
        answers.append(await asked(served, ("x-api-key", KEY)))
    # The client's own log tells what it was asked to do.
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("studiogate", "litestar"))]
    shown = [*ours, *capfd.readouterr(), *(f"{answer.headers}{answer.text}" for answer in answers)]

    assert len(ours) >= len(answers) // 2
    assert not [text for text in shown for secret in secrets if secret in text]
