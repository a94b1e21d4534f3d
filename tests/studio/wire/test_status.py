import contextlib
import json
from typing import Any

import pytest
from hypothesis import given

from studiogate_studio.wire import Status, WireError, http_status, read_status, status_of

from .streams import compact
from .test_answer import JSON

TYPE = "type.googleapis.com/google.rpc."


def details(*found: Any) -> Status | None:
    """Read a quota error with the given details."""
    return status_of([None, [8, "quota", list(found)]])


@pytest.mark.parametrize(
    "body",
    [
        b'[,[7,"no"]]',
        b'[null,[7,"no"]]',
        b'[7,"no"]',
        b'[[[1]],["7","no"]]',
        b'[[7,"no"]]',
        b')]}\'\n[,[7,"no"]]',
        b'{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}',
        b'[{"error":{"code":403,"message":"no"}}]',
        b'{"code":7,"message":"no"}',
    ],
)
def test_every_wrapping(body: bytes) -> None:
    """One error, however it is wrapped."""
    status = read_status(body)

    assert status == Status(code=7, message="no")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[[]]", b"[[[1]]]", b'["a"]', b"{}", b'{"error":{}}', b"7"])
def test_what_is_no_status(body: bytes) -> None:
    """An HTML page or a good answer is no error of the RPC."""
    assert read_status(body) is None


@pytest.mark.parametrize(
    ("code", "http"), [(3, 400), (5, 404), (7, 403), (8, 429), (13, 500), (14, 503), (16, 401), (77, 500)]
)
def test_codes_over_http(code: int, http: int) -> None:
    """Each code has its status."""
    assert http_status(code) == Status(code=code).http_status == http


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ([[30]], 30),
        ([["30"]], 30),
        ([["1", 500_000_000]], 1.5),
        ([30], 30),
        ([["12.5s"]], 12.5),
        ([[None, 500_000_000]], 0.5),
    ],
)
def test_the_time_to_wait(fields: Any, seconds: float) -> None:
    """Seconds are a number or a string, with nanoseconds or without."""
    status = details([TYPE + "RetryInfo", fields])

    assert status is not None
    assert status.retry_after_s == seconds


def test_no_time_to_wait() -> None:
    """An empty hint is none."""
    assert details([TYPE + "RetryInfo", []]) == Status(code=8, message="quota")


def test_quota_metadata() -> None:
    """The limits that were hit are named once each."""
    pairs = [["quota_limit", "PerDay"], ["service", "s"], ["odd"]]

    status = details(
        [TYPE + "ErrorInfo", ["RATE_LIMIT_EXCEEDED", "googleapis.com", pairs]],
        [TYPE + "QuotaFailure", [[[None, None, None, "metric", "PerDay"], [None, None, None, "requests"], []]]],
        ["unknown", [1]],
        "odd",
    )

    assert status is not None
    assert status.reason == "RATE_LIMIT_EXCEEDED"
    assert status.metadata == {"quota_limit": "PerDay", "service": "s"}
    assert status.quotas == ("PerDay", "requests")
    assert status.summary == "quota (RESOURCE_EXHAUSTED) [PerDay, requests]"


def test_the_rest_form_has_the_same_details() -> None:
    """Google's REST errors say the same in words."""
    body = {
        "error": {
            "code": 429,
            "message": "quota",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": TYPE + "RetryInfo", "retryDelay": "7s"},
                {"@type": TYPE + "ErrorInfo", "reason": "R", "metadata": {"quota_limit": "L"}},
                {"@type": TYPE + "QuotaFailure", "violations": [{"quotaId": "Q"}, 1]},
            ],
        }
    }

    assert read_status(compact(body)) == Status(
        code=8, message="quota", retry_after_s=7, reason="R", metadata={"quota_limit": "L"}, quotas=("L", "Q")
    )


def test_a_summary_without_words() -> None:
    """Even a bare code can be shown."""
    assert Status(code=99).summary == "The upstream gave no message (CODE_99)"


@given(JSON)
def test_anything_is_a_status_or_none(value: Any) -> None:
    """No shape raises."""
    with contextlib.suppress(WireError):
        read_status(json.dumps(value).encode())
    read_status(
        json.dumps([None, [8, value, [value, [TYPE + "RetryInfo", value], [TYPE + "ErrorInfo", value]]]]).encode()
    )
