"""An operator's own detection model, as docs/detection.md shows it: from the package to the viewer, and its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import docker
import httpx
import pytest
from playwright.sync_api import expect

from browser import chromium, watched
from conftest import ARTEFACTS, Site
from detecting_kit import PANEL, Detectors, common, example, found_in, own_upload
from exploring import shown_picture, viewer_is_ready

KEY = "detected|text"
FILTER = f"\"semantics.{KEY}\"='text'"
Sql = Callable[..., list[list[str]]]


@dataclass
class Lab(Detectors):
    """The site with the document's detector; pictures of before it and of after."""

    settings: str
    old: tuple[str, str]
    new: tuple[str, str]


@pytest.fixture(scope="module")
def lab(site: Site, user: httpx.Client, engine: docker.DockerClient) -> Iterator[Lab]:
    settings = example()
    made = Lab(site, settings, own_upload(user), ("", ""))
    try:
        made.deploy(settings)
        # Publishing does not wait for detectors.
        running = engine.containers.get(f"{site.project}-detection")
        running.stop()
        made.new = own_upload(user)
        running.start()
        yield made
    finally:
        if made.file.is_file():
            made.deploy("")
        for collection, _ in (made.old, made.new):
            if collection:
                user.delete(f"/api/collections/{collection}")


def signs(session: httpx.Client, where: tuple[str, str]) -> list[dict[str, Any]]:
    """The annotations of a picture that the detector made: box and tags."""
    return found_in(session, where, KEY)


def found_by_search(session: httpx.Client) -> set[str]:
    answer = session.get("/api/search", params={"filter": FILTER, "limit": 100})
    assert answer.status_code == 200, answer.text
    return {feature["id"] for feature in answer.json()["features"]}


def test_what_the_model_finds_is_tagged_and_found(lab: Lab, other_user: httpx.Client, anonymous: httpx.Client) -> None:
    done = lab.script("run")
    assert [(one["name"], one["version"], one["waiting"], one["failed"]) for one in done["detectors"]] == [
        ("text", "ppocr-v4", 0, 0)
    ]
    for where in (lab.old, lab.new):
        sign = max(signs(other_user, where), key=lambda one: common(one["box"], PANEL))
        assert common(sign["box"], PANEL) > 0.9, sign
        assert sign["box"][2] - sign["box"][0] > 0.6 * (PANEL[2] - PANEL[0]), sign
        tags = sign["tags"]
        assert tags[KEY] == "text"
        assert 0.9 <= float(tags[f"detection_confidence[{KEY}=text]"]) <= 1
        assert tags[f"detection_model[{KEY}=text]"] == "text/ppocr-v4"
    assert {lab.old[1], lab.new[1]} <= found_by_search(other_user)
    refused = anonymous.get("/api/search", params={"filter": FILTER})
    assert refused.status_code == 401


def test_annotations_are_as_hidden_as_their_picture(lab: Lab, user: httpx.Client, other_user: httpx.Client) -> None:
    [sign, *_] = signs(user, lab.old)
    path = f"/api/collections/{lab.old[0]}/items/{lab.old[1]}"
    assert user.patch(path, json={"visibility": "owner-only"}).status_code == 200
    try:
        assert lab.old[1] not in found_by_search(other_user)
        assert lab.old[1] in found_by_search(user)
        assert other_user.get(path).status_code == 404
        for route in (f"/api/annotations/{sign['id']}", f"{path}/annotations/{sign['id']}"):
            assert other_user.get(route).status_code in (403, 404)
    finally:
        user.patch(path, json={"visibility": "logged-only"})


def test_the_process_that_reads_pictures_sees_no_originals(lab: Lab, engine: docker.DockerClient) -> None:
    detector = engine.containers.get(f"{lab.site.project}-detector")
    assert detector.exec_run(["ls", "/data/geovisio/permanent"]).exit_code == 0
    assert detector.exec_run(["ls", "/data/geovisio/tmp"]).exit_code != 0
    assert detector.exec_run(["touch", "/data/geovisio/permanent/x"]).exit_code != 0


