"""What keeps a site from being verified at all is said in words, with what to do: real connections, real TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.reaching import must_answer

NOW = datetime.now(UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    path: Path, name: str = "localhost", begins: datetime = NOW - timedelta(days=9), days: int = 90
) -> Path:
    """A certificate that is its own authority, with its key, in one file."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(KEY, hashes.SHA256())
    )
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + key)
    return path


@contextlib.contextmanager
def serving(pem: Path) -> Iterator[str]:
    """A server on this machine that shakes hands and hangs up. Yields its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        thread.join(timeout=10)


def refusal(url: str, authority: Path | None) -> str:
    with pytest.raises(UnableError) as caught:
        must_answer(url, authority)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value.message


def test_a_site_that_answers(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "site.pem")
    with serving(pem) as url:
        must_answer(url, pem)


def test_an_expired_certificate(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "site.pem", days=5)
    with serving(pem) as url:
        assert refusal(url, pem) == f"The certificate of {url} has expired."


def test_a_certificate_of_tomorrow(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "site.pem", begins=NOW + timedelta(days=1))
    with serving(pem) as url:
        assert "is not valid yet" in refusal(url, pem)


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "site.pem", name="elsewhere.example.org")
    with serving(pem) as url:
        assert "is for another name" in refusal(url, pem)


@pytest.mark.parametrize("own", [True, False])
def test_a_certificate_of_another_authority(tmp_path: Path, own: bool) -> None:
    other = certificate(tmp_path / "other.pem", name="other.example.org")
    with serving(certificate(tmp_path / "site.pem")) as url:
        message = refusal(url, other if own else None)
    assert (str(other) if own else "the authorities that this machine knows") in message


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate\n")
    assert "holds no certificate of an authority" in refusal("https://localhost:1", tmp_path / "ca.pem")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert refusal(f"https://127.0.0.1:{port}", None).endswith("is not reached: Connection refused.")


def test_a_name_that_nobody_has() -> None:
    assert "the name nowhere.invalid is unknown here" in refusal("https://nowhere.invalid", None)
