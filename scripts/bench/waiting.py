"""Waits until a gateway has nothing left to do, so that a measurement meets nothing but itself."""

import time

from tests.e2e.house import Gateway, wait_until

SETTLE_S = 0.3
"""How long a ready page is left alone before it is used: what it still loads is no part of an answer."""


def until_idle(gateway: Gateway) -> None:
    """Wait until every tab is ready, and then for the page to settle."""
    wait_until(lambda: gateway.tabs_ready() == gateway.health()["queue"]["slots"], "every tab ready")
    time.sleep(SETTLE_S)
