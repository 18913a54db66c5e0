"""A site over several hosts: what crosses the wire, and what happens when hosts are lost, restarted and added.

The tests build on each other and run in the order of this file. Times are printed (pytest -rP shows them) and kept in
artefacts/molecule-cluster/times.json.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
import yaml
from testinfra.host import Host
from wire import SECRETS, listening

from panoramax_ops.signing_in import client, sign_in
from panoramax_ops.verify import photo
from panoramax_ops.verify.jpeg import located
from panoramax_ops.verify.site import Site, open_site

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventories" / "molecule-cluster"
ARTEFACTS = ROOT / "artefacts" / "molecule-cluster"
AUTHORITY = ROOT / "state" / "molecule-cluster" / "ca.crt"
LABEL = "molecule-cluster"
PICTURES = 8
PATIENCE = 600

testinfra_hosts = ["ansible://all"]

# Two programs that talk without TLS over the site's own network.
EAR = "import socket; c = socket.create_server(('', 9999)).accept()[0]; [0 for _ in iter(lambda: c.recv(65536), b'')]"
MOUTH = "import socket, sys; socket.create_connection(('blurring', 9999)).sendall(sys.stdin.buffer.read())"


def _keep_time(what: str, seconds: float) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTEFACTS / "times.json"
    times = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**times, what: round(seconds, 1)}, indent=1), encoding="utf-8")
    print(f"{what}: {seconds:.1f} s")


def _node(name: str) -> Any:
    return docker.from_env().containers.get(f"{LABEL}-{name}")


def _until(what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Seconds until the condition holds; an error of the connection counts as no."""
    begun = time.monotonic()
    while time.monotonic() - begun < patience:
        with contextlib.suppress(httpx.HTTPError):
            if condition():
                return time.monotonic() - begun
        time.sleep(0.5)
    pytest.fail(f"{what}: not within {patience} s")


def _script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / name), "-i", str(INVENTORY), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _deploy() -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "false"}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(INVENTORY), "playbooks/site.yml"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@contextlib.contextmanager
def _people() -> Iterator[Site]:
    """The site with the verifier's accounts signed in; they and all that is theirs are removed at the end."""
    with open_site(INVENTORY) as site:
        site.cast.hire()
        yield site


def _states(site: Site, upload: str) -> dict[str, int]:
    return {
        state: int(count)
        for state, count in site.sql.read(
            f"SELECT preparing_status, count(*) FROM pictures WHERE upload_set_id = '{upload}' GROUP BY 1"
        )
    }


def _send(site: Site, count: int) -> str:
    """Upload so many different pictures as one set. Returns its identifier."""
    session = site.cast["user"].session
    upload = photo.start(session, estimated_nb_files=count)
    blurring = min(name for container in site.containers() if "-blurring" in (name := str(container.name)))
    drawn = site.container(blurring.removeprefix(f"{site.project}-")).exec_run(["cat", "/models/selftest.jpg"]).output
    for number in range(count):
        # Another place and time each, or the API would take them for one and the same.
        when = datetime.now(UTC) - timedelta(hours=2, minutes=-number)
        picture = located(drawn, 2.3 + number / 1000, 48.8, when, f"{upload} {number}")
        photo.body(photo.send(session, upload, picture, f"{number}.jpg"), "Uploading a picture")
    return upload


def test_every_host_is_a_member_and_only_the_core_manages(host: Host) -> None:
    state = json.loads(host.check_output("docker info --format '{{json .Swarm}}'"))
    assert state["LocalNodeState"] == "active"
    assert state["ControlAvailable"] is (host.backend.get_hostname() == "front")
    assert host.service("private-panoramax-start-again").is_running
    assert host.service("private-panoramax-start-again").is_enabled


def test_nothing_but_the_proxy_and_the_swarm_listens(host: Host) -> None:
    name = host.backend.get_hostname()
    lines = host.check_output("ss -Hltn").splitlines()
    opened = {line.split()[3].rpartition(":")[2] for line in lines if not line.split()[3].startswith("127.")}
    assert opened == {"22", "7946"} | ({"2377", "443", "80"} if name == "front" else set())


def test_the_verifier_proves_it_from_outside() -> None:
    # As `make deploy` does: without one, the verifier's own would be the last that nobody may take the role from.
    first = ("create", "first.admin@example.org", "--name", "First Administrator", "--role", "admin", "--if-missing")
    assert _script("accounts.py", *first).returncode == 0
    done = _script("verify.py")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_no_picture_no_sql_and_no_token_crosses_the_wire_in_clear() -> None:
    engine = docker.from_env()
    bridge = f"br-{str(engine.networks.get(LABEL).id)[:12]}"
    with _people() as site, listening(bridge) as wire:
        taken = photo.upload(site)
        assert taken.files
        for path in taken.files:
            assert site.cast["user"].session.get(path).status_code == 200
        # Keycloak and its database, and the scripts' own ways.
        assert _script("accounts.py", "list").returncode == 0
    print(f"{wire.size} bytes on the wire, {wire.overlay} of them of the overlay network")
    assert wire.overlay > 3 * len(taken.original), "the picture went to the blurring and back, and was not seen"
    assert wire.seen(SECRETS) == []
    # The same ear, the same network, and somebody who speaks plainly: what is looked for would have been seen.
    with open_site(INVENTORY) as site, listening(bridge) as wire:
        picture, _ = photo.draw(site)
        words = b" ".join(mark for mark in SECRETS.values() if not mark.startswith(b"\xff"))
        site.container("blurring").exec_run(["timeout", "60", "python3", "-c", EAR], detach=True)
        time.sleep(2)
        command = [
            "docker",
            "exec",
            "--interactive",
            f"{LABEL}-front",
            "docker",
            "exec",
            "--interactive",
            "cluster-api",
        ]
        command += ["timeout", "20", "python3", "-c", MOUTH]
        plain = picture[:200_000] + b"\xff\xd8\xff\xe1" + words
        subprocess.run(command, input=plain, check=True)
    assert set(SECRETS) - set(wire.seen(SECRETS)) == set()


def test_one_more_blurring_host_is_one_line_and_one_run() -> None:
    hosts = INVENTORY / "hosts.yml"
    before = hosts.read_text(encoding="utf-8")
    after = before.rstrip() + "\n        blurring2: {ansible_host: 172.31.241.14}\n"
    hosts.write_text(after, encoding="utf-8")
    # A node that somebody drained is no obstacle, and is active again afterwards.
    front = _node("front")
    assert front.exec_run(["docker", "node", "update", "--availability", "drain", "blurring1"]).exit_code == 0
    begun = time.monotonic()
    done = _deploy()
    assert done.returncode == 0, done.stdout[-4000:]
    _keep_time("one more blurring host, the whole run", time.monotonic() - begun)
    listed = front.exec_run(["docker", "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.Availability}}"])
    assert sorted(listed.output.decode().splitlines()) == [f"{name} Ready Active" for name in
                                                          ("blurring1", "blurring2", "database", "front")]  # fmt: skip
    with _people() as site:
        names = {str(container.name) for container in site.containers()}
        assert {"cluster-blurring-1", "cluster-blurring-2", "cluster-balancer"} <= names
        assert "cluster-blurring" not in names
        upload = _send(site, 4)
        _until("four pictures", lambda: _states(site, upload) == {"prepared": 4})
        served = [site.container(f"blurring-{number}").logs().decode().count(" bytes, {") for number in (1, 2)]
        assert min(served) > 0, f"pictures of the two services: {served}"


