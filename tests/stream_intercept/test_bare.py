"""What of mitmproxy the proxy brings into the gateway's process."""

import subprocess
import sys

from mitmproxy.addons import core, proxyserver

from studiogate_stream_intercept import bare

CODE = """
import sys
import studiogate_stream_intercept.proxy
print(sorted({"flask", "jinja2", "werkzeug", "ldap3", "mitmproxy.addons"} & set(sys.modules)))
import mitmproxy.addons
print(len(mitmproxy.addons.default_addons()) > 20)
print(mitmproxy.addons.proxyserver.Proxyserver is studiogate_stream_intercept.bare.Proxyserver)
"""


def test_brings_no_addons_that_it_does_not_use() -> None:
    """Neither the web application nor the directory client; another plugin that wants all addons gets them, though."""
    # Deprecations are mitmproxy's own; see conftest.py.
    done = subprocess.run((sys.executable, "-W", "ignore", "-c", CODE), check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["[]", "True", "True"]


def test_takes_those_that_are_there() -> None:
    """Who imported all addons earlier, as these tests' conftest.py does, has the same ones."""
    assert bare.Proxyserver is proxyserver.Proxyserver
    assert bare.core is core
