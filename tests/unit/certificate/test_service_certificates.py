"""The services' authority and certificates: made once, kept, made again when they would not serve any more."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service_certificates import Service, keep, make_authority, make_certificate, serves

SERVICES = [Service("database", ("database",), ("172.30.76.12",)), Service("api", ("api",))]


def _keep(directory: Path, services: list[Service] = SERVICES, *, check: bool = False) -> list[str]:
    return keep(directory, "Test", services, days=730, renew_days=30, check=check)[1]


def test_everything_is_made_once_and_only_the_owner_reads_keys(tmp_path: Path) -> None:
    assert _keep(tmp_path / "tls") == ["authority", "database", "api"]
    assert _keep(tmp_path / "tls") == []
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()}
    assert {name for name, mode in modes.items() if mode == 0o600} == {"ca.key", "database.key", "api.key"}
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    issued, renewed = keep(tmp_path / "tls", "Test", SERVICES, days=730, renew_days=30, check=True)
    assert renewed == ["authority", "database", "api"]
    assert "BEGIN CERTIFICATE" in issued["api"]["certificate"]
    assert not (tmp_path / "tls").exists()


def test_another_name_or_a_foreign_key_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    _keep(tmp_path)
    assert _keep(tmp_path, [Service("database", ("database", "db")), SERVICES[1]]) == ["database"]
    (tmp_path / "api.key").write_bytes((tmp_path / "ca.key").read_bytes())
    assert _keep(tmp_path, [Service("database", ("database", "db")), SERVICES[1]]) == ["api"]


def test_a_lost_authority_replaces_all(tmp_path: Path) -> None:
    _keep(tmp_path)
    (tmp_path / "ca.key").unlink()
    assert _keep(tmp_path) == ["authority", "database", "api"]


def test_what_ends_soon_does_not_serve() -> None:
    now = datetime.now(UTC)
    authority = make_authority("Test", now)
    pair = make_certificate(SERVICES[1], authority, 40, now)
    assert serves(pair, SERVICES[1], authority, 30, now)
    assert not serves(pair, SERVICES[1], authority, 30, now + timedelta(days=11))
    assert not serves(pair, SERVICES[1], make_authority("Other", now), 30, now)


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="not-an-address"):
        Service("x", (), ("not-an-address",)).alternatives()


@pytest.mark.parametrize(("name", "accepted"), [("database", True), ("172.30.76.12", True), ("api", False)])
def test_a_strict_client_accepts_it_for_its_names_only(tmp_path: Path, name: str, accepted: bool) -> None:
    _keep(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "database.crt", tmp_path / "database.key")
    client = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()

    def answer() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except OSError:
            far.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        if accepted:
            client.wrap_socket(near, server_hostname=name).close()
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                client.wrap_socket(near, server_hostname=name)
    finally:
        near.close()
        thread.join()
