"""mitmproxy's master and those of its addons that are used here, imported without all its other addons.

The package `mitmproxy.addons` imports every addon when it is imported itself, and with them flask, jinja2, werkzeug and
ldap3, which a gateway has no use for: together more than a third of the memory that mitmproxy takes.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import mitmproxy

__all__ = ["Master", "Proxyserver", "core", "disable_h2c", "dns_resolver", "next_layer", "tlsconfig"]


@contextmanager
def unopened(parent: ModuleType, name: str) -> Generator[None]:
    """Let a package's modules be imported without the package itself, unless that has been imported already.

    Whoever imports the package afterwards gets it whole.
    """
    full_name = f"{parent.__name__}.{name}"
    if full_name in sys.modules:
        yield
        return
    package = ModuleType(full_name)
    package.__path__ = [str(Path(folder) / name) for folder in parent.__path__]
    sys.modules[full_name] = package
    try:
        yield
    finally:
        del sys.modules[full_name]


with unopened(mitmproxy, "addons"):
    from mitmproxy.addons import core, disable_h2c, dns_resolver, next_layer, tlsconfig
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.master import Master
