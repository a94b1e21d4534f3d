"""Real servers over every transport, through the HTTP API."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from studiogate.events import TextDelta
from studiogate.web.running import Running
from studiogate.web.server import running_gateway
from studiogate_mcp import Mcp
from tests.core.backends import CALLED, CHAT_PATH, HELLO, STOP, Playing, backend, call, config, installed, sse, until

from .house import ROOT, STDIO, Served, running_server


@pytest.fixture(scope="module")
def http() -> Iterator[Served]:
    """Run a server over streamable HTTP."""
    with running_server("http") as served:
        yield served


@pytest.fixture(scope="module")
def older() -> Iterator[Served]:
    """Run a server over server-sent events."""
    with running_server("sse") as served:
        yield served


@attrs.frozen
class Asking:
    """A gateway and its model."""

    running: Running
    model: Playing
    http: httpx.AsyncClient

    async def chat(self, **fields: Any) -> httpx.Response:
        """Ask for a completion."""
        return await self.http.post(CHAT_PATH, json={**HELLO, **fields})

    def declared(self) -> list[str]:
        """Return the names of the functions that the model was offered first."""
        return [function.name for function in self.model.asked[0].plan.functions]


@asynccontextmanager
async def asking(
    folder: Path,
    *turns: Any,
    mcp: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
    **settings: Any,
) -> AsyncGenerator[Asking]:
    """Serve a gateway with the plugin and a model that plays turns; an answer follows the last."""
    model = Playing([*turns, [STOP]])
    made = config("mcp", "a", state_dir=str(folder / "state"), **settings)
    made = attrs.evolve(made, tables={**made.tables, "mcp": mcp or {}}, environ=environ or {})
    plugins = installed({"mcp": Mcp, "a": backend(model, "test-model")})
    async with (
        running_gateway(made, plugins) as running,
        httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=30) as client,
    ):
        yield Asking(running, model, client)


def calling(*calls: Any) -> list[Any]:
    """Make a turn of calls."""
    return [*calls, CALLED]


@pytest.fixture(params=["http", "sse", "stdio"])
def server(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the settings of a server over each transport."""
    if request.param == "stdio":
        return {"command": STDIO}
    name = "http" if request.param == "http" else "older"
    served: Served = request.getfixturevalue(name)
    return {"url": served.url, "transport": request.param}


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs find the tests' server from here."""
    monkeypatch.chdir(ROOT)


async def test_tools_are_listed_called_and_answered(tmp_path: Path, server: dict[str, Any]) -> None:
    """In parallel, with what the tool itself calls a failure; the client sees an answer and nothing else."""
    turn = calling(call("add", 1, a=1, b=2), call("add", 2, a=3, b=4), call("fail", why="no luck"), call("show"))
    async with asking(tmp_path, turn, mcp={"servers": {"tests": server}}) as gateway:
        answer = await gateway.chat()

        assert answer.status_code == 200, answer.text
        assert {"add", "fail", "wait", "odd_name_"} <= set(gateway.declared())
        add = next(each for each in gateway.model.asked[0].plan.functions if each.name == "add")
        assert add.parameters["properties"].keys() == {"a", "b"}
        assert add.description == "Add two numbers."
        one, two, failed, shown = gateway.model.results()
    assert (one, two) == ("3", "7")
    assert failed.startswith("Error: ")
    assert "no luck" in failed
    assert shown == "Look:\n[image/png, 6 bytes: can't be shown]"
    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert "tool_calls" not in answer.json()["choices"][0]["message"]


async def test_calls_have_a_limit_in_size(tmp_path: Path, server: dict[str, Any]) -> None:
    """A megabyte arrives whole and is cut to what the operator allows."""
    turn = calling(call("big", size=1_000_000))
    async with asking(tmp_path, turn, mcp={"servers": {"tests": server}}, max_tool_result_chars=1000) as gateway:
        assert (await gateway.chat()).status_code == 200

        assert gateway.model.results() == ["x" * 1000 + "\n[cut off: 1000 of 1000000 characters]"]


async def test_calls_have_a_limit_in_time(tmp_path: Path, server: dict[str, Any]) -> None:
    """A slow tool is given up, and the request goes on."""
    turn = calling(call("wait", seconds=30))
    async with asking(tmp_path, turn, mcp={"servers": {"tests": server}}, tool_call_s=0.7) as gateway:
        assert (await gateway.chat()).status_code == 200

        assert gateway.model.results() == ["Error: the tool did not answer within 0.7 s."]


