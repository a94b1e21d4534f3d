"""The service's own certificate authority, and a certificate for whatever a tunnel names."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@attrs.frozen(kw_only=True)
class Authority:
    """A CA that is made anew at each start."""

    key: ec.EllipticCurvePrivateKey
    leaf_key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path
    folder: Path
    contexts: dict[str, ssl.SSLContext] = attrs.field(factory=dict[str, ssl.SSLContext])

    @classmethod
    def made(cls, folder: Path) -> "Authority":
        """Make one; the file beside it holds the certificate only."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "helper's CA")])
        certificate = (
            _certificate(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage_of(authority=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / "helper-ca.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        leaf_key = ec.generate_private_key(ec.SECP256R1())
        return cls(key=key, leaf_key=leaf_key, certificate=certificate, file=file, folder=folder)

    def context_for(self, host: str) -> ssl.SSLContext:
        """Return what a tunnel to this host is decrypted with."""
        if host not in self.contexts:
            try:
                named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
            except ValueError:
                named = x509.DNSName(host)
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "helper")])
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
            certificate = (
                _certificate(subject, self.certificate.subject, self.leaf_key)
                .add_extension(x509.SubjectAlternativeName([named]), critical=False)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                .add_extension(_usage_of(authority=False), critical=True)
                .add_extension(issuer, critical=False)
                .sign(self.key, hashes.SHA256())
            )
            chain = self.folder / f"{len(self.contexts)}.pem"
            chain.write_bytes(
                certificate.public_bytes(serialization.Encoding.PEM)
                # Chromium is told the authority's key, and looks for it in the chain.
                + self.certificate.public_bytes(serialization.Encoding.PEM)
                + self.leaf_key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            context.set_alpn_protocols(["http/1.1"])
            self.contexts[host] = context
        return self.contexts[host]


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage_of(*, authority: bool) -> x509.KeyUsage:
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
