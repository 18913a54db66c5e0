"""A certificate by ACME, renewed while people use the site without a failed request; certificates of one's own."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from testinfra.host import Host

testinfra_hosts = ["ansible://acme"]

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventories" / "molecule-acme"
PEBBLE = ROOT / ".cache" / "molecule" / "acme" / "pebble"
AUTHORITY = "172.31.243.20"
DOMAIN = "panoramax.acme.test"


def _served() -> x509.Certificate:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((DOMAIN, 443), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=DOMAIN) as secure,
    ):
        der = secure.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def _certificate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/certificate.py as the schedule would, with the authority's own certificate trusted."""
    return subprocess.run(
        [str(ROOT / ".venv" / "bin" / "python"), "scripts/certificate.py", *arguments, "-i", str(INVENTORY)],
        cwd=ROOT,
        env={**os.environ, "SSL_CERT_FILE": str(PEBBLE / "api.pem")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's root, from Pebble's management interface."""
    path = tmp_path_factory.mktemp("authority") / "root.pem"
    context = ssl.create_default_context(cafile=str(PEBBLE / "api.pem"))
    path.write_text(httpx.get(f"https://{AUTHORITY}:15000/roots/0", verify=context).text, encoding="ascii")
    return path


@dataclass
class Visitors:
    """People who ask for the landing page all the time: two by new connections, one by a connection that stays."""

    context: ssl.SSLContext
    answers: int = 0
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def _ask(self, *, stay: bool) -> None:
        client = httpx.Client(verify=self.context, timeout=20)
        while not self.stop.is_set():
            try:
                if not stay:
                    client.close()
                    client = httpx.Client(verify=self.context, timeout=20)
                answer = client.get(f"https://{DOMAIN}/")
                self.answers += 1
                if answer.status_code != 200:
                    self.failures.append(f"status {answer.status_code}")
            except httpx.HTTPError as error:
                self.failures.append(repr(error))
            time.sleep(0.05)
        client.close()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """They come and go while the block runs."""
        threads = [threading.Thread(target=self._ask, kwargs={"stay": stay}) for stay in (False, False, True)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


@contextmanager
def _settings(*lines: str) -> Iterator[None]:
    """Settings of the site for a while; read after site.yml, so they win."""
    path = INVENTORY / "group_vars" / "all" / "zz_test.yml"
    path.write_text("\n".join(("---", *lines, "")), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


def _started(host: Host) -> str:
    return str(host.check_output("docker inspect -f '{{.State.StartedAt}} {{.RestartCount}}' acme-proxy"))


def test_the_certificate_is_the_authoritys_and_plain_http_leads_to_it(root: Path) -> None:
    answer = httpx.get(f"https://{DOMAIN}/", verify=ssl.create_default_context(cafile=str(root)))
    assert answer.status_code == 200
    plain = httpx.get(f"http://{DOMAIN}/explore")
    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{DOMAIN}/explore")
    assert httpx.get(f"http://{DOMAIN}/.well-known/acme-challenge/nothing").status_code == 404


def test_renewal_fails_no_request_and_restarts_nothing(host: Host, root: Path) -> None:
    before, started = _served(), _started(host)
    visitors = Visitors(ssl.create_default_context(cafile=str(root)))
    with visitors.at_work():
        time.sleep(2)
        done = _certificate("renew", "--days", "30")
        assert done.returncode == 0, done.stdout
        time.sleep(2)
    after = _served()
    assert after.serial_number != before.serial_number
    assert visitors.failures == []
    assert visitors.answers > 50
    assert _started(host) == started
    print(f"{visitors.answers} requests during the renewal, none failed")


def test_what_is_not_due_is_left_alone() -> None:
    # The tests before may have left a certificate of another source with the proxy.
    assert _certificate("renew").returncode == 0
    before = _served()
    done = _certificate("renew")
    assert done.returncode == 0, done.stdout
    assert _served().serial_number == before.serial_number
    shown = json.loads(_certificate("show", "--json").stdout)
    assert (shown["names"], shown["days"]) == ([DOMAIN], 19)


def test_without_its_authority_the_site_goes_on_with_what_it_has(root: Path) -> None:
    assert _certificate("renew").returncode == 0
    before = _served()
    # Where its directory should be there is none. (One that does not answer at all is asked for minutes.)
    with _settings(f"certificate_acme_directory_url: https://{AUTHORITY}:15000/dir"):
        done = _certificate("renew", "--days", "30")
    assert done.returncode == 2, done.stdout
    assert "goes on with the one it has" in " ".join(done.stdout.split())
    assert _served().serial_number == before.serial_number
    context = ssl.create_default_context(cafile=str(root))
    assert httpx.get(f"https://{DOMAIN}/", verify=context).status_code == 200


def _write_own(directory: Path, name: str, days: int = 60, key: ec.EllipticCurvePrivateKey | None = None) -> None:
    """An organisation's own certificate, signed by itself, as site.pem and site.key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "site.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "site.key").write_bytes(key.private_bytes(*form))


def test_provided_files_are_delivered_and_wrong_ones_refused_before_anything_changes(
    host: Host, tmp_path: Path
) -> None:
    files = f"site_certificate_file: {tmp_path}/site.pem", f"site_certificate_key_file: {tmp_path}/site.key"
    with _settings("site_certificate: provided", *files):
        _write_own(tmp_path, DOMAIN)
        done = _certificate("renew")
        assert done.returncode == 0, done.stdout
        served = _served()
        assert served == x509.load_pem_x509_certificate((tmp_path / "site.pem").read_bytes())
        state = _delivered(host)
        wrong: dict[str, Callable[[], None]] = {
            "expired on": lambda: _write_own(tmp_path, DOMAIN, days=-1),
            "is for other.acme.test, not for": lambda: _write_own(tmp_path, "other.acme.test"),
            "is not the key of": lambda: _swap_key(tmp_path),
        }
        for words, make in wrong.items():
            make()
            done = _certificate("renew")
            assert done.returncode == 2, done.stdout
            assert words in " ".join(done.stdout.split()), done.stdout
            assert _served().serial_number == served.serial_number, words
        assert _delivered(host) == state


def _delivered(host: Host) -> str:
    return str(
        host.check_output("cd /etc/private-panoramax/acme/certificate && sha256sum site.pem && stat -c %y site.pem")
    )


def _swap_key(directory: Path) -> None:
    _write_own(directory, DOMAIN)
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "site.key").write_bytes(key.private_bytes(*form))


def test_the_local_authoritys_certificate_is_renewed_by_the_same_command(host: Host) -> None:
    with _settings("site_certificate: local_ca"):
        assert _certificate("renew").returncode == 0
        authority = ROOT / "state" / "molecule-acme" / "ca.crt"
        before, kept, started = _served(), authority.read_bytes(), _started(host)
        visitors = Visitors(ssl.create_default_context(cafile=str(authority)))
        with visitors.at_work():
            done = _certificate("renew", "--days", "398")
            assert done.returncode == 0, done.stdout
            time.sleep(1)
        assert _served().serial_number != before.serial_number
        assert visitors.failures == []
        assert authority.read_bytes() == kept
        assert _started(host) == started
