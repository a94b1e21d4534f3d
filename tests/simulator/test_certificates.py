import stat
from pathlib import Path

import pytest
from cryptography import x509

from studiogate_simulator import certificates
from studiogate_simulator.certificates import make_certificates, write_private
from studiogate_simulator.hosts import PLAYED_HOSTS


def test_leaf_names(tmp_path: Path) -> None:
    """The leaf is good for every played host and for loopback."""
    made = make_certificates(tmp_path)
    [leaf, _] = x509.load_pem_x509_certificates(made.leaf.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert set(PLAYED_HOSTS) | {"localhost"} == set(names.get_values_for_type(x509.DNSName))
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_authority_is_constrained(tmp_path: Path) -> None:
    """The authority can vouch for nothing but the names played here."""
    ca = x509.load_pem_x509_certificate(make_certificates(tmp_path).ca.read_bytes())

    permitted = ca.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    assert permitted
    assert len(permitted) == len(PLAYED_HOSTS) + 2


def test_authority_stays(tmp_path: Path) -> None:
    """The same folder keeps its authority and gets a new leaf."""
    first = make_certificates(tmp_path)
    ca, leaf = first.ca.read_bytes(), first.leaf.read_bytes()
    second = make_certificates(tmp_path)

    assert second.ca.read_bytes() == ca
    assert second.leaf.read_bytes() != leaf


def test_an_authority_of_other_names_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One made when fewer hosts were played could not vouch for the others."""
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "_NAMES", ("localhost",))
        older = make_certificates(tmp_path).ca.read_bytes()

    assert make_certificates(tmp_path).ca.read_bytes() != older


def test_modes(tmp_path: Path) -> None:
    """Everything is for the owner only, also over a file that was not."""
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    make_certificates(tmp_path)

    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    assert path.read_bytes() == b"new"
