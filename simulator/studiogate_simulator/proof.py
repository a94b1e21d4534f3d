"""The proof in a GenerateContent request that its contents were not touched after the page made it.

Upstream a bot guard makes it; here the page packs SHA-256(contents mapping) | 16 random bytes | filler into one
token, `!` + base64url. As upstream it covers the contents only, and works once.
"""

import base64
import binascii
import hashlib
from typing import Final

from attrs import Factory, define

from studiogate_simulator.jspb import Json, at, items

_DIGEST: Final = 32
_NONCE: Final = 16
_LEAST: Final = 700
"""Fewest characters of a proof; upstream's are about 700 to 2200 long."""


def bound_text(contents: Json) -> str:
    """Map contents to the text that a proof covers: every part's text, data or file id, joined by one space."""
    return " ".join(_bound_part(part) for content in items(contents) for part in items(at(content, 0)))


def digest_of(contents: Json) -> bytes:
    """Hash the bound text of contents."""
    return hashlib.sha256(bound_text(contents).encode("utf-8", "surrogatepass")).digest()


@define
class ProofLedger:
    """Checks proofs and remembers which were used."""

    _used: set[bytes] = Factory(set[bytes])
    """Nonces of accepted proofs."""

    def accept(self, proof: Json, contents: Json) -> bool:
        """Use up a proof; False when it is missing, malformed, used before, or made for other contents."""
        raw = _unpack(proof)
        if raw is None or raw[:_DIGEST] != digest_of(contents):
            return False
        nonce = raw[_DIGEST : _DIGEST + _NONCE]
        if nonce in self._used:
            return False
        self._used.add(nonce)
        return True


def _bound_part(part: Json) -> str:
    for bound in (at(part, 1), at(part, 2, 1), at(part, 5, 0)):
        if isinstance(bound, str):
            return bound
    return ""


def _unpack(proof: Json) -> bytes | None:
    if not isinstance(proof, str) or len(proof) < _LEAST or not proof.startswith("!"):
        return None
    try:
        raw = base64.urlsafe_b64decode(proof[1:] + "=" * (-len(proof[1:]) % 4))
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) >= _DIGEST + _NONCE else None
