import pytest

from studiogate_simulator.status import RpcFailure, Status, code_of, streamed, unary


@pytest.mark.parametrize(
    ("code", "http"), [(3, 400), (16, 401), (7, 403), (5, 404), (8, 429), (13, 500), (14, 503), (2, 500)]
)
def test_http(code: int, http: int) -> None:
    """Every code has its HTTP status."""
    assert Status(code=code, message="").http == http


def test_code_of() -> None:
    """An HTTP status has its code, or the internal one."""
    assert (code_of(429), code_of(418)) == (8, 13)


def test_encodings() -> None:
    """A streaming call wraps the status and elides the slot before it; a unary one does not."""
    status = Status(code=8, message="quota", details=[["type"]])

    assert streamed(status) == b'[,[8,"quota",[["type"]]]]'
    assert unary(status) == b'[8,"quota",[["type"]]]'


def test_failure() -> None:
    """A failure carries its status."""
    assert RpcFailure(5, "gone").status == Status(code=5, message="gone")
