"""An engine of another make blurs behind our service: its work is shown and named, its faults are not shown.

The site's own worker rests meanwhile, and another one asks a second instance of our service, which has the blurring
done by "another" engine: the site's own service, behind one that fails on demand (faulty_blurring.py).
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from PIL import Image

from conftest import Site
from known import Known, assert_gone, self_test_picture
from pictures import unique

FAULTS = ("echo", "garbage", "hanging")
PATIENCE = 4
Sql = Callable[..., list[list[str]]]


@dataclass
class Lab:
    """The engine's address, and what is needed to look at pictures."""

    address: str
    sql: Sql
    containers: list[Any]

    def every(self, fault: str) -> None:
        """Let the engine fail at everything; `none` ends that."""
        httpx.put(f"http://{self.address}:8001/all/{fault}", timeout=10).raise_for_status()

    def state(self, picture: str) -> str:
        """How far a picture is."""
        return self.sql(f"SELECT preparing_status FROM pictures WHERE id = '{picture}'")[0][0]


@pytest.fixture(scope="module")
def known(site: Site, engine: docker.DockerClient) -> Known:
    return self_test_picture(site.project, engine)


@pytest.fixture(scope="module")
def lab(site: Site, engine: docker.DockerClient, database_sql: Sql) -> Iterator[Lab]:
    network = f"{site.project}-back"
    own = engine.containers.get(f"{site.project}-worker-1")
    blurring = engine.containers.get(f"{site.project}-blurring")
    made: list[Any] = []

    def run(name: str, like: Any, **options: Any) -> str:
        """Start a container like another one; return its address."""
        options = {"environment": like.attrs["Config"]["Env"], "network": network, "detach": True} | options
        made.append(engine.containers.run(like.attrs["Config"]["Image"], name=f"{site.project}-{name}", **options))
        made[-1].reload()
        return str(made[-1].attrs["NetworkSettings"]["Networks"][network]["IPAddress"])

    own.stop(timeout=60)
    try:
        real = blurring.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        program = (Path(__file__).parent / "faulty_blurring.py").read_text(encoding="utf-8")
        faulty = run("engine", own, entrypoint=["python3", "-c", program], environment={"REAL": f"http://{real}:8001"})
        service = run(
            "foreign",
            blurring,
            environment=[
                *(entry for entry in blurring.attrs["Config"]["Env"] if not entry.startswith("BLUR_FOREIGN")),
                f"BLUR_FOREIGN_URL=http://{faulty}:8001",
                f"BLUR_FOREIGN_TIMEOUT={PATIENCE}",
            ],
            volumes_from=[blurring.name],
        )
        run(
            "tried",
            own,
            entrypoint=own.attrs["Config"]["Entrypoint"],
            command=["worker", "--job-timeout=60", "--blur-timeout=20", "--retries=" + ",".join(["3"] * 100)],
            user=own.attrs["Config"]["User"],
            volumes_from=[own.name],
            tmpfs={"/tmp": "mode=1777"},
            extra_hosts={"blurring": service},
        )
        yield Lab(faulty, database_sql, made)
    finally:
        for container in reversed(made):
            container.remove(force=True, v=False)
        own.start()


def upload(session: httpx.Client, picture: bytes) -> str:
    """Upload one picture. Returns its identifier."""
    asked = {"title": "Engine", "estimated_nb_files": 1, "no_deduplication": True}
    made = session.post("/api/upload_sets", json=asked).json()["id"]
    answer = session.post(
        f"/api/upload_sets/{made}/files",
        files={"file": ("engine.jpg", unique(picture), "image/jpeg")},
        data={
            "override_capture_time": "2026-09-01T10:00:00Z",
            "override_latitude": "47.5",
            "override_longitude": "-2.7",
        },
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["picture_id"])


def published(lab: Lab, picture: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while lab.state(picture) != "prepared":
        logs = "\n".join(str(container.logs(tail=25), "utf-8") for container in lab.containers)
        assert time.monotonic() < deadline, f"{lab.state(picture)}\n{logs}"
        time.sleep(0.5)


def test_the_engine_blurs_and_the_proof_names_it(
    lab: Lab, known: Known, user: httpx.Client, other_user: httpx.Client
) -> None:
    picture = upload(user, known.jpeg)
    published(lab, picture, 60)
    # Others see it once it is in a sequence, which is a job of its own.
    deadline = time.monotonic() + 60
    while (shown := other_user.get(f"/api/pictures/{picture}/hd.jpg")).status_code == 403:
        assert time.monotonic() < deadline, "others do not see it"
        time.sleep(0.5)
    assert shown.status_code == 200
    for kind, box in known.boxes.items():
        assert_gone(known.image, Image.open(io.BytesIO(shown.content)).convert("L"), box, kind)
    [[statement]] = lab.sql(f"SELECT statement FROM priv.blurring_proofs WHERE picture_id = '{picture}'")
    said = json.loads(statement)
    assert said["engine"] == f"PrivatePanoramaxBlur at http://{lab.address}:8001"
    assert said["answer"] == hashlib.sha256(shown.content).hexdigest()
    assert "models" not in said


def test_whatever_the_engine_does_nothing_unblurred_is_shown_and_nothing_is_lost(
    lab: Lab, known: Known, user: httpx.Client, other_user: httpx.Client
) -> None:
    pictures = []
    for fault in FAULTS:
        lab.every(fault)
        pictures.append(upload(user, known.jpeg))
        time.sleep(PATIENCE + 2)
        assert [lab.state(picture) for picture in pictures] == ["not-processed"] * len(pictures), fault
        assert [other_user.get(f"/api/pictures/{picture}/hd.jpg").status_code == 200 for picture in pictures] == [
            False
        ] * len(pictures)
    lab.every("none")
    for picture in pictures:
        published(lab, picture, 60)
        shown = other_user.get(f"/api/pictures/{picture}/hd.jpg")
        for kind, box in known.boxes.items():
            assert_gone(known.image, Image.open(io.BytesIO(shown.content)).convert("L"), box, kind)
