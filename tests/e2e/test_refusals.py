"""Ordinary mistakes of an operator are refused before anything changes, with the value, the place and the remedy."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import ROOT, SETTINGS, make
from panoramax_ops.scratch import write_inventory


@pytest.fixture
def inventory() -> Iterator[Path]:
    """An inventory of its own that is never deployed: every test of this file is refused."""
    path = write_inventory(
        "e2e-refused",
        SETTINGS.replace("panoramax-e2e", "panoramax-refused").replace("18443", "18543").replace("18080", "18180"),
    )
    yield path
    shutil.rmtree(path)
    shutil.rmtree(ROOT / "state" / path.name, ignore_errors=True)


def _settings(inventory: Path, old: str, new: str) -> None:
    path = inventory / "group_vars" / "all" / "site.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _refused(inventory: Path, *words: str) -> None:
    done = make("deploy", inventory)
    assert done.returncode != 0, done.stdout[-2000:]
    output = " ".join(done.stdout.split())
    assert [word for word in words if word not in output] == [], done.stdout[-3000:]
    try:
        engine = docker.from_env()
    except docker.errors.DockerException:
        return
    label: dict[str, str | list[str] | bool] = {"label": "org.private-panoramax=panoramax-refused"}
    assert engine.containers.list(all=True, filters=label) == []
    assert engine.networks.list(filters=label) == []
    assert engine.volumes.list(filters=label) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("site_domain: localhost\n", "", ("site_domain", "missing required")),
        ("site_title:", "site_titel:", ("site_titel is not a setting", "did you mean site_title?")),
        ("site_domain: localhost", "site_domain: https://localhost", ("site_domain", "without https://")),
        ("site_https_port: 18543", "site_https_port: many", ("site_https_port", "many")),
        ("first.admin@example.org", "first.admin", ("site_admin_email", "first.admin", "e-mail")),
        ("First Administrator", "first@example.org", ("site_admin_name", "shown to everybody")),
        ("site_licence_id: CC-BY-SA-4.0\n", "", ("site_licence_url", "or neither")),
        ("site_title:", "site_memory_min_mb: 9000000\nsite_title:", ("9000000", "give the host more memory")),
        ("site_title:", "site_disk_min_mb: 900000000\nsite_title:", ("900000000", "free some space")),
        ("site_title:", "site_certificate: provided\nsite_title:", ("site_certificate_file", "provided")),
        (
            "site_title:",
            "site_certificate: provided\nsite_certificate_file: /no/such.pem\nsite_certificate_key_file: /no/key\n"
            "site_title:",
            ("/no/such.pem",),
        ),
        ("site_title:", "database_memory: much\nsite_title:", ("database_memory", "much", "768m")),
        ("site_title:", "api_workers: lots\nsite_title:", ("api_workers", "lots")),
        ("site_title:", "api_settings_extra: {API_NAM: x}\nsite_title:", ("API_NAM",)),
    ],
)
def test_a_wrong_setting_is_refused(inventory: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    _settings(inventory, old, new)
    _refused(inventory, *words)


def test_a_port_in_use_is_refused(inventory: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        _settings(inventory, "site_https_port: 18543", f"site_https_port: {port}")
        _refused(inventory, f"port {port} is in use", "site_https_port")


def test_an_inventory_without_a_host_for_a_service_is_refused(inventory: Path) -> None:
    hosts = inventory / "hosts.yml"
    hosts.write_text(hosts.read_text(encoding="utf-8").replace("    blurring: *this_machine\n", ""), encoding="utf-8")
    _refused(inventory, "group blurring has no host")


def test_a_host_without_docker_on_which_none_may_be_installed_is_refused(inventory: Path) -> None:
    _settings(inventory, "site_title:", "site_install_docker: false\nsite_title:")
    # In a mount namespace of its own the engine's socket is hidden from the deployment alone.
    hide = "mount --bind /dev/null /var/run/docker.sock && exec make deploy INVENTORY=inventories/e2e-refused"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hide], cwd=ROOT, capture_output=True, text=True, check=False
    )
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "no Docker Engine answers on /var/run/docker.sock" in output, done.stdout[-2000:]
    assert "site_install_docker is false" in output
    assert "install Docker Engine" in output


def test_a_certificate_for_another_domain_is_refused(inventory: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere.example.org")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("elsewhere.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "site.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "site.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    provided = f"site_certificate_file: {tmp_path}/site.pem\nsite_certificate_key_file: {tmp_path}/site.key\n"
    _settings(inventory, "site_title:", f"site_certificate: provided\n{provided}site_title:")
    _refused(inventory, "elsewhere.example.org", "localhost")


def test_an_inventory_that_does_not_exist_is_refused() -> None:
    done = make("deploy", ROOT / "inventories" / "nowhere")
    assert done.returncode != 0
    assert "inventories/nowhere" in done.stdout
