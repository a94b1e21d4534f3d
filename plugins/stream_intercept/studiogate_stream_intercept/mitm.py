"""mitmproxy as far as it is used here, with types: the one module that touches its untyped parts."""

# mitmproxy annotates these only in part; the shapes are pinned by the tests that run it.
# mypy: disable-error-code="no-untyped-call"
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from mitmproxy import connection, ctx, http, options
from mitmproxy.certs import CertStore
from mitmproxy.net import server_spec
from mitmproxy.options import CONF_BASENAME, KEY_SIZE
from mitmproxy.proxy import events
from mitmproxy.proxy.server import ConnectionHandler

from studiogate_stream_intercept.bare import Master, Proxyserver, core, disable_h2c, dns_resolver, next_layer, tlsconfig
from studiogate_stream_intercept.destinations import ProxySettings

logger = logging.getLogger(__name__)

CA_FILE = f"{CONF_BASENAME}-ca.pem"
"""Key and certificate of the CA, as mitmproxy looks for them in its confdir."""
DH_FILE = f"{CONF_BASENAME}-dhparam.pem"
"""Not secret and always the same, but mitmproxy would write it without care for a second reader."""

_STOP_S = 5.0
"""How long connections may take to close, in seconds; they are local and take milliseconds."""


def create_authority(folder: Path) -> None:
    """Make a CA's files in an existing, private folder."""
    CertStore.create_store(folder, CONF_BASENAME, KEY_SIZE)


def one_runs() -> bool:
    """Tell whether this process already has a master that listens: mitmproxy keeps it in a module global."""
    master: Master | None = getattr(ctx, "master", None)
    server: Proxyserver | None = None if master is None else master.addons.get("proxyserver")
    return server is not None and len(server.servers) > 0


def assemble(settings: ProxySettings, trusted: Path | None, *addons: object) -> tuple[Master, Proxyserver]:
    """Put a master together that listens nowhere yet. `addons` come last, so they see what mitmproxy's own decided.

    :param trusted: the authorities that upstream servers are verified against, PEM; None for the usual ones.
    """
    chosen = options.Options(
        # The upstream proxy's password is the addon's business: options are shown by whoever lists them.
        mode=["regular" if settings.upstream is None else f"upstream:{settings.upstream.url}"],
        listen_host=settings.listen_host,
        listen_port=settings.port,
        confdir=str(settings.ca_dir),
    )
    master = Master(chosen, event_loop=asyncio.get_running_loop(), with_termlog=False)
    # It would format every log record of the process, for addons of another age.
    master._legacy_log_events.uninstall()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    server = Proxyserver()
    master.addons.add(
        core.Core(),
        disable_h2c.DisableH2C(),
        server,
        dns_resolver.DnsResolver(),
        next_layer.NextLayer(),
        tlsconfig.TlsConfig(),
        *addons,
    )
    # Some of these exist only now that the addons have brought them.
    master.options.update(
        connection_strategy="lazy",
        upstream_cert=False,
        http3=False,
        # What is not HTTP inside a tunnel would be passed on raw, past every check but the last.
        rawtcp=False,
        ssl_verify_upstream_trusted_ca=None if trusted is None else str(trusted),
    )
    return master, server


async def listen(master: Master, server: Proxyserver) -> int | None:
    """Open the port and return it; None when it is taken, which mitmproxy logs and does not raise."""
    # Before listening, though mitmproxy does it after: it loads the CA, and the first connection may come at once.
    await master.running()
    if not await server.setup_servers():
        return None
    return int(server.listen_addrs()[0][1])


async def shut(master: Master, server: Proxyserver) -> None:
    """Close the port and every connection, and release what the master holds."""
    await server.servers.update([])
    for handler in tuple(server.connections.values()):
        for transport in tuple(handler.transports.values()):
            if transport.handler is not None:
                transport.handler.cancel("the proxy stops")
    try:
        async with asyncio.timeout(_STOP_S):
            while server.connections:  # noqa: ASYNC110 - mitmproxy tells nobody when the last one is gone
                await asyncio.sleep(0.002)
    except TimeoutError:
        logger.warning("%d connections of the proxy did not close within %g s.", len(server.connections), _STOP_S)
    finally:
        await master.done()


async def inject(server: Proxyserver, flow: http.HTTPFlow, event: events.Event) -> None:
    """Hand an event to the layers of a flow's browser connection; no-op when that is gone."""
    handler: ConnectionHandler | None = server.connections.get(flow.client_conn.id)
    if handler is not None:
        await handler.server_event(event)


def drop_server(server: Proxyserver, flow: http.HTTPFlow) -> None:
    """Close a flow's server connection now, so that nothing more is written to it; no-op when it is gone."""
    handler: ConnectionHandler | None = server.connections.get(flow.client_conn.id)
    transport = None if handler is None else handler.transports.get(flow.server_conn)
    if transport is not None and transport.writer is not None:
        transport.writer.close()


def go_through(flow: http.HTTPFlow, proxy: tuple[str, int]) -> None:
    """Have a request take an HTTP proxy, by a connection that is there already or a new one."""
    via: server_spec.ServerSpec = ("http", proxy)
    if flow.server_conn.via != via:
        # The one that the flow has may be open, or be waited for by others.
        flow.server_conn = connection.Server(address=flow.server_conn.address, via=via)


def plain_headers(headers: http.Headers) -> dict[str, str]:
    """Return headers with names in lower case and repeated ones joined with a comma."""
    plain: dict[str, str] = {}
    fields: Iterable[tuple[bytes, bytes]] = headers.fields
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain
