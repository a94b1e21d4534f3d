"""The fingerprint by which Chromium is told to trust one certificate."""

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def spki_of(pem: bytes) -> str:
    """Return the base64 of the SHA-256 of a certificate's SubjectPublicKeyInfo.

    Chromium's `--ignore-certificate-errors-spki-list` takes these, joined by commas.

    :param pem: one certificate, or a file's worth of which the first counts.
    :raises ValueError: there is no certificate in it.
    """
    key = x509.load_pem_x509_certificate(pem).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()
