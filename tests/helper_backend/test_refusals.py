import time
from email.utils import formatdate
from typing import Any

import pytest

from studiogate_helper_backend.refusals import failure, read_retry_after, refusal, told
from studiogate_helper_backend.words import Censor

CENSOR = Censor("sk-secret", ())


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"error": {"message": "m", "code": "c"}}, ("m", "c")),
        ({"error": {"message": None, "code": 7}}, ("", "")),
        ({"error": "m"}, ("m", "")),
        ({"error": ["m"]}, ("", "")),
        ({"message": "m", "code": 404}, ("m", "")),
        ({"detail": "m"}, ("m", "")),
        ({"detail": [{"loc": ["body", "n"], "msg": "wrong", "input": "SECRET"}, 7]}, ("body.n: wrong", "")),
        ({"detail": [{"msg": "wrong"}]}, ("request: wrong", "")),
        ({"detail": {}}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_what_a_service_says_is_found(document: dict[str, Any], expected: tuple[str, str]) -> None:
    """In the shape of OpenAI's errors, of vLLM's, of Ollama's and of FastAPI's."""
    assert told(document) == expected


@pytest.mark.parametrize(
    ("status", "document", "to_client", "reason"),
    [
        (302, {}, 502, "the service redirects elsewhere, which is not followed (HTTP 302)"),
        (400, {"error": "bad"}, 400, "the service refuses the request (HTTP 400): bad"),
        (400, {"error": {"code": "model_not_found"}}, 422, "the service doesn't have the model"),
        (401, {"error": "sk-sec***et is wrong"}, 503, "the service refuses the gateway's key (HTTP 401)"),
        (403, {"error": "no"}, 503, "the service refuses the gateway's key (HTTP 403)"),
        (402, {}, 429, "the account with the service has no credit (HTTP 402)"),
        (404, {"error": "model 'x' not found"}, 422, "the service doesn't have the model: model 'x' not found"),
        (
            404,
            {"detail": "Not Found"},
            502,
            "the service knows nothing at this address; is base_url right? (HTTP 404): Not Found",
        ),
        (405, {}, 502, "the service refuses the request (HTTP 405)"),
        (408, {}, 504, "the service took too long (HTTP 408)"),
        (413, {}, 413, "the request is too large for the service (HTTP 413)"),
        (422, {"detail": "n"}, 400, "the service refuses the request (HTTP 422): n"),
        (429, {"error": "slow down"}, 429, "the service's quota is used up (HTTP 429): slow down"),
        (500, {"error": "sk-secret"}, 502, "the service failed (HTTP 500): ****"),
        (502, {}, 502, "the service can't be reached behind its front (HTTP 502)"),
        (503, {}, 502, "the service is overloaded or stopped (HTTP 503)"),
        (504, {}, 504, "the service took too long (HTTP 504)"),
        (529, {}, 502, "the service failed (HTTP 529)"),
    ],
)
def test_a_refusal_keeps_its_meaning(status: int, document: dict[str, Any], to_client: int, reason: str) -> None:
    """The client gets the status that fits, and the service's words but never the key."""
    error = refusal(status, document, CENSOR, retry_after_s=3)

    assert (error.status, error.reason) == (to_client, reason)


def test_a_service_that_wants_a_key_is_told_apart_from_one_that_refuses_ours() -> None:
    """Where none is configured, none was refused."""
    assert refusal(401, {}, Censor(None, ())).reason == "the service wants a key from the gateway (HTTP 401)"


@pytest.mark.parametrize(
    ("error", "to_client", "reason"),
    [
        ({"message": "gone wrong"}, 502, "the service failed: gone wrong"),
        ("gone wrong", 502, "the service failed: gone wrong"),
        ({"message": "busy", "code": 429}, 429, "the service's quota is used up (HTTP 429): busy"),
        ({"message": "busy", "code": "429"}, 429, "the service's quota is used up (HTTP 429): busy"),
        ({"message": "bad", "code": 1, "status": 400}, 400, "the service refuses the request (HTTP 400): bad"),
        ({"message": "no x", "code": "model_not_found"}, 422, "the service doesn't have the model: no x"),
        ({"message": "odd", "code": 200}, 502, "the service failed: odd"),
    ],
)
def test_an_error_in_place_of_an_answer_is_read_alike(error: Any, to_client: int, reason: str) -> None:
    """Its status stands in the error, as a number or as text, if anywhere."""
    made = failure({"error": error}, CENSOR)

    assert (made.status, made.reason) == (to_client, reason)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_read(headers: dict[str, str], expected: float | None) -> None:
    """In seconds, in milliseconds, or as a date; nonsense is no wait."""
    assert read_retry_after(headers) == expected


def test_a_wait_until_a_date_counts_from_now() -> None:
    """A date in the future is so many seconds away."""
    wait = read_retry_after({"retry-after": formatdate(time.time() + 100, usegmt=True)})

    assert wait is not None
    assert 95 < wait <= 101
