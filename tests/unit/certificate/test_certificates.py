"""What speaks against a certificate, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from panoramax_ops.certificates import matches, problems

NOW = datetime(2030, 6, 1, tzinfo=UTC)
AUTHORITY = ec.generate_private_key(ec.SECP256R1())
KEY = ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _certificate(
    *names: x509.GeneralName,
    key: CertificateIssuerPrivateKeyTypes = KEY,
    issuer: str = "authority",
    subject: str = "site",
    issuer_key: CertificateIssuerPrivateKeyTypes = AUTHORITY,
    begins: datetime = NOW - timedelta(days=1),
    ends: datetime = NOW + timedelta(days=100),
    authority: bool = False,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _key(key: CertificateIssuerPrivateKeyTypes = KEY, passphrase: bytes | None = None) -> bytes:
    how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


SITE = x509.DNSName("photos.example.org")
ROOT = _certificate(key=AUTHORITY, subject="authority")


def _problems(
    folder: Path, certificate: bytes, key: bytes | None = None, days: int = 0, issuer: bytes = b""
) -> list[str]:
    (folder / "site.crt").write_bytes(certificate)
    (folder / "site.key").write_bytes(_key() if key is None else key)
    (folder / "ca.crt").write_bytes(issuer)
    issuer_file = folder / "ca.crt" if issuer else None
    return problems(
        folder / "site.crt", folder / "site.key", "photos.example.org", days=days, issuer_file=issuer_file, now=NOW
    )


def test_a_good_one(tmp_path: Path) -> None:
    assert _problems(tmp_path, _certificate(SITE) + ROOT, days=30, issuer=ROOT) == []


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        (
            _certificate(SITE, begins=NOW - timedelta(days=9), ends=NOW - timedelta(days=2)),
            None,
            "expired on 2030-05-30",
        ),
        (_certificate(SITE, begins=NOW + timedelta(days=2)), None, "not valid before 2030-06-03 00:00 UTC"),
        (_certificate(SITE, ends=NOW + timedelta(days=10)), None, "in fewer than 30 days"),
        (_certificate(x509.DNSName("other.example.org")), None, "is for other.example.org, not for photos.example.org"),
        (_certificate(x509.DNSName("*.photos.example.org")), None, "not for photos.example.org"),
        (_certificate(), None, "is for no name at all"),
        (_certificate(SITE), _key(AUTHORITY), "is not the key of"),
        (_certificate(SITE), b"nonsense", "site.key holds no private key in PEM form"),
        (_certificate(SITE), _key(passphrase=b"secret"), "protected by a passphrase"),
        (b"nonsense", None, "site.crt holds no certificate in PEM form"),
        (ROOT + _certificate(SITE), None, "is not the key of"),
        (_certificate(SITE) + _certificate(SITE), None, "certificate 2 did not issue the one before it"),
    ],
)
def test_what_speaks_against_it(tmp_path: Path, certificate: bytes, key: bytes | None, message: str) -> None:
    assert any(message in problem for problem in _problems(tmp_path, certificate, key, days=30))


def test_a_weak_key(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert "1024 bits" in _problems(tmp_path, _certificate(SITE, key=weak), _key(weak))[0]


def test_another_authority(tmp_path: Path) -> None:
    other = _certificate(key=KEY, subject="authority", issuer_key=KEY)
    assert "was not issued by" in _problems(tmp_path, _certificate(SITE), issuer=other)[0]


MIDDLE = ec.generate_private_key(ec.SECP256R1())
TRUSTED = _certificate(key=AUTHORITY, subject="authority", authority=True)
BETWEEN = _certificate(key=MIDDLE, subject="middle", authority=True)
BELOW = _certificate(SITE, issuer="middle", issuer_key=MIDDLE)
UNRELATED = _certificate(key=KEY, subject="unrelated", issuer="unrelated", issuer_key=KEY, authority=True)


@pytest.mark.parametrize(
    ("chain", "authorities", "message"),
    [
        (_certificate(SITE), TRUSTED, ""),
        (_certificate(SITE) + TRUSTED, TRUSTED, ""),
        (BELOW + BETWEEN, UNRELATED + TRUSTED, ""),
        (BELOW, BETWEEN, ""),
        (BELOW, TRUSTED, "does not lead to an authority in"),
        (_certificate(SITE), UNRELATED, "was issued by CN=authority"),
        (_certificate(SITE), ROOT, "no authority's (basic constraints, CA:TRUE)"),
        (
            _certificate(SITE),
            _certificate(key=AUTHORITY, subject="authority", authority=True, ends=NOW - timedelta(hours=1)),
            "private.crt expired on 2030-05-31",
        ),
        (_certificate(SITE), b"nonsense", "private.crt holds no certificate in PEM form"),
    ],
)
def test_a_private_authority(tmp_path: Path, chain: bytes, authorities: bytes, message: str) -> None:
    (tmp_path / "c").write_bytes(chain)
    (tmp_path / "k").write_bytes(_key())
    private = tmp_path / "private.crt"
    private.write_bytes(authorities)
    found = problems(tmp_path / "c", tmp_path / "k", "photos.example.org", authority_file=private, now=NOW)
    assert [problem for problem in found if message not in problem] == []
    assert bool(found) is bool(message)


def test_missing_files_are_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "a.crt", tmp_path / "a.key", "x") == [
        f"{tmp_path}/a.crt cannot be read: No such file or directory"
    ]


def test_an_address(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(_certificate(x509.IPAddress(ip_address("192.0.2.1"))))
    (tmp_path / "k").write_bytes(_key())
    assert problems(tmp_path / "c", tmp_path / "k", "192.0.2.1", now=NOW) == []


@pytest.mark.parametrize(
    ("name", "domain", "covered"),
    [
        ("photos.example.org", "PHOTOS.example.org.", True),
        ("*.example.org", "photos.example.org", True),
        ("*.example.org", "a.photos.example.org", False),
        ("*.example.org", "example.org", False),
        ("*.0.2.1", "192.0.2.1", False),
        ("example.org", "photos.example.org", False),
    ],
)
def test_names(name: str, domain: str, covered: bool) -> None:
    assert matches(name, domain) is covered
