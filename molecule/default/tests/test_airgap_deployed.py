"""What the deployment left on the host, looked at by ssh from the inside."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from airgap_lab import CONTROLLER, PROJECT, SERVICES
from testinfra.host import Host

testinfra_hosts = ["ansible://all"]
# Two public resolvers, which answer on all of these ports where there is a way out.
OUTSIDE = [(address, port) for address in ("1.1.1.1", "9.9.9.9") for port in (53, 443)]


def _attempt(address: str, port: int) -> str:
    return f"timeout 2 bash -c '</dev/tcp/{address}/{port}'"


def test_it_is_debian_13_and_systemd_is_content(host: Host) -> None:
    assert host.system_info.distribution == "debian"
    assert host.system_info.release.startswith("13")
    assert host.check_output("ps -o comm= 1") == "systemd"
    assert host.check_output("systemctl is-system-running --wait") == "running"


def test_the_host_has_no_way_out(host: Host) -> None:
    mirrors = set(re.findall(r"https?://([^/\s]+)", host.file("/etc/apt/sources.list").content_string))
    assert mirrors
    for address, port in [*OUTSIDE, *((mirror, 80) for mirror in mirrors)]:
        assert host.run(_attempt(address, port)).rc != 0, (address, port)
    assert host.run("timeout 60 apt-get update -o APT::Update::Error-Mode=any -o Acquire::Retries=0").rc != 0


@pytest.mark.parametrize("service", SERVICES)
def test_no_container_has_a_way_out(host: Host, service: str) -> None:
    container = f"{PROJECT}-{service}"
    inside = " ; ".join(f"{_attempt(address, port)} && echo OUT" for address, port in OUTSIDE[:2])
    assert "OUT" not in host.run(f'docker exec {container} bash -c "{inside}" 2>&1').stdout
    assert host.run(f"docker exec {container} getent hosts debian.org").rc != 0


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_runs_healthy_confined_and_from_the_bundles_image(host: Host, service: str) -> None:
    found = json.loads(host.check_output(f"docker inspect {PROJECT}-{service}"))[0]
    assert found["State"]["Health"]["Status"] == "healthy"
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found["Config"]["User"])
    manifest = json.loads((CONTROLLER.bundle / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    image = manifest["images"]["api" if service.startswith("worker") else service]
    assert found["Config"]["Image"] == image["reference"]


def test_the_engine_came_from_the_bundle_and_starts_with_the_host(host: Host) -> None:
    service = host.service("docker")
    assert service.is_running
    assert service.is_enabled
    for package in ("docker.io", "docker-cli", "python3-requests", "python3-apt"):
        assert host.package(package).is_installed, package
    assert not host.file("/var/lib/private-panoramax/packages").exists
    assert not host.file("/var/lib/private-panoramax/images.tar").exists


def test_only_ssh_and_the_site_listen(host: Host) -> None:
    listening = {
        int(line.split()[3].rpartition(":")[2])
        for line in host.check_output("ss -Hltn").splitlines()
        if not line.split()[3].startswith(("127.", "[::1]"))
    }
    assert listening == {22, 80, 443}


def test_secrets_are_files_that_only_their_container_reads(host: Host) -> None:
    base = f"/etc/private-panoramax/{PROJECT}"
    names = host.check_output(f"find {base} -name 'run_secrets_*'").splitlines()
    assert names
    for name in names:
        file = host.file(name)
        assert (file.mode, file.uid > 0) == (0o400, True), name
        assert host.file(name.rpartition("/")[0]).mode & 0o007 == 0, name


def test_a_dry_run_finds_nothing_to_change_and_prints_no_secret() -> None:
    done = CONTROLLER.run("ansible-playbook", "playbooks/site.yml", "--check", "--diff", "-vv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert set(re.findall(r"changed=(\d+)", done.stdout)) == {"0"}, done.stdout[-6000:]
    path = CONTROLLER.inventory / "group_vars" / "all" / "secrets.yml"
    secrets = [str(value) for value in yaml.safe_load(path.read_text(encoding="utf-8")).values()]
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []
