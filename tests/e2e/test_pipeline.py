"""Whatever happens to the blurring, no picture is shown unblurred, none is lost, and all end published, once each.

The site's own worker rests meanwhile. Two others of the same image take its place, with short patience, and with a
blurring service (faulty_blurring.py) between them and the real one, which fails in every way that we know of.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from PIL import Image

from conftest import Site
from engine_kit import Sql, proof
from pictures import geovisio_pictures

FAULTS = ("hanging", "garbage", "empty", "echo", "truncated", "smaller", "stolen", "failing", "vanishing", "busy")
PATIENCE = 6
RETRIES = "--retries=" + ",".join(["5"] * 300)
FILES = ("hd.jpg", "sd.jpg", "thumb.jpg")


@dataclass
class Lab:
    """The faulty service, the workers that use it, and what was uploaded."""

    engine: docker.DockerClient
    site: Site
    sql: Sql
    faulty: Any
    workers: list[Any]
    pictures: dict[str, str] = field(default_factory=dict)

    def every(self, fault: str) -> None:
        """Let every picture meet a fault; an empty one ends that."""
        self.faulty.reload()
        address = self.faulty.attrs["NetworkSettings"]["Networks"][f"{self.site.project}-back"]["IPAddress"]
        httpx.put(f"http://{address}:8001/all/{fault}", timeout=10).raise_for_status()

    def states(self) -> dict[str, str]:
        """The state of each picture by its name."""
        names = ", ".join(f"'{picture}'" for picture in self.pictures.values())
        found = dict(self.sql(f"SELECT id, preparing_status FROM pictures WHERE id IN ({names})"))
        return {name: found[picture] for name, picture in self.pictures.items()}

    def errors(self) -> dict[str, int]:
        """How often each picture that waits has failed."""
        names = {picture: name for name, picture in self.pictures.items()}
        rows = self.sql("SELECT picture_id, nb_errors FROM job_queue WHERE task = 'prepare'")
        return {names[picture]: int(count) for picture, count in rows if picture in names}

    def run(self, *command: str) -> str:
        """What a command says in the API's container."""
        _, output = self.engine.containers.get(f"{self.site.project}-api").exec_run(list(command))
        assert isinstance(output, bytes)
        return output.decode()

    def wait(self, what: Callable[[], bool], seconds: float) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + seconds
        while not what():
            logs = "\n".join(str(worker.logs(tail=25), "utf-8") for worker in self.workers)
            assert time.monotonic() < deadline, f"{self.states()} {self.errors()}\n{logs}"
            time.sleep(0.5)


def picture(fault: str = "") -> bytes:
    """A small real photo, unlike any other, marked with the fault that it is to meet."""
    out = io.BytesIO()
    with Image.open(geovisio_pictures() / "e1.jpg") as photo:
        exif = photo.info["exif"]
        photo.resize((1024, 768)).save(out, "JPEG", exif=exif)
    jpeg = out.getvalue()
    comment = f"FAULT:{fault} {time.monotonic_ns()}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def upload(session: httpx.Client, names: list[str]) -> dict[str, str]:
    """Upload a picture for each fault named, in one upload set. Returns their identifiers by the same names."""
    asked = {"title": "Faults", "estimated_nb_files": len(names), "no_deduplication": True}
    made = session.post("/api/upload_sets", json=asked).json()["id"]
    found = {}
    for number, name in enumerate(names):
        answer = session.post(
            f"/api/upload_sets/{made}/files",
            files={"file": (f"{name}.jpg", picture(name), "image/jpeg")},
            data={
                "isBlurred": "true",
                "override_capture_time": f"2026-10-01T10:00:{number:02d}Z",
                "override_latitude": str(48 + number / 10_000),
                "override_longitude": "-2.5",
            },
        )
        assert answer.status_code == 202, answer.text
        found[name] = answer.json()["picture_id"]
    return found


