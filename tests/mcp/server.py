"""A real MCP server, made with the SDK: run as a process, over any transport.

python -m tests.mcp.server http [PORT]     says its port in its first line
python -m tests.mcp.server sse [PORT]
python -m tests.mcp.server stdio
"""

import asyncio
import os
import socket
import sys

import uvicorn
from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ImageContent, TextContent

server = FastMCP("tests", log_level="ERROR")
calls: list[str] = []


@server.tool()
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool()
def fail(why: str) -> str:
    """Fail."""
    raise ValueError(why)


@server.tool()
async def wait(seconds: float) -> str:
    """Take one's time."""
    await asyncio.sleep(seconds)
    return "waited"


@server.tool()
def big(size: int) -> str:
    """Return a long text."""
    return "x" * size


@server.tool()
def remember(what: str, context: Context) -> str:  # type: ignore[type-arg]
    """Return everything that was remembered in this session."""
    session = context.session
    kept: list[str] = session.__dict__.setdefault("kept", [])
    kept.append(what)
    return ", ".join(kept)


@server.tool()
def count() -> str:
    """Return how often this process has been asked, and its number."""
    calls.append("count")
    return f"{len(calls)} {os.getpid()}"


@server.tool()
def crash() -> str:
    """End the server in the middle of a call."""
    os._exit(1)


@server.tool()
def show() -> list[TextContent | ImageContent]:
    """Return more than text."""
    image = ImageContent(type="image", data="aGVsbG8=", mimeType="image/png")
    return [TextContent(type="text", text="Look:"), image]


@server.tool(name="odd name!")
def odd() -> str:
    """Have a name that functions can't have."""
    return "odd"


@server.tool()
def environment(variable: str) -> str:
    """Return a variable of the environment."""
    sys.stderr.write("asked for a variable\n")
    sys.stderr.flush()
    return os.environ.get(variable, "not there")


def serve(transport: str, port: int) -> None:
    """Serve over HTTP."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    # Who connects from now on waits until it serves.
    listener.listen()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    app = server.streamable_http_app() if transport == "http" else server.sse_app()
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        serve(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
