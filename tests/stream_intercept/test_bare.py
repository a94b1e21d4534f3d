"""What of mitmproxy the proxy brings into the gateway's process."""

import subprocess
import sys

# Deprecations are mitmproxy's own; see conftest.py.
PYTHON = (sys.executable, "-W", "ignore", "-c")


def _printed(code: str) -> str:
    return subprocess.run((*PYTHON, code), check=True, capture_output=True, text=True).stdout.strip()


def test_brings_no_addons_that_it_does_not_use() -> None:
    """The proxy runs without the web application, the directory client and the other addons of mitmproxy's."""
    code = (
        "import sys, studiogate_stream_intercept.proxy; "
        "heavy = {'flask', 'jinja2', 'werkzeug', 'ldap3', 'mitmproxy.addons', 'mitmproxy.addons.onboarding'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert _printed(code) == "[]"


def test_leaves_all_addons_to_who_imports_them() -> None:
    """Another plugin that imports mitmproxy's addons, earlier or later, gets all of them, and the same ones."""
    afterwards = (
        "import studiogate_stream_intercept.bare as bare, mitmproxy.addons as all_addons; "
        "print(len(all_addons.default_addons()) > 20, all_addons.core is bare.core, "
        "all_addons.proxyserver.Proxyserver is bare.Proxyserver)"
    )
    assert _printed(afterwards) == "True True True"
    assert _printed(f"import mitmproxy.addons; {afterwards}") == "True True True"
