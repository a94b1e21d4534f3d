"""Keys over HTTP: the real application under the real server, asked with right, wrong and no keys."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from studiogate.exchange import Caller

from .backends import CHAT_PATH, HELLO, Held, Script, Served, backend, says, serving

KEY = "sk-first-key-1234"
OTHER = "sk-second-key-5678"
MASKED = "sk-f****1234"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Make a file of two keys."""
    path = tmp_path / "key.txt"
    path.write_text(f"# mine\n{KEY}\n\n{OTHER}\n")
    path.chmod(0o600)
    return path


@asynccontextmanager
async def guarded(keys: Path, script: Script | None = None, **gateway: Any) -> AsyncGenerator[Served]:
    """Serve a gateway with a file of keys."""
    async with serving({"a": backend(script or says("Hello"))}, keys_file=str(keys), **gateway) as served:
        yield served


async def test_the_official_client_gets_an_answer_with_a_key(keys: Path) -> None:
    """Every key of the file is as good as the others."""
    async with guarded(keys) as served:
        for key in (KEY, OTHER):
            completions = served.openai.with_options(api_key=key).chat.completions
            answer = await completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])

            assert answer.choices[0].message.content == "Hello"


async def test_the_official_client_is_told_of_a_wrong_key(keys: Path) -> None:
    """Its own exception for it, with OpenAI's code."""
    async with guarded(keys) as served:
        with pytest.raises(openai.AuthenticationError, match="Invalid API key") as refusal:
            await served.openai.with_options(api_key="sk-wrong-key-0000").chat.completions.create(**HELLO)

    assert (refusal.value.status_code, refusal.value.code) == (401, "invalid_api_key")


async def test_a_missing_key_is_asked_for(keys: Path) -> None:
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


async def test_the_exchange_knows_its_caller(keys: Path) -> None:
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
    (tmp_path / "empty.txt").write_text("# none yet\n")
    for name in ("missing.txt", "empty.txt"):
        async with guarded(tmp_path / name, held) as served:
            assert (await served.chat()).status_code == 200
            await served.openai.chat.completions.create(**HELLO)

    assert {exchange.caller for exchange in held.exchanges} == {Caller()}
