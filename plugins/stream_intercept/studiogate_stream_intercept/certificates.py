"""The certificate authority of this installation: made once, kept private, never shipped.

mitmproxy reads its CA from a folder; this module fills that folder so that no moment of it is unsafe: the folder is
0700 before a key is in it, and the key appears under its name whole or not at all. Two gateways that start at once
both make a CA, one hard link wins, and both use the winner's.
"""

import os
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
from cryptography import x509
from mitmproxy.certs import Cert

from studiogate.errors import ConfigurationError
from studiogate.private_file import replace_file
from studiogate_stream_intercept.mitm import CA_FILE, DH_FILE, create_authority
from studiogate_studio.trust import spki_of

TRUSTED_FILE = "trusted.pem"
"""The authorities that upstream servers are verified against, where they come from several files."""


@attrs.frozen(kw_only=True)
class Authority:
    """A CA that is ready for use."""

    folder: Path
    """What mitmproxy calls its confdir; 0700, its files 0600."""
    spki: str
    """Base64 of the SHA-256 of the CA's public key (DER SubjectPublicKeyInfo): what Chromium's
    `--ignore-certificate-errors-spki-list` trusts, and nothing else."""


def ensure_authority(folder: Path) -> Authority:
    """Return the CA in `folder`, made if there is none yet, with its permissions tightened.

    Blocks for as long as a key takes to make (0.1-0.5 s) the first time. Raises `ConfigurationError` when the folder
    can't be written, or what is in it is no CA or an expired one.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if not (folder / CA_FILE).exists():
            _publish_new(folder)
        for name in (CA_FILE, DH_FILE):
            (folder / name).chmod(0o600)
        pem = (folder / CA_FILE).read_bytes()
    except OSError as error:
        message = f"The proxy's certificate folder {folder} can't be used ({error.strerror or error}): it must be "
        raise ConfigurationError(f"{message}a folder that only this user owns, reads and writes.") from error
    return Authority(folder=folder, spki=_spki(folder, pem))


def gather_trusted(folder: Path, files: Sequence[Path]) -> Path | None:
    """Return one file with the certificates of all these; None for no files, and a single one as it is.

    :param folder: where it is written, anew each time.
    :raises ConfigurationError: a file can't be read or holds no certificate.
    """
    for file in files:
        try:
            ssl.create_default_context(cafile=file)
        except OSError as error:  # ssl.SSLError is one
            why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigurationError(f"The authority in {file} can't be used: {why}.") from error
    if len(files) < 2:  # noqa: PLR2004 - nothing to gather
        return files[0] if files else None
    gathered = folder / TRUSTED_FILE
    replace_file(gathered, b"\n".join(file.read_bytes() for file in files))
    return gathered


def _publish_new(folder: Path) -> None:
    """Make a CA beside its place and put it there, unless another process was first."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as new:
        create_authority(Path(new))
        # The CA comes last: who sees it finds everything else in place. A link, unlike a rename, never replaces.
        (Path(new) / DH_FILE).replace(folder / DH_FILE)
        try:
            os.link(Path(new) / CA_FILE, folder / CA_FILE)
        except FileExistsError:
            return


def _spki(folder: Path, pem: bytes) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        message = f"{folder / CA_FILE} holds no certificate: delete the folder, and a new CA is made."
        raise ConfigurationError(message) from error
    if Cert(certificate).has_expired():
        raise ConfigurationError(f"The CA in {folder} has expired: delete the folder, and a new one is made.")
    return spki_of(pem)
