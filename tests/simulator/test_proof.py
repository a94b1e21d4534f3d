import hashlib
from typing import Any

from studiogate_simulator.proof import ProofLedger, bound_text, digest_of

from .harness import proof_for

CONTENTS: list[Any] = [[[[None, "hi"]], "user"]]


def test_bound_text() -> None:
    """Text, inline data, file ids and nothing are joined by one space, over all contents in order."""
    parts: list[Any] = [
        [None, "a"],
        [None, None, ["image/png", "aGk="]],
        [None] * 5 + [["file"]],
        [*[None] * 10, ["f", []]],
    ]
    contents: list[Any] = [[parts, "user"], [[[None, "b", *[None] * 10, 1]], "model"]]

    assert bound_text(contents) == "a aGk= file  b"


def test_digest() -> None:
    """The digest is SHA-256 of the bound text in UTF-8."""
    assert digest_of([[[[None, "ü"]], "user"]]) == hashlib.sha256("ü".encode()).digest()


def test_accepted_once() -> None:
    """A proof is used up by its acceptance."""
    ledger, proof = ProofLedger(), proof_for(CONTENTS)

    assert ledger.accept(proof, CONTENTS)
    assert not ledger.accept(proof, CONTENTS)


def test_refusal_does_not_use_up() -> None:
    """A proof that was refused for other contents still works for its own."""
    ledger, proof = ProofLedger(), proof_for(CONTENTS)

    assert not ledger.accept(proof, [[[[None, "ho"]], "user"]])
    assert ledger.accept(proof, CONTENTS)