@pytest.fixture(scope="module")
def lab(site: Site, engine: docker.DockerClient, database_sql: Sql) -> Iterator[Lab]:
    own = engine.containers.get(f"{site.project}-worker-1")
    network = f"{site.project}-back"
    real = engine.containers.get(f"{site.project}-blurring").attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
    program = (Path(__file__).parent / "faulty_blurring.py").read_text(encoding="utf-8")
    own.stop(timeout=60)
    made: list[Any] = []
    try:
        faulty = engine.containers.run(
            own.attrs["Config"]["Image"],
            entrypoint=["python3", "-c", program],
            environment={"REAL": f"http://{real}:8001"},
            network=network,
            name=f"{site.project}-faulty",
            detach=True,
        )
        made.append(faulty)
        faulty.reload()
        address = faulty.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        workers = []
        for number in (1, 2):
            like: dict[str, Any] = {
                "entrypoint": own.attrs["Config"]["Entrypoint"],
                "command": ["worker", "--job-timeout=30", f"--blur-timeout={PATIENCE}", RETRIES],
                "environment": own.attrs["Config"]["Env"],
                "user": own.attrs["Config"]["User"],
                "volumes_from": [own.name],
                "tmpfs": {"/tmp": "mode=1777"},
                "network": network,
                "extra_hosts": {"blurring": address},
                "name": f"{site.project}-tried-{number}",
            }
            workers.append(engine.containers.run(own.attrs["Config"]["Image"], detach=True, **like))
            made.append(workers[-1])
        yield Lab(engine, site, database_sql, faulty, workers)
    finally:
        for container in reversed(made):
            container.remove(force=True, v=False)
        own.start()


def readable(client: httpx.Client, pictures: dict[str, str]) -> list[str]:
    """What somebody gets to see of the pictures' files."""
    return [
        f"{name} {file}"
        for name, identifier in pictures.items()
        for file in FILES
        if client.get(f"/api/pictures/{identifier}/{file}").status_code == 200
    ]


def test_every_fault_of_the_service_is_met_and_shows_nothing(
    lab: Lab, user: httpx.Client, other_user: httpx.Client, anonymous: httpx.Client
) -> None:
    lab.pictures = upload(user, [*FAULTS, "refused", "none"])
    faulty = {name: lab.pictures[name] for name in (*FAULTS, "refused")}
    # Each one fails at least once, and what is busy is not the picture's failure.
    lab.wait(
        lambda: (
            all(lab.errors().get(name) for name in FAULTS if name != "busy")
            and lab.states()["refused"] == "broken"
            and lab.states()["none"] == "prepared"
        ),
        240,
    )
    assert lab.errors()["busy"] == 0
    assert {lab.states()[name] for name in FAULTS} == {"not-processed"}
    assert readable(other_user, faulty) == readable(anonymous, faulty) == []
    assert readable(other_user, {"none": lab.pictures["none"]}) == [f"none {file}" for file in FILES]


def test_the_owner_reads_why(lab: Lab, user: httpx.Client, other_user: httpx.Client) -> None:
    [[sequence]] = lab.sql(f"SELECT seq_id FROM sequences_pictures WHERE pic_id = '{lab.pictures['refused']}'")

    def told() -> dict[str, str]:
        items = user.get(f"/api/collections/{sequence}/geovisio_status").json()["items"]
        return {item["id"]: item.get("process_error", "") for item in items}

    assert told()[lab.pictures["refused"]] == "the blurring service cannot take this picture: this one will never do"
    # What is tried again says that, and when; not while it is being tried.
    lab.wait(lambda: any("; the next one in 5 s)" in reason for reason in told().values()), 60)
    seen = other_user.get(f"/api/collections/{sequence}/geovisio_status").json()["items"]
    assert [item["id"] for item in seen] == [lab.pictures["none"]]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("hanging", "gave no answer within 6 s"),
        ("garbage", "did not prove that it blurred the picture"),
        ("echo", "did not prove that it blurred the picture"),
        ("stolen", "did not prove that it blurred the picture"),
        ("failing", "failed (status 500)"),
        ("vanishing", "went away in the middle of the picture"),
    ],
)
def test_each_failure_is_called_by_its_name(lab: Lab, fault: str, words: str) -> None:
    errors = lab.sql(f"SELECT error FROM job_history WHERE picture_id = '{lab.pictures[fault]}'")
    assert any(words in error for (error,) in errors), errors


@pytest.mark.parametrize("fault", ["garbage", "echo", "refused"])
def test_a_service_that_fails_at_everything_costs_no_picture_a_try(
    lab: Lab, fault: str, user: httpx.Client, other_user: httpx.Client
) -> None:
    lab.every(fault)
    time.sleep(1)
    before = lab.errors()
    new = upload(user, ["none"])
    lab.pictures |= {f"met {fault}": new["none"]}
    time.sleep(5)
    after = lab.errors()
    lab.every("")
    # Pictures that were under way when it began may count one more.
    assert sum(after.values()) - sum(before.values()) <= 2
    assert after[f"met {fault}"] == 0
    assert lab.states()[f"met {fault}"] == "not-processed"
    assert readable(other_user, new) == []