def test_a_blurring_host_may_be_lost_while_it_works() -> None:
    with _people() as site:
        upload = _send(site, PICTURES)
        lost = _node("blurring1")
        _until("the first picture", lambda: _states(site, upload).get("prepared", 0) >= 1)
        lost.kill()
        try:
            seconds = _until("all pictures", lambda: _states(site, upload) == {"prepared": PICTURES})
            _keep_time("the rest of eight pictures after a blurring host was lost", seconds)
            session = site.cast["user"].session
            files = session.get(f"/api/upload_sets/{upload}/files").json()["files"]
            assert len({entry["picture_id"] for entry in files}) == PICTURES
            for entry in files:
                assert session.get(f"/api/pictures/{entry['picture_id']}/hd.jpg").status_code == 200
            prepared = site.sql.read(
                "SELECT picture_id, count(*) FROM job_history JOIN pictures p ON p.id = picture_id "
                f"WHERE p.upload_set_id = '{upload}' AND job_task::text = 'prepare' "
                "AND error IS NULL AND finished_at IS NOT NULL GROUP BY 1"
            )
            assert sorted(int(count) for _, count in prepared) == [1] * PICTURES
        finally:
            lost.start()
    begun = time.monotonic()
    _until(
        "blurring1",
        lambda: b"(healthy)" in lost.exec_run(["docker", "ps", "--filter", "name=cluster-blurring-1"]).output,
    )
    _keep_time("a blurring host, from its start to healthy", time.monotonic() - begun)


def test_the_site_comes_back_when_the_database_host_was_restarted() -> None:
    # Somebody who is made and removed by scripts: a way into the host, which the verifier's people need, ends with it.
    email = "dora.database@example.org"
    made = _script("accounts.py", "--json", "create", email, "--name", "Dora Database")
    assert made.returncode == 0, made.stdout + made.stderr
    letter = Path(json.loads(made.stdout)["letter"]).read_text(encoding="utf-8")
    password = letter.partition("assword: ")[2].split()[0]
    session = sign_in(_url(), AUTHORITY, email, password, new_password=secrets.token_urlsafe(18))
    with contextlib.closing(session):

        def served() -> bool:
            # That takes the proxy, the API and the database.
            return session.get("/api/users/me").status_code == 200

        assert served()
        begun = time.monotonic()
        _node("database").restart(timeout=60)
        _until("the site", served)
        _keep_time("database host restarted, until a signed-in person is served again", time.monotonic() - begun)
    # Keycloak notices at the next use that its connections are of before.
    removal = ("accounts.py", "delete", email, "--pictures", "delete", "--yes")
    _until("Keycloak", lambda: _script(*removal).returncode == 0)


def test_hosts_that_start_in_any_order_are_a_site_again() -> None:
    names = ("blurring2", "blurring1", "database", "front")
    for name in reversed(names):
        _node(name).stop(timeout=90)
    begun = time.monotonic()
    # The manager of the Swarm last: none of the others can join its network before.
    for name in names:
        _node(name).start()
        time.sleep(20 if name != "front" else 0)
    front = time.monotonic()
    with client(_url(), AUTHORITY) as anybody:
        _until("the site", lambda: anybody.get("/api/configuration").status_code == 200)
    _keep_time("all hosts started, the manager last, until the site answers", time.monotonic() - front)
    _until("every container", lambda: all(_healthy(name) for name in names))
    _keep_time("all hosts started, until every container is healthy", time.monotonic() - begun)
    done = _script("verify.py")
    assert done.returncode == 0, done.stdout[-6000:]


def _url() -> str:
    hosts = yaml.safe_load((INVENTORY / "hosts.yml").read_text(encoding="utf-8"))["all"]["hosts"]
    return f"https://{next(iter(hosts['front']['molecule_names']))}"


def _healthy(node: str) -> bool:
    """Whether every container that is to run on a host does, and is healthy."""
    listed = _node(node).exec_run(["docker", "ps", "--all", "--format", "{{.Names}} {{.Status}}"]).output.decode()
    lines = [line for line in listed.splitlines() if not line.endswith(")") or "Exited (0)" not in line]
    services = [line for line in lines if "migrate" not in line and "proxy-check" not in line]
    return bool(services) and all("(healthy)" in line for line in services)
