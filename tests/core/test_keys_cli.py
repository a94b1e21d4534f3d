"""`studiogate keys`, in processes of its own."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .backends import CHAT_PATH, HELLO
from .test_cli import configured, environment, refused, serving, studiogate

KEY = "sk-first-key-1234"
OTHER = "sk-second-key-5678"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Make a folder with a configuration."""
    configured(tmp_path, "plugins = []")
    return tmp_path


def key_file(folder: Path) -> Path:
    """Return where keys are by default."""
    return folder / "auth_profiles" / "key.txt"


def test_a_key_is_made(there: Path) -> None:
    """It alone is on standard output, once; it is strong, and another one each time."""
    made = [studiogate(there, "keys", "add") for _ in range(2)]
    keys = [each.stdout.removesuffix("\n") for each in made]

    assert [each.returncode for each in made] == [0, 0]
    assert all(key.startswith("sk-") and len(key) >= 40 for key in keys)
    assert len(set(keys)) == 2
    assert key_file(there).read_text() == f"{keys[0]}\n{keys[1]}\n"
    assert (key_file(there).stat().st_mode & 0o777, key_file(there).parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert keys[0] not in made[0].stderr
    assert "it is shown this once" in made[0].stderr


def test_a_given_key_is_added(there: Path) -> None:
    """What is said of it is masked."""
    added = studiogate(there, "keys", "add", KEY)

    assert added.returncode == 0
    assert added.stdout.startswith("Added sk-f****1234 to ")
    assert KEY not in added.stdout + added.stderr
    assert key_file(there).read_text() == f"{KEY}\n"


def test_a_key_comes_over_standard_input(there: Path) -> None:
    """Past the process table and the shell's history."""
    added = subprocess.run(
        [sys.executable, "-m", "studiogate", "keys", "add", "-"],
        cwd=there,
        env=environment(there),
        input=f"{KEY}\n",
        capture_output=True,
        text=True,
        check=True,
    )

    assert added.stdout.startswith("Added sk-f****1234 to ")
    assert key_file(there).read_text() == f"{KEY}\n"


def test_keys_are_listed_masked(there: Path) -> None:
    """Each with the number of its line."""
    key_file(there).parent.mkdir()
    key_file(there).write_text(f"# mine\n{KEY}\n\nonly-ten-c\n")
    key_file(there).chmod(0o600)
    listed = studiogate(there, "keys", "list")

    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout == "   2  sk-f****1234\n   4  on****-c\n"


def test_no_keys_are_no_error(there: Path) -> None:
    """What that means is said beside the empty list."""
    listed = studiogate(there, "keys", "list")

    assert (listed.returncode, listed.stdout) == (0, "")
    assert listed.stderr.startswith("There are no keys: a gateway that starts now asks nobody for one")


def test_a_key_is_removed_as_it_is_listed(there: Path) -> None:
    """By number and by mask; with the last one gone, what that means is said."""
    for key in (KEY, OTHER):
        studiogate(there, "keys", "add", key)
    first = studiogate(there, "keys", "remove", "1")
    last = studiogate(there, "keys", "remove", "sk-s****5678")

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("Removed sk-f****1234 from ")
    assert (last.returncode, last.stdout.startswith("Removed sk-s****5678 from ")) == (0, True)
    assert last.stderr.startswith("There are no keys")
    assert key_file(there).read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "short"], "studiogate: the key is shorter than 8 characters."),
        (["add", "two words"], "studiogate: the key holds something else than ASCII letters"),
        (["add", KEY], "studiogate: key.txt: line 1 holds this key already."),
        (["add", "-"], "studiogate: the key is shorter than 8 characters."),
        (["remove", "sk-f****1234"], "studiogate: key.txt: that fits several keys, in lines 1, 2."),
        (["remove", "3"], "studiogate: key.txt: holds no such key."),
        (["remove", "another-key"], "studiogate: key.txt: holds no such key."),
        (["list", "--config", "none.toml"], "studiogate: none.toml: there is no such file."),
    ],
)
def test_what_cant_be_done_is_refused(there: Path, arguments: list[str], message: str) -> None:
    """One message, exit code 2, no key in it, and the file as it was."""
    content = f"{KEY}\nsk-first-but-another-1234\n"
    key_file(there).parent.mkdir()
    key_file(there).write_text(content)
    key_file(there).chmod(0o600)
    said = refused(there, "keys", *arguments)

    assert said.startswith(message)
    assert not [word for word in (KEY, "two words", "another-key") if word in said]
    assert key_file(there).read_text() == content


def test_a_broken_file_is_refused_by_every_command(there: Path) -> None:
    """The line that has to be put right is named."""
    key_file(there).parent.mkdir()
    key_file(there).write_text(f"{KEY}\nshort\n")

    for arguments in (["add"], ["list"], ["remove", "1"], []):
        command = ["keys", *arguments] if arguments else ["serve", "--port", "0"]
        assert refused(there, *command).endswith("key.txt: line 2: the key is shorter than 8 characters.")


def test_the_file_is_the_one_that_is_configured(there: Path) -> None:
    """By the configuration that the command names, or the environment."""
    (there / "other.toml").write_text('plugins = []\n[gateway]\nkeys_file = "elsewhere.txt"')
    studiogate(there, "keys", "add", KEY, "--config", "other.toml")
    studiogate(there, "keys", "add", OTHER, STUDIOGATE_GATEWAY_KEYS_FILE="here.txt")

    assert (there / "elsewhere.txt").read_text() == f"{KEY}\n"
    assert (there / "here.txt").read_text() == f"{OTHER}\n"
    assert not key_file(there).exists()


async def test_a_running_gateway_follows(there: Path) -> None:
    """The first key makes it ask, a removed one is refused at once; its log shows no key."""

    async def run(*arguments: str) -> str:
        ended = await asyncio.to_thread(studiogate, there, "keys", *arguments)
        return ended.stdout.strip()

    async with serving(there) as (process, url), httpx.AsyncClient(base_url=url, trust_env=False) as client:
        statuses = [(await client.post(CHAT_PATH, json=HELLO)).status_code]
        key = await run("add")
        statuses.append((await client.post(CHAT_PATH, json=HELLO)).status_code)
        headers = {"authorization": f"Bearer {key}"}
        statuses.append((await client.post(CHAT_PATH, json=HELLO, headers=headers)).status_code)
        await run("add", OTHER)
        await run("remove", key)
        statuses.append((await client.post(CHAT_PATH, json=HELLO, headers=headers)).status_code)
        process.terminate()
        _, log = await process.communicate()

    # No backend is configured here: 503 is what follows on being let in.
    assert statuses == [503, 401, 503, 401]
    assert b"the API keys have changed, now 1" in log
    assert not [each for each in (key, OTHER) if each.encode() in log]


async def test_with_a_key_a_gateway_listens_to_others(there: Path) -> None:
    """No `--insecure` is needed then."""
    studiogate(there, "keys", "add", KEY)
    async with (
        serving(there, "--host", "0.0.0.0", "--port", "0") as (_, url),
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        missing = await client.post(CHAT_PATH, json=HELLO)
        given = await client.post(CHAT_PATH, json=HELLO, headers={"x-api-key": KEY})

    assert (missing.status_code, given.status_code) == (401, 503)
