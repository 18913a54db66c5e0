"""An engine of another make blurs behind our service: its work is shown and named, its faults are not shown.

The site's own worker rests meanwhile, and another one asks a second instance of our service, which has the blurring
done by "another" engine: the site's own service, behind one that fails on demand (faulty_blurring.py).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from conftest import Site
from engine_kit import Sql, assert_blurred, proof, published, shown, state, upload
from known import Known

FAULTS = ("echo", "garbage", "hanging")
PATIENCE = 4


@dataclass
class Lab:
    """The engine's address, and what is needed to look at pictures."""

    address: str
    sql: Sql
    containers: list[Any]

    def every(self, fault: str) -> None:
        """Let the engine fail at everything; `none` ends that."""
        httpx.put(f"http://{self.address}:8001/all/{fault}", timeout=10).raise_for_status()

    def published(self, picture: str) -> None:
        """Wait until a picture is."""
        published(self.sql, picture, 60, lambda: [str(each.logs(tail=25), "utf-8") for each in self.containers])


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


def test_the_engine_blurs_and_the_proof_names_it(
    lab: Lab, known: Known, user: httpx.Client, other_user: httpx.Client
) -> None:
    picture = upload(user, known.jpeg)
    lab.published(picture)
    jpeg = shown(other_user, picture)
    assert_blurred(known, jpeg)
    said = proof(lab.sql, picture)
    assert said["engine"] == f"PrivatePanoramaxBlur at http://{lab.address}:8001"
    assert said["answer"] == hashlib.sha256(jpeg).hexdigest()
    assert "models" not in said


def test_whatever_the_engine_does_nothing_unblurred_is_shown_and_nothing_is_lost(
    lab: Lab, known: Known, user: httpx.Client, other_user: httpx.Client
) -> None:
    pictures = []
    for fault in FAULTS:
        lab.every(fault)
        pictures.append(upload(user, known.jpeg))
        time.sleep(PATIENCE + 2)
        assert [state(lab.sql, picture) for picture in pictures] == ["not-processed"] * len(pictures), fault
        assert [other_user.get(f"/api/pictures/{picture}/hd.jpg").status_code == 200 for picture in pictures] == [
            False
        ] * len(pictures)
    lab.every("none")
    for picture in pictures:
        lab.published(picture)
        assert_blurred(known, shown(other_user, picture))
