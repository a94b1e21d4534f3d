"""The command line, in processes of its own, with plugins that are installed as a third party's are."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil
import pytest

from .backends import CHAT_PATH, HELLO, sse

PLUGINS = '''
import asyncio
from studiogate import ConfigurationError, hookimpl
from studiogate.events import Finish, FinishReason, TextDelta
import rich_click as click


class Answers:
    """Say `first`, wait for a file named `go`, say `last`."""

    @hookimpl
    async def fetch_response(self, exchange):
        from pathlib import Path

        yield TextDelta(text="first")
        while not Path("go").exists():
            await asyncio.sleep(0.01)
        yield TextDelta(text="last")
        yield Finish(reason=FinishReason.STOP)


class Commands:
    @hookimpl
    def register_cli(self, group):
        @group.command()
        def greet():
            """Greet from a plugin."""
            click.echo("hello from a plugin")


class Clashes:
    @hookimpl
    def register_cli(self, group):
        @group.command()
        def serve():
            """Pretend to be the gateway's own."""


class Broken:
    raise_on_import = __import__("nothing_of_this_name")
'''

ENTRY_POINTS = """[studiogate.plugins]
answers = third_party:Answers
commands = third_party:Commands
clashes = third_party:Clashes
broken = third_party_broken:Broken
"""


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Make a folder to run in, with a distribution of plugins on the path."""
    site = tmp_path / "site"
    metadata = site / "third_party-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    working, broken = PLUGINS.split("\n\n\nclass Broken")
    (site / "third_party.py").write_text(working)
    (site / "third_party_broken.py").write_text(f"class Broken{broken}")
    return tmp_path


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a command, without what this machine sets."""
    kept = {key: value for key, value in os.environ.items() if key != "PORT" and not key.startswith("STUDIOGATE_")}
    return {**kept, "PYTHONPATH": str(folder / "site"), "NO_COLOR": "1", "COLUMNS": "200", **more}


def studiogate(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "studiogate", *arguments],
        cwd=folder,
        env=environment(folder, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(folder: Path, *arguments: str, **environ: str) -> str:
    """Return what a command says when it refuses: on standard error, exit code 2, no traceback, no paths."""
    ended = studiogate(folder, *arguments, **environ)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert str(folder) not in ended.stderr
    return ended.stderr.strip()


def configured(folder: Path, content: str) -> None:
    """Write plugins.toml."""
    (folder / "plugins.toml").write_text(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('plugins = ["answer"]', "plugins.toml: plugins: no plugin 'answer' is installed. Did you mean 'answers'?"),
        ("plugins = []\n[gateway]\nprot = 1", "plugins.toml: [gateway] prot: is not known here. Did you mean 'port'?"),
        ("plugins = []\n[gatewya]", "plugins.toml: [gatewya]: no plugin has this name. Did you mean 'gateway'?"),
        (
            'plugins = []\n[gateway]\nport = "1"',
            "plugins.toml: [gateway] port: must be a whole number, not a string.",
        ),
        (
            "plugins = []\n[gateway]\nport = 99999",
            "plugins.toml: [gateway] port: must be from 0 to 65535, not 99999",
        ),
        ("plugins = [", "plugins.toml: is not TOML: "),
        ('plugins = "answers"', "plugins.toml: plugins: must be a list of names"),
        ('plugins = ["answers", "answers"]', "plugins.toml: plugins: answers is listed more than once."),
        ('plugins = ["broken"]', "plugin broken: can't be imported: ModuleNotFoundError: "),
        ("plugins = []\n[answers]\nx = 1\n[gateway]\nhost = '0.0.0.0'", "[gateway] host: 0.0.0.0 can be reached"),
    ],
)
def test_a_wrong_configuration_stops_the_start(there: Path, content: str, message: str) -> None:
    """One message names the file, the key and what would be right."""
    configured(there, content)

    assert refused(there, "serve").startswith(f"studiogate: {message}")


def test_a_missing_file_stops_the_start(there: Path) -> None:
    """The message says how to name another file."""
    assert "plugins.toml: there is no such file" in refused(there, "serve")
    assert "mine.toml: there is no such file" in refused(there, "serve", STUDIOGATE_CONFIG="mine.toml")
    assert "other.toml: there is no such" in refused(
        there, "serve", "--config", "other.toml", STUDIOGATE_CONFIG="mine.toml"
    )


def test_an_empty_variable_is_no_file(there: Path) -> None:
    """`STUDIOGATE_CONFIG=` means what leaving it out means."""
    assert refused(there, "serve", STUDIOGATE_CONFIG="").startswith("studiogate: plugins.toml: ")


def test_another_address_needs_a_word(there: Path) -> None:
    """Without `--insecure` the gateway listens to its own machine only."""
    configured(there, "plugins = []")

    assert "or say --insecure if that is what you want" in refused(there, "serve", "--host", "0.0.0.0")
    assert "can be reached from other machines" in refused(there, "serve", STUDIOGATE_GATEWAY_HOST="192.0.2.1")
    assert "can't listen on 192.0.2.1:0" in refused(there, "serve", "--host", "192.0.2.1", "--port", "0", "--insecure")


def test_the_version_is_the_distributions() -> None:
    """`--version` is what the package index calls it."""
    ended = studiogate(Path.cwd(), "--version")

    assert (ended.returncode, version("studiogate") in ended.stdout) == (0, True)


def test_help_lists_the_commands_of_plugins(there: Path) -> None:
    """The gateway's commands and those of the listed plugins."""
    configured(there, 'plugins = ["commands"]')
    ended = studiogate(there, "--help")

    assert ended.returncode == 0
    assert "serve" in ended.stdout
    assert "Greet from a plugin." in ended.stdout


def test_help_works_with_a_broken_file(there: Path) -> None:
    """Whoever needs help most gets it, with a word on what is missing."""
    configured(there, "plugins = [")
    ended = studiogate(there, "--help")

    assert ended.returncode == 0
    assert "serve" in ended.stdout
    assert "The commands of plugins are missing here: plugins.toml: is not TOML" in " ".join(ended.stdout.split())


def test_a_plugins_command_runs(there: Path) -> None:
    """A listed plugin's command is one of the gateway's."""
    configured(there, 'plugins = ["commands"]')

    assert studiogate(there, "greet").stdout == "hello from a plugin\n"


def test_an_unlisted_plugins_command_is_unknown(there: Path) -> None:
    """What plugins.toml doesn't list isn't there."""
    configured(there, "plugins = []")

    assert "No such command 'greet'" in refused(there, "greet")


def test_a_plugin_cant_take_the_gateways_commands(there: Path) -> None:
    """A command of an equal name is refused, not hidden."""
    configured(there, 'plugins = ["clashes"]')

    assert "a plugin registers the command 'serve', which is the gateway's own" in refused(there, "greet")


@asynccontextmanager
async def serving(folder: Path, *arguments: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """Serve in a process until it listens; yields it and its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "studiogate", "serve", *(arguments or ("--port", "0"))),
        cwd=folder,
        env=environment(folder),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process, await said(process, r"listening on (http://\S+);")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, pattern: str) -> str:
    """Wait for a line in the log; return the pattern's group."""
    assert process.stderr
    seen = ""
    async for line in process.stderr:
        seen += line.decode()
        if found := re.search(pattern, line.decode()):
            return found[found.lastindex or 0]
    raise AssertionError(f"no {pattern!r} in:\n{seen}")


@asynccontextmanager
async def answer_begun(url: str) -> AsyncGenerator[tuple[httpx.Response, AsyncIterator[str]]]:
    """Ask for a stream and read its first words."""
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
        client.stream("POST", CHAT_PATH, json={**HELLO, "stream": True}) as answer,
    ):
        lines = answer.aiter_lines()
        async for line in lines:
            if "first" in line:
                break
        yield answer, lines


async def test_without_requests_a_signal_ends_at_once(there: Path) -> None:
    """SIGTERM or SIGINT, exit code 0."""
    configured(there, 'plugins = ["answers"]')
    for number in (signal.SIGINT, signal.SIGTERM):
        async with serving(there) as (process, _):
            process.send_signal(number)
            assert await process.wait() == 0


async def test_a_taken_port_is_refused(there: Path) -> None:
    """A second gateway on a port would take half the requests; it is refused instead."""
    configured(there, "plugins = []")
    async with serving(there) as (_, url):
        port = url.rpartition(":")[2]
        message = await asyncio.to_thread(refused, there, "serve", "--port", port)

    assert message.startswith(f"studiogate: port {port} on 127.0.0.1 is taken")


async def test_localhost_is_an_address(there: Path) -> None:
    """A name that means this machine is as good as its number."""
    configured(there, "plugins = []")
    async with serving(there, "--host", "localhost", "--port", "0") as (_, url), httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/v1/models")

    assert answer.status_code == 200


async def test_the_first_signal_lets_answers_finish(there: Path) -> None:
    """A running stream comes to its end, new requests are refused, and then the process is gone."""
    configured(there, 'plugins = ["answers"]\n[gateway]\ngrace_s = 60')
    async with serving(there) as (process, url), answer_begun(url) as (_, lines):
        process.send_signal(signal.SIGINT)
        await said(process, "stopping")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as other:
            refusal = await other.post(CHAT_PATH, json=HELLO)
        (there / "go").touch()
        rest = [line async for line in lines]
        code = await process.wait()

    assert refusal.status_code == 503
    assert rest[-2] == "data: [DONE]"
    assert code == 0


async def test_after_the_grace_answers_end_with_an_error(there: Path) -> None:
    """A stream that takes longer is told, not cut."""
    configured(there, 'plugins = ["answers"]\n[gateway]\ngrace_s = 0.01')
    async with serving(there) as (process, url), answer_begun(url) as (_, lines):
        process.send_signal(signal.SIGTERM)
        rest = [line async for line in lines]
        code = await process.wait()

    assert sse("\n".join(rest))[-1]["error"]["code"] == "service_unavailable"
    assert code == 0


async def test_a_second_signal_doesnt_wait(there: Path) -> None:
    """Impatience ends running answers at once, still cleanly, and leaves no process."""
    configured(there, 'plugins = ["answers"]\n[gateway]\ngrace_s = 1000')
    async with serving(there) as (process, url), answer_begun(url) as (_, lines):
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        await said(process, "stopping")
        process.send_signal(signal.SIGINT)
        rest = [line async for line in lines]
        code = await process.wait()

    assert sse("\n".join(rest))[-1]["error"]["message"] == "The gateway is stopping."
    assert code == 0
    assert not [child for child in children if child.is_running()]


async def test_a_client_that_stops_halfway_doesnt_keep_the_gateway(there: Path) -> None:
    """A request that never ends is cut at the stop; the server alone would wait for it forever."""
    configured(there, "plugins = []")
    async with serving(there) as (process, url):
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        await writer.drain()
        process.send_signal(signal.SIGINT)
        code = await process.wait()
        writer.close()

    assert code == 0


async def test_a_reload_changes_the_chain_of_the_gateway_that_runs(there: Path) -> None:
    """By command or SIGHUP: what has begun ends as it was, what comes gets the new chain; or it says why not."""
    configured(there, 'plugins = ["answers"]')
    (there / "other.py").write_text(PLUGINS.partition("\n\n\nclass Commands")[0].replace('"last"', '"other"'))
    async with serving(there) as (process, url), answer_begun(url) as (_, lines):

        async def reloaded(content: str) -> "subprocess.CompletedProcess[str]":
            configured(there, content)
            return await asyncio.to_thread(studiogate, there, "reload", "--port", "0")

        unknown = await reloaded('plugins = ["nobody"]')
        unreadable = await reloaded("plugins = [")
        process.send_signal(signal.SIGHUP)
        logged = await said(
            process, "the configuration was not reloaded, nothing has changed: plugins.toml: is not TOML"
        )
        done = await reloaded('plugins = ["./other.py"]\n[gateway]\nhost = "localhost"')
        async with answer_begun(url) as (_, new):
            (there / "go").touch()
            answers = ["".join([line async for line in each]) for each in (lines, new)]
        configured(there, 'plugins = ["answers"]')
        process.send_signal(signal.SIGHUP)
        hung_up = await said(process, "the configuration was reloaded: .*: answers")
        mode = (there / "state" / "control-0.sock").stat().st_mode & 0o777
        process.send_signal(signal.SIGTERM)
        code = await process.wait()

    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no plugin 'nobody' is installed" in unknown.stderr
    assert "Nothing has changed." in unknown.stderr
    assert unreadable.returncode == 2
    assert logged
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Backends, in this order: other.",
        "Started: other.",
        "Ended, once nothing needs them any more: answers.",
        "[gateway] host: can't change while the gateway runs; what it was holds until a restart.",
    ]
    assert "last" in answers[0]
    assert "other" in answers[1]
    assert hung_up
    assert mode == 0o600
    assert code == 0
    assert not (there / "state" / "control-0.sock").exists()


def test_without_a_gateway_there_is_nothing_to_reload(there: Path) -> None:
    """The command says how one with other settings is reached."""
    configured(there, "plugins = []")

    assert refused(there, "reload").startswith("studiogate: no gateway of this configuration can be reached")