def test_a_worker_that_is_killed_or_loses_the_database_costs_only_time(lab: Lab, user: httpx.Client) -> None:
    lab.pictures |= {"killed": upload(user, ["hanging"])["hanging"]}
    begun = (
        "SELECT count(*) FROM job_history WHERE finished_at IS NULL"
        f" AND picture_id = '{lab.pictures['killed']}' AND started_at > now() - interval '2 seconds'"
    )
    lab.wait(lambda: lab.sql(begun) == [["1"]], 90)
    for worker in lab.workers:
        worker.kill()
    for worker in lab.workers:
        # Docker takes a kill by hand for the operator's will; a crash it would restart by itself.
        worker.start()
    lab.wait(lambda: lab.errors().get("killed", 0) >= 1, 120)
    lab.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'panoramax'"
        " AND query LIKE '%FOR UPDATE OF j SKIP LOCKED%'"
    )
    lab.wait(lambda: all(worker.status == "running" for worker in _reloaded(lab.workers)), 20)


def _reloaded(containers: list[Any]) -> list[Any]:
    for container in containers:
        container.reload()
    return containers


def test_when_the_service_is_mended_everything_is_published_once(
    lab: Lab, other_user: httpx.Client, site: Site
) -> None:
    # The same address, and the real service behind it for all.
    lab.every("none")
    lab.wait(lambda: set(lab.states().values()) == {"prepared", "broken"}, 180)
    assert [name for name, state in lab.states().items() if state == "broken"] == ["refused"]
    listed = json.loads(site.run("blurring.py", "--json", "failed").stdout)
    assert [entry["reason"] for entry in listed if entry["picture"] == lab.pictures["refused"]] == [
        "the blurring service cannot take this picture: this one will never do"
    ]
    queued = json.loads(site.run("blurring.py", "--json", "retry", lab.pictures["refused"]).stdout)
    assert queued["queued"] == [lab.pictures["refused"]]
    lab.wait(lambda: set(lab.states().values()) == {"prepared"}, 90)
    for name, identifier in lab.pictures.items():
        done = f"SELECT count(*) FROM job_history WHERE picture_id = '{identifier}' AND error IS NULL"
        assert lab.sql(done) == [["1"]], name
        answer = proof(lab.sql, identifier)["answer"]
        shown = other_user.get(f"/api/pictures/{identifier}/hd.jpg")
        assert shown.status_code == 200, name
        assert lab.run("sha256sum", _path(identifier))[:64] == answer, name
        assert hashlib.sha256(shown.content).hexdigest() == answer, name


def _path(identifier: str) -> str:
    parts = [identifier[i : i + 2] for i in (0, 2, 4, 6)]
    return f"/data/geovisio/permanent/{'/'.join(parts)}/{identifier[9:]}.jpg"


def test_nothing_unblurred_is_left_over(lab: Lab) -> None:
    folders = ("/data/geovisio/tmp", "/data/geovisio/permanent")
    found = lab.run("find", *folders, "-type", "f", "(", "-path", "*/tmp/*", "-o", "-name", "*.new", ")")
    left = [line for line in found.split() if any(p[9:] in line for p in lab.pictures.values())]
    assert left == []


def test_an_administrator_has_a_picture_blurred_again_and_nobody_else(
    lab: Lab, admin: httpx.Client, user: httpx.Client
) -> None:
    [[sequence]] = lab.sql(f"SELECT seq_id FROM sequences_pictures WHERE pic_id = '{lab.pictures['none']}'")
    path = f"/api/collections/{sequence}/items/{lab.pictures['none']}/prepare"
    assert user.post(path, json={}).status_code == 403
    assert admin.post(path, json={}).status_code == 202
    assert admin.post(path, json={"skip_blurring": True}).status_code == 202
    again = f"SELECT count(*) FROM job_history WHERE picture_id = '{lab.pictures['none']}' AND finished_at IS NOT NULL"
    lab.wait(lambda: int(lab.sql(again)[0][0]) >= 2, 90)
