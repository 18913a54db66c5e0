"""`site_blurring_engine: sgblur`: the operator's image blurs, run by role `sgblur`, and goes when it is not chosen.

The official image cannot be had here. In its place runs the site's own service, which speaks the same protocol: what is
shown is the way of the pictures, and the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import docker
import httpx
import pytest

from conftest import Site, declared, playbook
from engine_kit import Sql, assert_blurred, proof, published, shown, upload
from known import Known

NAMES = ("sgblur", "sgblur-detection")


@pytest.fixture(scope="module", autouse=True)
def sgblur(site: Site, engine: docker.DockerClient) -> Iterator[None]:
    """The site with SGBlur, of two programs."""
    settings = {
        "site_blurring_engine": "sgblur",
        "site_sgblur_image": engine.containers.get(f"{site.project}-blurring").attrs["Config"]["Image"],
        "sgblur_detection_command": ["python3", "-m", "http.server", "8001"],
    }
    with declared(site.inventory, "blurring.yml", settings):
        yield
    left = {container.name for container in engine.containers.list(all=True)}
    assert not left & {f"{site.project}-{name}" for name in NAMES}


def test_it_blurs_and_the_proof_names_it(
    site: Site,
    engine: docker.DockerClient,
    known: Known,
    user: httpx.Client,
    other_user: httpx.Client,
    database_sql: Sql,
) -> None:
    picture = upload(user, known.jpeg)
    published(database_sql, picture, 90, engine.containers.get(f"{site.project}-blurring").logs)
    assert_blurred(known, shown(other_user, picture))
    assert proof(database_sql, picture)["engine"] == "PrivatePanoramaxBlur at http://sgblur:8001"


def test_it_reaches_its_detection_and_has_no_place_to_keep_anything(site: Site, engine: docker.DockerClient) -> None:
    container = engine.containers.get(f"{site.project}-sgblur")
    ask = "import os, urllib.request as u; print(u.urlopen(os.environ['DETECT_URL'], timeout=5).status)"
    code, output = container.exec_run(["python3", "-c", ask])
    assert (code, output) == (0, b"200\n")
    for name in NAMES:
        attributes = engine.containers.get(f"{site.project}-{name}").attrs
        assert attributes["HostConfig"]["ReadonlyRootfs"]
        assert attributes["Mounts"] == []
        assert list(attributes["NetworkSettings"]["Networks"]) == [f"{site.project}-back"]
        assert "CROP_SAVE_DIR=" in attributes["Config"]["Env"]


def test_a_second_run_changes_nothing(site: Site) -> None:
    assert re.search(r"changed=0 .* failed=0", playbook(site.inventory, "blurring.yml"))


def test_the_verifier_finds_nothing_wrong_with_it(site: Site) -> None:
    done = site.run("verify.py", "--json", "--read-only", check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
