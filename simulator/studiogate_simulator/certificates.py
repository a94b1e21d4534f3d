"""The simulator's own certificate authority and the certificate it serves with.

The authority is made once per state folder and never leaves it. It is constrained to the names that are played here,
so that trusting it opens nothing else.
"""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from studiogate_simulator.hosts import PLAYED_HOSTS

_LIFE: Final = timedelta(days=365)
_LOOPBACK: Final = ipaddress.IPv4Address("127.0.0.1")
_NAMES: Final = (*PLAYED_HOSTS, "localhost")


@frozen(kw_only=True)
class Certificates:
    """Where the PEM files lie."""

    ca: Path
    """The authority's certificate, for clients to trust."""
    leaf: Path
    """The served chain: the leaf, then the authority."""
    leaf_key: Path
    """The leaf's private key, mode 0600."""


def make_certificates(folder: Path) -> Certificates:
    """Make (or, for the authority, reuse) the certificates in an existing folder."""
    ca_path, ca_key_path = folder / "ca.pem", folder / "ca-key.pem"
    if ca_path.exists() and ca_key_path.exists() and _serves(ca_path):
        ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
        ca_key = _load_key(ca_key_path)
    else:
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca = _issue_authority(ca_key)
        write_private(ca_key_path, _key_pem(ca_key))
        write_private(ca_path, _certificate_pem(ca))
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = _issue_leaf(leaf_key, ca, ca_key)
    made = Certificates(ca=ca_path, leaf=folder / "leaf.pem", leaf_key=folder / "leaf-key.pem")
    write_private(made.leaf_key, _key_pem(leaf_key))
    write_private(made.leaf, _certificate_pem(leaf) + _certificate_pem(ca))
    return made


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _issue_authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("studiogate simulator CA")
    permitted = [*map(x509.DNSName, _NAMES), x509.IPAddress(ipaddress.IPv4Network(_LOOPBACK))]
    return (
        builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _issue_leaf(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    names = [*map(x509.DNSName, _NAMES), x509.IPAddress(_LOOPBACK)]
    return (
        builder(_name("studiogate simulator"), ca.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        # Python's strict verification wants this identifier on everything but self-signed certificates.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """Begin a certificate for a key; what it may be used for is still to be said."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def key_usage(*, authority: bool) -> x509.KeyUsage:
    """Say that a key signs certificates and nothing else, or connections and nothing else."""
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _serves(path: Path) -> bool:
    """Tell whether an authority lasts and may vouch for every name; an older version's may lack some."""
    ca = x509.load_pem_x509_certificate(path.read_bytes())
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints).value
    names = {name.value for name in constraints.permitted_subtrees or () if isinstance(name, x509.DNSName)}
    return names == set(_NAMES) and ca.not_valid_after_utc - datetime.now(UTC) > _LIFE / 2


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no elliptic curve key; remove the state folder to have a new authority made")
    return key


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