async def test_sessions_are_a_requests_own(tmp_path: Path, server: dict[str, Any]) -> None:
    """Within a request a server remembers; the next request meets nothing of it."""
    turns = [calling(call("remember", what="a")), calling(call("remember", what="b")), [STOP]]
    async with asking(tmp_path, *turns, *turns, mcp={"servers": {"tests": server}}) as gateway:
        for _ in range(2):
            await gateway.chat()
            assert gateway.model.results() == ["a", "a, b"]


async def test_a_server_that_dies_in_a_call_is_connected_to_again(tmp_path: Path) -> None:
    """What may have run is not run again, and the model is told so; a program is started anew for the next call."""
    turns = [calling(call("crash")), calling(call("add", a=1, b=1))]
    async with asking(tmp_path, *turns, mcp={"servers": {"tests": {"command": STDIO}}}) as gateway:
        assert (await gateway.chat()).status_code == 200

        crashed, added = gateway.model.results()
    assert crashed == "Error: The connection to the tool's server was lost. The tool may have run."
    assert added == "2"


async def test_a_server_that_was_restarted_meanwhile(tmp_path: Path) -> None:
    """The new one knows no session of the old one: it is greeted again, within the same request."""
    with running_server("http") as first:
        restarted = asyncio.Event()
        servers = {"tests": {"url": first.url}}
        async with asking(tmp_path, mcp={"servers": servers}) as gateway:
            turns: list[list[Any]] = [calling(call("add", a=1, b=1)), calling(call("add", 2, a=2, b=2)), [STOP]]

            async def script(exchange: Any) -> AsyncGenerator[Any]:
                gateway.model.asked.append(attrs.evolve(exchange))
                number = len(gateway.model.asked)
                if number == 2:
                    await restarted.wait()
                for event in turns[number - 1]:
                    yield event

            gateway.model.script = script
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(gateway.chat())
                await until(lambda: len(gateway.model.asked) == 2)
                first.process.kill()
                await asyncio.to_thread(first.process.wait)
                with running_server("http", first.port):
                    restarted.set()
                    answer = await asked

            assert answer.status_code == 200
            assert gateway.model.results() == ["2", "4"]


async def test_a_program_gets_what_it_was_given_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment; what it says on its standard error is kept in a file of the owner's, of bounded size."""
    monkeypatch.setenv("NOT_GIVEN", "secret")
    log = tmp_path / "state" / "mcp" / "tests.log"
    log.parent.mkdir(parents=True)
    log.write_text("old " * 300_000)
    log.chmod(0o600)
    turn = calling(*(call("environment", number, variable=name) for number, name in enumerate(("GIVEN", "NOT_GIVEN"))))
    servers = {"tests": {"command": STDIO, "pass_env": ["GIVEN"]}}
    async with asking(tmp_path, turn, mcp={"servers": servers}, environ={"GIVEN": "yes"}) as gateway:
        await gateway.chat()

        assert gateway.model.results() == ["yes", "not there"]
    assert "asked for a variable" in log.read_text()
    assert "old" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


async def test_names_that_collide_are_told_apart(tmp_path: Path, http: Served, older: Served) -> None:
    """The client's function keeps its name and goes to the client; the servers' get theirs in front."""
    servers = {"one": {"url": http.url}, "two": {"url": older.url, "transport": "sse"}}
    turn = calling(call("one_add", a=1, b=1), call("two_add", a=2, b=2))
    mine = {"type": "function", "function": {"name": "wait"}}
    async with asking(tmp_path, turn, calling(call("wait")), mcp={"servers": servers}) as gateway:
        answer = (await gateway.chat(tools=[mine])).json()["choices"][0]

        assert gateway.model.results() == ["2", "4"]
        assert {"one_add", "two_add", "one_wait", "two_wait", "wait"} <= set(gateway.declared())
    assert [each["function"]["name"] for each in answer["message"]["tool_calls"]] == ["wait"]


@pytest.mark.parametrize("how", ["mcp_endpoint", "server_url", "MCP_HTTP_ENDPOINT"])
@pytest.mark.parametrize("transport", ["http", "older"])
async def test_an_allowed_endpoint_is_used(
    tmp_path: Path, request: pytest.FixtureRequest, how: str, transport: str
) -> None:
    """Its transport is found out; the address may be written in any way that means it."""
    served: Served = request.getfixturevalue(transport)
    environ = {"MCP_HTTP_ENDPOINT": served.url} if how == "MCP_HTTP_ENDPOINT" else {}
    mcp = {} if environ else {"allowed_endpoints": [served.url]}
    named = served.url.upper().replace(served.path.upper(), f"{served.path}/")
    fields: dict[str, Any] = {
        "mcp_endpoint": {"mcp_endpoint": named},
        "server_url": {"tools": [{"type": "mcp", "server_url": named, "allowed_tools": ["add"]}]},
    }.get(how, {})
    async with asking(tmp_path, calling(call("add", a=1, b=1)), mcp=mcp, environ=environ) as gateway:
        answer = await gateway.chat(**fields)

        assert answer.status_code == 200, answer.text
        assert gateway.model.results() == ["2"]
        assert (gateway.declared() == ["add"]) is (how == "server_url")


