"""The service's own certificate authority, and a certificate for whatever a tunnel names."""

import ipaddress
import ssl
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from studiogate_simulator.certificates import builder, key_usage


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
            builder(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(authority=True), critical=True)
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
                builder(subject, self.certificate.subject, self.leaf_key)
                .add_extension(x509.SubjectAlternativeName([named]), critical=False)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                .add_extension(key_usage(authority=False), critical=True)
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