def test_the_viewer_shows_it(lab: Lab, other_user: httpx.Client) -> None:
    with chromium() as browser, watched(browser, lab.site.url, ARTEFACTS) as seen:
        seen.take_over(other_user)
        seen.page.goto(f"/explore?focus=pic&pic={lab.old[1]}#focus=pic&pic={lab.old[1]}")
        viewer_is_ready(seen)
        for _ in range(100):
            if shown_picture(seen.page) == lab.old[1]:
                break
            seen.page.wait_for_timeout(100)
        seen.page.locator("pnx-annotations-switch pnx-button").first.click()
        expect(seen.page.locator(".pnx-psv-annotation").first).to_be_visible()
        seen.page.locator("pnx-semantics-list").get_by_text("Tag 1").click()
        table = seen.page.locator("pnx-semantics-table").first
        expect(table).to_contain_text("detection_model = text/ppocr-v4")
        expect(table).to_contain_text(re.compile(r"detection_confidence = 0\.\d+"))
        seen.page.wait_for_timeout(1500)
        seen.picture("detections")


def own_tag(admin: httpx.Client, lab: Lab) -> str:
    """A tag of a person's on what the detector found. Returns the identifier of the annotation."""
    [sign, *_] = signs(admin, lab.old)
    body = {"semantics": [{"key": "note", "value": "seen by a person"}]}
    changed = admin.patch(f"/api/annotations/{sign['id']}", json=body)
    assert changed.status_code == 200, changed.text
    return str(sign["id"])


def tags_of(session: httpx.Client, annotation: str) -> set[str]:
    answer = session.get(f"/api/annotations/{annotation}")
    assert answer.status_code == 200, answer.text
    return {tag["key"] for tag in answer.json()["semantics"]}


def models(session: httpx.Client, where: tuple[str, str]) -> set[str]:
    return {value for one in signs(session, where) for key, value in one["tags"].items() if "detection_model" in key}


def test_a_new_version_takes_the_place_of_the_old_one(lab: Lab, other_user: httpx.Client) -> None:
    before = {one["box"] for one in signs(other_user, lab.old)}
    lab.deploy(lab.settings.replace("version: ppocr-v4", 'version: "5"'))
    done = lab.script("run", "--detector", "text")
    assert (done["detectors"][0]["version"], done["detectors"][0]["waiting"]) == ("5", 0)
    for where in (lab.old, lab.new):
        assert models(other_user, where) == {"text/5"}
    assert {one["box"] for one in signs(other_user, lab.old)} == before


def test_removing_takes_the_tags_and_leaves_those_of_people(
    lab: Lab, admin: httpx.Client, other_user: httpx.Client, engine: docker.DockerClient, database_sql: Sql
) -> None:
    noted = own_tag(admin, lab)
    removed = lab.script("remove", "text")
    assert removed["pictures"] >= 2
    assert removed["tags"] % 3 == 0
    assert signs(other_user, lab.old) == signs(other_user, lab.new) == []
    assert tags_of(admin, noted) == {"note"}
    [resting] = lab.script("status")
    assert (resting["resting"], resting["found"]) == (True, 0)
    lab.script("run", "--detector", "text")
    assert models(other_user, lab.old) == {"text/5"}

    said = lab.deploy("")
    assert re.search(r"Detector text is gone, and with it \d+ tags on \d+ pictures", said), said[-3000:]
    assert found_by_search(other_user) == set()
    assert tags_of(admin, noted) == {"note"}
    assert database_sql("SELECT count(*) FROM annotations_semantics WHERE key LIKE '%detected|%'") == [["0"]]
    assert lab.script("status") == []
    names = {container.name for container in engine.containers.list(all=True)}
    assert not names & {f"{lab.site.project}-detector", f"{lab.site.project}-detection"}
