"""What a deployment leaves on the host: hardened containers, no secret in sight, nothing to change in a second run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from conftest import ARTEFACTS, ROOT, Site, make

LABEL = "org.private-panoramax"


def _containers(site: Site, engine: docker.DockerClient, *, running: bool = True) -> list[Any]:
    found = engine.containers.list(all=not running, filters={"label": f"{LABEL}={site.project}"})
    assert found
    return list(found)


def _ansible(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"}
    program = ROOT / ".venv" / "bin" / "ansible-playbook"
    return subprocess.run(
        [str(program), "-i", str(site.inventory), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def _changed(output: str) -> int:
    return sum(int(count) for count in re.findall(r"changed=(\d+)", output))


def _secrets(site: Site) -> list[str]:
    path = site.inventory / "group_vars" / "all" / "secrets.yml"
    assert path.stat().st_mode & 0o777 == 0o600
    return [str(value) for value in yaml.safe_load(path.read_text(encoding="utf-8")).values()]


@pytest.mark.skipif(bool(os.environ.get("E2E_INVENTORY")), reason="the site was deployed by somebody else")
@pytest.mark.usefixtures("site")
def test_the_deployment_was_interrupted_three_times_and_went_on() -> None:
    log = (ARTEFACTS / "make-deploy-interrupted.log").read_text(encoding="utf-8", errors="replace")
    runs = log.split("--- killed when ")[1:]
    assert len(runs) >= 3
    assert not [run for run in runs if "First administrator's letter" in run], "a run came to its end"


def test_a_second_run_changes_nothing(site: Site) -> None:
    done = _ansible(site, "playbooks/site.yml")
    assert done.returncode == 0, done.stdout[-3000:]
    assert _changed(done.stdout) == 0, done.stdout[-6000:]


def test_check_mode_finds_nothing_to_change_and_prints_no_secret(site: Site) -> None:
    done = _ansible(site, "playbooks/site.yml", "--check", "--diff", "-vvv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert _changed(done.stdout) == 0, done.stdout[-6000:]
    output = done.stdout + done.stderr
    assert [secret for secret in _secrets(site) if secret in output] == []


def test_every_container_is_hardened(site: Site, engine: docker.DockerClient) -> None:
    for container in _containers(site, engine):
        host, config = container.attrs["HostConfig"], container.attrs["Config"]
        name = container.name
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"]), name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert not host["CapAdd"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert not host["Privileged"], name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert host["LogConfig"]["Config"]["max-size"], name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name
        assert container.attrs["State"]["Health"]["Status"] == "healthy", name
        assert not [mount for mount in container.attrs["Mounts"] if "docker.sock" in mount["Source"]], name


def test_the_whole_stack_may_use_six_gib_at_most(site: Site, engine: docker.DockerClient) -> None:
    limits = {container.name: container.attrs["HostConfig"]["Memory"] for container in _containers(site, engine)}
    assert sum(limits.values()) <= 6 * 2**30, limits


def test_only_the_proxy_opens_ports(site: Site, engine: docker.DockerClient) -> None:
    opened = {
        container.name
        for container in _containers(site, engine)
        if any(
            container.attrs["NetworkSettings"]["Ports"].get(port)
            for port in container.attrs["NetworkSettings"]["Ports"]
        )
    }
    assert opened == {f"{site.project}-proxy"}


def test_nothing_but_the_proxy_has_a_way_out(site: Site, engine: docker.DockerClient) -> None:
    assert engine.networks.get(f"{site.project}-back").attrs["Internal"] is True
    proxy = engine.containers.get(f"{site.project}-proxy")
    outside = proxy.attrs["NetworkSettings"]["Networks"][f"{site.project}-front"]["IPAddress"]
    attempt = ["timeout", "2", "bash", "-c", f"</dev/tcp/{outside}/8443"]
    assert proxy.exec_run(attempt)[0] == 0
    for container in _containers(site, engine):
        if container.id != proxy.id:
            assert set(container.attrs["NetworkSettings"]["Networks"]) == {f"{site.project}-back"}, container.name
            assert container.exec_run(attempt)[0] in {1, 124}, f"{container.name} can leave its network"


def test_no_secret_is_in_inspect_or_logs_or_process_lists(site: Site, engine: docker.DockerClient) -> None:
    secrets = _secrets(site)
    for container in _containers(site, engine, running=False):
        sources = {"inspect": json.dumps(container.attrs), "logs": container.logs().decode(errors="replace")}
        if container.status == "running":
            sources["top"] = json.dumps(container.top(ps_args="-eo pid,args"))
        for source, text in sources.items():
            assert [secret for secret in secrets if secret in text] == [], f"{container.name}: {source}"


def test_secrets_on_the_host_are_readable_by_their_container_alone(site: Site) -> None:
    directory = Path("/etc/private-panoramax") / site.project
    found = list(directory.glob("*/run_secrets_*"))
    assert found
    for path in found:
        assert path.stat().st_mode & 0o777 == 0o400, path
        assert path.parent.stat().st_mode & 0o007 == 0, path


@pytest.mark.parametrize("service", ["database", "keycloak", "api", "worker-1", "blurring", "website", "proxy"])
def test_a_stop_is_graceful_and_the_service_comes_back(service: str, site: Site, engine: docker.DockerClient) -> None:
    container = engine.containers.get(f"{site.project}-{service}")
    container.stop(timeout=25)
    container.reload()
    # 137 is SIGKILL after the time to stop ran out; 143 is SIGTERM obeyed (Java reports it so).
    assert container.attrs["State"]["ExitCode"] in {0, 143}, service
    assert not container.attrs["State"]["OOMKilled"], service
    container.start()


def test_the_site_is_healthy_again_after_all_stops(site: Site) -> None:
    done = make("deploy", site.inventory)
    assert done.returncode == 0, done.stdout[-3000:]
