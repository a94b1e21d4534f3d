import base64
import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from studiogate.errors import ConfigurationError
from studiogate_stream_intercept.certificates import ensure_authority
from studiogate_stream_intercept.mitm import CA_FILE, DH_FILE


def test_the_folder_is_private(tmp_path: Path) -> None:
    """The folder is 0700, its files 0600, and it holds no more than is needed."""
    folder = ensure_authority(tmp_path / "deep" / "ca").folder

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {CA_FILE: 0o600, DH_FILE: 0o600}


def test_the_fingerprint_is_of_the_public_key(ca_dir: Path) -> None:
    """`spki` is what Chromium computes: base64 of the SHA-256 of the DER SubjectPublicKeyInfo."""
    authority = ensure_authority(ca_dir)

    key = x509.load_pem_x509_certificate((ca_dir / CA_FILE).read_bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    assert base64.b64decode(authority.spki) == digest


def test_a_second_start_uses_the_same_ca(ca_dir: Path) -> None:
    """A CA is made once, and its permissions are tightened each time."""
    first = ensure_authority(ca_dir)
    (ca_dir / CA_FILE).chmod(0o644)
    ca_dir.chmod(0o755)

    assert ensure_authority(ca_dir) == first
    assert stat.S_IMODE((ca_dir / CA_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(ca_dir.stat().st_mode) == 0o700


def test_starts_at_once_agree(tmp_path: Path) -> None:
    """Whoever comes first makes the CA; all the others use it, none sees a part of it."""
    with ThreadPoolExecutor(8) as starts:
        authorities = list(starts.map(ensure_authority, [tmp_path / "ca"] * 8))

    assert len(set(authorities)) == 1
    assert {path.name for path in (tmp_path / "ca").iterdir()} == {CA_FILE, DH_FILE}


def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    """The operator is told which folder and what it should be."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ConfigurationError, match="file/ca can't be used"):
        ensure_authority(tmp_path / "file" / "ca")


def test_a_damaged_ca(tmp_path: Path) -> None:
    """A CA file that holds no certificate is not replaced behind the operator's back."""
    for name in (CA_FILE, DH_FILE):
        (tmp_path / name).write_text("damaged")

    with pytest.raises(ConfigurationError, match="holds no certificate"):
        ensure_authority(tmp_path)
