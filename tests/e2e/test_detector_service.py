"""A detector that is a service of the operator's own, asked by its address: deployed as docs/detection.md says."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

import red_signs
from conftest import ROOT, Site
from detecting_kit import PANEL, Detectors, common, found_in, own_upload

ROLE = ROOT / "roles" / red_signs.NAME
KEY = f"detected|{red_signs.NAME}"
DECLARED = f"""\
site_extra_services:
  - role: {red_signs.NAME}
site_detectors:
  - {{name: {red_signs.NAME}, version: "7", url: "http://{red_signs.NAME}:8000"}}
redsigns_image: "{{{{ images_reference.redsigns }}}}"
"""


class Lab(Detectors):
    """The site with the detector, and a picture of before it."""

    def __init__(self, site: Site, engine: docker.DockerClient, picture: tuple[str, str]) -> None:
        super().__init__(site)
        self.engine, self.picture = engine, picture

    @property
    def container(self) -> Any:
        """The service."""
        return self.engine.containers.get(f"{self.site.project}-{red_signs.NAME}")

    def tell(self, what: str) -> None:
        """Let the service answer so."""
        assert self.container.exec_run(["sh", "-c", f"echo {what} > /tmp/told"]).exit_code == 0

    def status(self) -> dict[str, Any]:
        """How far the detector is."""
        [only] = self.script("status")
        assert isinstance(only, dict)
        return only


@pytest.fixture(scope="module")
def lab(site: Site, user: httpx.Client, engine: docker.DockerClient) -> Iterator[Lab]:
    made = Lab(site, engine, own_upload(user))
    for name, content in red_signs.FILES.items():
        (ROLE / name).parent.mkdir(parents=True, exist_ok=True)
        (ROLE / name).write_text(content, encoding="utf-8")
    try:
        made.deploy(DECLARED)
        yield made
    finally:
        if made.file.is_file():
            made.deploy("")
        for container in engine.containers.list(all=True, filters={"name": f"^{site.project}-{red_signs.NAME}$"}):
            container.remove(force=True)
            engine.images.remove(container.attrs["Config"]["Image"])
        shutil.rmtree(Path("/etc/private-panoramax") / site.project / red_signs.NAME, ignore_errors=True)
        shutil.rmtree(ROLE)
        user.delete(f"/api/collections/{made.picture[0]}")


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def test_what_the_service_finds_is_tagged(lab: Lab, other_user: httpx.Client) -> None:
    lab.script("run")
    [sign] = found_in(other_user, lab.picture, KEY)
    assert common(sign["box"], PANEL) > 0.95, sign
    assert sign["tags"] == {
        KEY: "red sign",
        f"detection_confidence[{KEY}=red sign]": "0.750",
        f"detection_model[{KEY}=red sign]": "redsigns/7",
    }
    query = {"filter": f"\"semantics.{KEY}\"='red sign'"}
    assert lab.picture[1] in {one["id"] for one in other_user.get("/api/search", params=query).json()["features"]}


def test_it_is_told_nothing_but_the_picture(lab: Lab) -> None:
    told = set(re.findall(r"told: (.*)", lab.container.logs().decode()))
    assert told == {
        "['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host', 'user-agent']"
    }


def test_a_service_that_is_busy_or_away_is_waited_for(lab: Lab, user: httpx.Client, other_user: httpx.Client) -> None:
    lab.tell("503")
    busy = own_upload(user)
    until(lambda: lab.status()["waiting"], "the picture is not queued")
    time.sleep(2)
    assert lab.script("failed") == []
    lab.container.stop(timeout=1)
    away = own_upload(user)
    time.sleep(5)
    assert lab.script("failed") == []
    assert lab.status()["waiting"] == 2
    lab.container.start()
    lab.script("run")
    for where in (busy, away):
        assert len(found_in(other_user, where, KEY)) == 1
        user.delete(f"/api/collections/{where[0]}")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("422", "it refuses the picture: no signs today"), ("garbage", "it answered what cannot be used")],
)
def test_what_it_fails_at_is_named_and_tried_again(
    lab: Lab, user: httpx.Client, other_user: httpx.Client, answer: str, reason: str
) -> None:
    lab.tell(answer)
    where = own_upload(user)
    try:
        until(lambda: lab.script("failed"), "the failure is not told")
        [failed] = lab.script("failed")
        assert (failed["picture"], failed["detector"]) == (where[1], red_signs.NAME)
        assert failed["reason"].startswith(reason)
        lab.tell("200")
        lab.script("run")
        assert lab.script("failed") == []
        assert len(found_in(other_user, where, KEY)) == 1
    finally:
        lab.tell("200")
        user.delete(f"/api/collections/{where[0]}")


def test_nobody_sits_by_a_picture_that_is_tried_again_much_later(
    lab: Lab, user: httpx.Client, other_user: httpx.Client, database_sql: Callable[..., list[list[str]]]
) -> None:
    lab.tell("garbage")
    where = own_upload(user)
    until(lambda: lab.script("failed"), "the failure is not told")
    with ThreadPoolExecutor() as pool:
        sitting = pool.submit(lab.site.run, "detections.py", "run", check=False)
        # The command has it tried anew; to the first failure of that, two more are made up.
        failed = "WHERE reason IS NOT NULL"
        tried = f"SELECT again, tries FROM priv.detections {failed}"
        until(lambda: database_sql(tried) == [["t", "1"]], "it is not tried again")
        database_sql(f"UPDATE priv.detections SET tries = 3, due = now() + interval '10 minutes' {failed}")
        done = sitting.result(timeout=60)
    assert done.returncode == 1
    assert "1 wait" in done.stdout
    assert "Some pictures could not be looked at" in done.stderr
    lab.tell("200")
    lab.script("run")
    assert len(found_in(other_user, where, KEY)) == 1
    user.delete(f"/api/collections/{where[0]}")


def test_it_is_removed_with_its_tags(lab: Lab, other_user: httpx.Client) -> None:
    said = lab.deploy("")
    assert re.search(r"Detector redsigns is gone, and with it \d+ tags on \d+ pictures?", said), said[-3000:]
    assert found_in(other_user, lab.picture, KEY) == []