async def test_a_server_that_requests_have_to_name(tmp_path: Path, http: Served) -> None:
    """With `always = false` its tools are for those that ask by its label."""
    servers = {"tests": {"url": http.url, "always": False}}
    async with asking(tmp_path, mcp={"servers": servers}) as gateway:
        await gateway.chat()
        await gateway.chat(tools=[{"type": "mcp", "server_label": "tests", "allowed_tools": {"tool_names": ["add"]}}])
        await gateway.chat(tools=[{"type": "mcp", "server_label": "tests"}], tool_choice="none")

        plans = [[function.name for function in each.plan.functions] for each in gateway.model.asked]
    assert plans == [[], ["add"], []]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mcp_endpoint": "{other}"}, "mcp_endpoint: this address is not allowed"),
        ({"mcp_endpoint": "{url}?x=1"}, "mcp_endpoint: this address is not allowed"),
        ({"mcp_endpoint": "file:///etc/passwd"}, "mcp_endpoint: this address is not allowed"),
        ({"mcp_endpoint": "http://[::1"}, "mcp_endpoint: this address is not allowed"),
        ({"tools": [{"type": "mcp", "server_url": "{other}"}]}, "tools[0].server_url: this address is not allowed"),
        ({"tools": [{"type": "mcp", "server_label": "nobody"}]}, "no MCP server is called 'nobody'. There are: tests."),
        ({"tools": [{"type": "mcp"}]}, "tools[0]: server_label or server_url must say which server"),
        ({"tools": [{"type": "mcp", "server_label": 1}]}, "tools[0].server_label: must be a string"),
        (
            {"tools": [{"type": "mcp", "server_label": "tests", "allowed_tools": [1]}]},
            "tools[0].allowed_tools: must be a list of names",
        ),
    ],
)
async def test_what_is_not_allowed_is_refused(
    tmp_path: Path, http: Served, fields: dict[str, Any], message: str
) -> None:
    """With a 400 that says so, and nothing is contacted."""
    contacted = asyncio.Event()

    async def touched(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        contacted.set()
        writer.close()

    listener = await asyncio.start_server(touched, "127.0.0.1", 0)
    other = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/mcp"
    named = json.loads(json.dumps(fields).replace("{other}", other).replace("{url}", http.url))
    mcp = {"allowed_endpoints": [http.url], "servers": {"tests": {"url": http.url, "always": False}}}
    async with listener, asking(tmp_path, mcp=mcp) as gateway:
        answer = await gateway.chat(**named)

        assert answer.status_code == 400
        assert message in answer.json()["error"]["message"]
        assert gateway.model.asked == []
    assert not contacted.is_set()


async def answering(head: str) -> asyncio.Server:
    """Serve one HTTP answer to whoever asks."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("307 Temporary Redirect\r\nLocation: {private}", "it answered 307"),
        ("401 Unauthorized", "it answered 401"),
        ("500 Internal Server Error", "it answered 500"),
    ],
)
async def test_a_server_that_cant_be_used_is_told(tmp_path: Path, http: Served, head: str, reason: str) -> None:
    """To who named it; who named nothing is answered all the same. A redirect to another address is not followed."""
    private = http.url
    listener = await answering(head.replace("{private}", private))
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/mcp"
    mcp = {"allowed_endpoints": [url], "servers": {"broken": {"url": url}}}
    async with listener, asking(tmp_path, mcp=mcp) as gateway:
        named = await gateway.chat(mcp_endpoint=url)
        unnamed = await gateway.chat()
        health = (await gateway.http.get("/health")).json()["plugins"]["mcp"]

    assert (named.status_code, unnamed.status_code) == (502, 200)
    assert reason in named.json()["error"]["message"]
    assert reason in health["details"]["servers"]["broken"]
    assert "broken" in health["advice"]


async def test_nobody_listens(tmp_path: Path) -> None:
    """And a program that isn't there; nothing is waited for."""
    mcp = {"allowed_endpoints": ["http://127.0.0.1:9/mcp"], "servers": {"gone": {"command": ["/nowhere"]}}}
    async with asking(tmp_path, mcp=mcp) as gateway:
        named = await gateway.chat(mcp_endpoint="http://127.0.0.1:9/mcp")
        unnamed = await gateway.chat()

    assert (named.status_code, unnamed.status_code) == (502, 200)
    assert "can't be connected to or started" in named.json()["error"]["message"]


async def test_an_older_server_runs_the_clients_functions(tmp_path: Path) -> None:
    """By `POST …/tools/execute`; what it answers is what the model reads."""
    asked: list[Any] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-l")), "0")
        body = await reader.readexactly(int(length))
        found = head.startswith("POST /base/tools/execute ")
        if found:
            asked.append(json.loads(body))
        failed = found and asked[-1]["name"] == "breaks"
        said = b'{"result": "warm"}' if found else b""
        status = "500 No" if failed else "200 OK" if found else "404 Not Found"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n".encode() + said)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/base"
    tools = [{"type": "function", "function": {"name": name}} for name in ("weather", "breaks")]
    turn = calling(call("weather", city="Rome"), call("breaks"))
    async with listener, asking(tmp_path, turn, mcp={"allowed_endpoints": [url]}) as gateway:
        answered = await gateway.chat(mcp_endpoint=url, tools=tools)

        assert answered.status_code == 200, answered.text
        assert gateway.model.results() == [
            '{"result": "warm"}',
            "Error: the tool's server can't be used: it answered 500",
        ]
    assert asked == [{"name": "weather", "arguments": {"city": "Rome"}}, {"name": "breaks", "arguments": {}}]


async def test_a_token_goes_to_its_server_only(tmp_path: Path) -> None:
    """As a bearer token, from the environment."""
    heads: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(note, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    mcp = {
        "servers": {"known": {"url": f"{url}/known", "token_env": "TOKEN"}},
        "allowed_endpoints": [f"{url}/other"],
    }
    async with listener, asking(tmp_path, mcp=mcp, environ={"TOKEN": "sesame"}) as gateway:
        await gateway.chat(mcp_endpoint=f"{url}/other")

    told = {head.split(" ")[1]: "authorization: bearer sesame" in head for head in heads}
    assert told == {"/known": True, "/other": False}


async def test_a_hundred_mixed_requests_keep_to_their_own(tmp_path: Path, http: Served, older: Served) -> None:
    """No request ever uses another one's endpoint, tools or session, and a client's function goes to that client."""
    offered = {"one": {"remember"}, "two": {"remember", "count", "crash"}, "mine": {"remember"}, "none": set[str]()}

    async def script(exchange: Any) -> AsyncGenerator[Any]:
        prompt = exchange.request.messages[0].text
        results = [message.text for message in exchange.request.messages if message.role == "tool"]
        names = {function.name for function in exchange.plan.functions}
        assert names & {"remember", "count", "crash"} == offered[prompt.split()[0]]
        if offered[prompt.split()[0]] and not results:
            yield call("remember", what=prompt)
            yield CALLED
            return
        yield TextDelta(text=" ".join(results) or "none")
        yield STOP

    mcp = {"allowed_endpoints": [http.url, older.url]}
    ask: dict[str, dict[str, Any]] = {
        "one": {"tools": [{"type": "mcp", "server_url": http.url, "allowed_tools": ["remember"]}]},
        "two": {"mcp_endpoint": older.url},
        "mine": {"tools": [{"type": "function", "function": {"name": "remember"}}]},
        "none": {},
    }
    async with asking(tmp_path, mcp=mcp, slots=20, queue_limit=200) as gateway:
        gateway.model.script = script
        said = [f"{list(ask)[number % 4]} {number}" for number in range(100)]
        answers = await asyncio.gather(
            *(gateway.chat(messages=[{"role": "user", "content": each}], **ask[each.split()[0]]) for each in said)
        )

    for each, answer in zip(said, answers, strict=True):
        assert answer.status_code == 200, answer.text
        message = answer.json()["choices"][0]["message"]
        calls = [json.loads(made["function"]["arguments"]) for made in message.get("tool_calls") or ()]
        assert calls == ([{"what": each}] if each.startswith("mine") else [])
        assert (message["content"] or "") == {"none": "none", "mine": ""}.get(each.split()[0], each)


async def test_a_stream_shows_that_tools_run(tmp_path: Path, http: Served) -> None:
    """In comments, without arguments or results."""
    turn = calling(call("add", a=20, b=22))
    async with asking(tmp_path, turn, mcp={"servers": {"tests": {"url": http.url}}}) as gateway:
        body = (await gateway.chat(stream=True)).text

    assert ": running add\n" in body
    assert "42" not in "".join(line for line in body.split("\n") if line.startswith(":"))
    assert sse(body)[-1] == "[DONE]"
