"""Role schedule on machines of three kinds, each a container: systemd's timers, Debian's cron, and neither."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from conftest import ROOT

pytestmark = pytest.mark.e2e

DOCKERFILE = """
FROM {base}
RUN apt-get -qq update && apt-get -qq install -y python3 cron systemd systemd-sysv dbus >/dev/null
"""
NAME = "panoramax-test-schedule"
# What systemd needs to be PID 1 of a container that is not privileged.
SYSTEMD: dict[str, Any] = {
    "entrypoint": ["/sbin/init"],
    "cap_add": ["SYS_ADMIN"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "cgroupns": "host",
    "volumes": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
    "tmpfs": {"/run": "", "/run/lock": "", "/tmp": ""},
}
MACHINES: dict[str, dict[str, Any]] = {
    "systemd": SYSTEMD,
    "cron": {"entrypoint": ["sleep", "infinity"]},
    "neither": {"entrypoint": ["sh", "-c", "rm /usr/sbin/cron && exec sleep infinity"]},
}


@pytest.fixture(scope="module")
def machines() -> Iterator[dict[str, Any]]:
    """Containers by kind, made of the base image that the deployment has built."""
    engine = docker.from_env()
    base = next(tag for image in engine.images.list("private-panoramax/base") for tag in image.tags)
    done = subprocess.run(
        ["docker", "build", "-q", "-t", NAME, "-"], input=DOCKERFILE.format(base=base), text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made = {}
    try:
        for kind, options in MACHINES.items():
            made[kind] = engine.containers.run(
                NAME, name=f"{NAME}-{kind}", command=[], detach=True, init=kind != "systemd", **options
            )
        deadline = time.monotonic() + 30
        while in_(made["systemd"], "systemctl", "is-system-running")[1].strip() not in {"running", "degraded"}:
            assert time.monotonic() < deadline, made["systemd"].logs()
            time.sleep(0.3)
        yield made
    finally:
        for container in made.values():
            container.remove(force=True)
        engine.images.remove(NAME, force=True)


def in_(container: Any, *command: str) -> tuple[int, str]:
    code, output = container.exec_run(list(command))
    return code, output.decode()


def play(
    tmp_path: Path, container: Any, tasks: str = "main", *options: str, **variables: Any
) -> tuple[int, dict[str, Any], str]:
    """Run the role with the container as its controller. Returns exit code, Ansible's counts, and the output."""
    host = {"ansible_connection": "community.docker.docker", "ansible_host": container.name,
            "ansible_python_interpreter": "/usr/bin/python3"}  # fmt: skip
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": host}}}))
    settings = {"schedule_project": "site", "schedule_log_directory": "/var/log/site", "schedule_user": "root",
                "schedule_mode": "required", **variables}  # fmt: skip
    role = {"name": "schedule", "tasks_from": tasks}
    steps: list[Any] = [{"name": "Schedule", "ansible.builtin.include_role": role}]
    book: list[Any] = [{"name": "Test", "hosts": "localhost", "gather_facts": False, "vars": settings, "tasks": steps}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(book))
    command: list[Any] = [
        ROOT / ".venv" / "bin" / "ansible-playbook",
        "-i",
        tmp_path / "hosts.yml",
        tmp_path / "play.yml",
    ]
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "HOME": str(tmp_path),
        "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    }
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)
    text = done.stdout[done.stdout.find("{") :]
    return done.returncode, json.loads(text)["stats"]["localhost"] if text else {}, done.stdout + done.stderr


def jobs(calendar: str, *names: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": f"Test {name}",
            "calendar": calendar,
            "command": ["/bin/sh", "-c", f'echo "$0 100% $PWD $GREETING $(id -un)" >> /tmp/{name}', "it's"],
        }
        for name in names
    ]


def test_where_neither_is_there_it_is_said(machines: dict[str, Any], tmp_path: Path) -> None:
    code, _, output = play(tmp_path, machines["neither"], "precheck", schedule_jobs=jobs("daily", "one"))
    assert code != 0
    assert "neither systemd nor cron runs here (Debian: apt-get install cron)" in output
    # A site on another host, as it seems to the role: a laptop is left alone.
    code, counts, output = play(tmp_path, machines["cron"], schedule_jobs=jobs("daily", "one"), schedule_mode="auto")
    assert (code, counts.get("changed")) == (0, 0), output
    code, _, output = play(tmp_path, machines["cron"], "precheck", schedule_jobs=jobs("nightly", "one"))
    assert code != 0
    assert "schedule_jobs, one: calendar is 'nightly'" in output


def test_jobs_run_at_their_time_and_go_when_they_are_not_wanted(machines: dict[str, Any], tmp_path: Path) -> None:
    # Each machine's clock is this one's; both get the same minute, in which both must fire.
    soon = datetime.now(UTC) + timedelta(seconds=90)
    wanted: dict[str, Any] = {
        "schedule_jobs": [*jobs(f"{soon:%H:%M}", "one"), *jobs("weekly", "two"), *jobs("", "off")],
        "schedule_environment": {"GREETING": "hello"},
        "schedule_directory": "/usr",
    }
    kinds = ("systemd", "cron")
    for kind in kinds:
        code, counts, output = play(tmp_path, machines[kind], **wanted)
        assert (code, counts.get("changed")) == (0, 1), output
    assert datetime.now(UTC) < soon.replace(second=0), "this machine was too slow for the test"
    for kind in kinds:
        code, counts, output = play(tmp_path, machines[kind], **wanted)
        assert (code, counts.get("changed")) == (0, 0), output
        code, counts, output = play(tmp_path, machines[kind], "main", "--check", "--diff", schedule_jobs=[])
        assert (code, counts.get("changed")) == (0, 1), output
    listed = in_(machines["systemd"], "systemctl", "list-timers", "--no-pager", "private-panoramax.*")[1]
    assert "private-panoramax.site.one.timer" in listed
    assert "private-panoramax.site.off" not in listed
    time.sleep(max(0, (soon.replace(second=0) - datetime.now(UTC)).total_seconds()))
    for kind in kinds:
        deadline = time.monotonic() + 70
        while in_(machines[kind], "cat", "/tmp/one")[0] and time.monotonic() < deadline:
            time.sleep(1)
        assert in_(machines[kind], "cat", "/tmp/one") == (0, "it's 100% /usr hello root\n"), kind
        assert in_(machines[kind], "ls", "/tmp/two")[0] != 0
    for kind in kinds:
        code, counts, output = play(tmp_path, machines[kind], schedule_jobs=jobs("weekly", "two"))
        assert (code, counts.get("changed")) == (0, 1), output
    assert "site.one" not in in_(machines["systemd"], "systemctl", "list-unit-files", "--no-pager")[1]
    assert "Test one" not in in_(machines["cron"], "cat", "/etc/cron.d/private-panoramax-site")[1]
    for kind in kinds:
        code, counts, output = play(tmp_path, machines[kind], "uninstall")
        assert (code, counts.get("changed")) == (0, 1), output
    find = ("sh", "-c", "find /etc/systemd/system /etc/cron.d -name 'private-panoramax*'")
    assert [in_(machines[kind], *find)[1] for kind in kinds] == ["", ""]
