"""Certificates and keys, right and wrong, for localhost; made anew for each run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _pem(key: Key, passphrase: bytes | None = None) -> bytes:
    form = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form)


def _certificate(
    key: Key, name: str = "localhost", begins: int = -1, ends: int = 90, issuer: tuple[str, Key] | None = None
) -> bytes:
    """A certificate in PEM form, signed by itself unless an issuer is given; days from now."""
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = issuer or (name, key)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begins))
        .not_valid_after(now + dt.timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def write_files(directory: Path) -> Path:
    """Fill a directory. Returns it."""
    key, other, authority = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    made = {
        "key.pem": _pem(key),
        "other-key.pem": _pem(other),
        "locked-key.pem": _pem(key, b"sesame"),
        "weak-key.pem": _pem(weak),
        "good.pem": _certificate(key),
        "weak.pem": _certificate(weak),
        "expired.pem": _certificate(key, begins=-90, ends=-1),
        "early.pem": _certificate(key, begins=1),
        "elsewhere.pem": _certificate(key, "elsewhere.example.org"),
        # The second is an authority of the right name with another key.
        "wrong-chain.pem": _certificate(key, issuer=("Our Authority", other))
        + _certificate(authority, "Our Authority"),
    }
    for name, content in made.items():
        (directory / name).write_bytes(content)
    return directory
