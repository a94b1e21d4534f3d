"""The ways to connect to a server."""

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

import httpx
from mcp import StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import get_default_environment, stdio_client
from mcp.client.streamable_http import streamable_http_client

from studiogate_mcp.sessions import Connect

LOG_BYTES = 1_000_000
"""Size of a program's log from which on the next process begins it anew."""
READ_S = 300.0
"""Seconds of silence of an HTTP server; a call's own limit is the gateway's."""


def http_client(connect_s: float, headers: dict[str, str]) -> httpx.AsyncClient:
    """Make a client that goes where it is told: by no proxy of the environment, and after no redirect.

    (The SDK follows those that stay on the same scheme, host and port, and no others.)
    """
    timeout = httpx.Timeout(connect_s, read=READ_S)
    return httpx.AsyncClient(headers=headers, timeout=timeout, trust_env=False, follow_redirects=False)


def streamable_http(url: str, client: httpx.AsyncClient) -> Connect:
    """Connect by streamable HTTP; all sessions share the client's connections."""

    @asynccontextmanager
    async def connect() -> AsyncGenerator[tuple[Any, Any]]:
        async with streamable_http_client(url, http_client=client) as (read, write, _):
            yield read, write

    return connect


def sse(url: str, connect_s: float, headers: dict[str, str]) -> Connect:
    """Connect by server-sent events, each session on connections of its own."""

    def make(
        headers: dict[str, str] | None = None, timeout: httpx.Timeout | None = None, auth: httpx.Auth | None = None
    ) -> httpx.AsyncClient:
        return httpx.AsyncClient(headers=headers, timeout=timeout, auth=auth, trust_env=False, follow_redirects=False)

    @asynccontextmanager
    async def connect() -> AsyncGenerator[tuple[Any, Any]]:
        async with sse_client(
            url, headers=headers, timeout=connect_s, sse_read_timeout=READ_S, httpx_client_factory=make
        ) as (read, write):
            yield read, write

    return connect


def stdio(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Connect:
    """Start a program and connect to its standard input and output.

    :param environ: what it gets besides PATH, HOME and the like.
    :param log: where goes what it says on its standard error.
    """
    program, *arguments = command
    parameters = StdioServerParameters(command=program, args=arguments, env={**get_default_environment(), **environ})

    @asynccontextmanager
    async def connect() -> AsyncGenerator[tuple[Any, Any]]:
        with _opened(log) as errors:
            async with stdio_client(parameters, errlog=errors) as (read, write):
                yield read, write

    return connect


def _opened(log: Path) -> TextIO:
    """Open a program's log to add to it, its owner's only; one that has grown large is begun anew."""
    anew = os.O_TRUNC if log.exists() and log.stat().st_size > LOG_BYTES else 0
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | anew, 0o600), "a")
