import json
import time

import pytest

from studiogate_simulator.account import AUTH_COOKIES, is_signed_in, refreshed_cookies, storage_state


def test_signed_in() -> None:
    """All the auth cookies together sign in; one missing or empty does not."""
    pairs = [f"{name}=x" for name in AUTH_COOKIES]

    assert is_signed_in({"cookie": "; ".join(pairs)})
    assert not is_signed_in({"cookie": "; ".join(pairs[1:])})
    assert not is_signed_in({"cookie": "; ".join([*pairs[1:], "SID="])})
    assert not is_signed_in({})


def test_storage_state() -> None:
    """The state has a year of cookies, and the page's preference."""
    state = json.loads(storage_state())
    cookies = {cookie["name"]: cookie for cookie in state["cookies"]}

    assert set(AUTH_COOKIES) <= set(cookies)
    assert all(cookie["secure"] and cookie["domain"] == ".google.com" for cookie in cookies.values())
    assert cookies["SID"]["expires"] == pytest.approx(time.time() + 365 * 86400, abs=60)
    [origin] = state["origins"]
    assert origin["origin"] == "https://aistudio.google.com"
    assert json.loads(origin["localStorage"][0]["value"])["autosaveEnabled"] is False


def test_refreshed_cookies() -> None:
    """Three cookies are renewed by every RPC."""
    assert [cookie.partition("=")[0] for cookie in refreshed_cookies()] == [
        "SIDCC",
        "__Secure-1PSIDCC",
        "__Secure-3PSIDCC",
    ]
