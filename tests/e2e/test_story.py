"""From the letter to the picture: the way of a new account through the real browser, the real client, the real API."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from pystac_client import Client

from browser import Watched, chromium, watched
from conftest import ARTEFACTS, ROOT, Person, Site
from exploring import (
    JOSM,
    expand_the_map,
    look_for_editors,
    map_centre,
    read_metadata,
    report_the_picture,
    viewer_is_ready,
    walk_through_a_sequence,
)
from pictures import FLAT, PANORAMAS, geovisio_pictures, unique
from signing_in import client

NEW_PASSWORD = "correct-horse-battery-9"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def uploader(new_person: Callable[..., Person]) -> Person:
    return new_person("Fiona Field")


@pytest.fixture(scope="module")
def page(site: Site, browser: Browser, uploader: Person) -> Iterator[Watched]:
    """The uploader, signed in with the letter in hand."""
    with watched(browser, site.url, ARTEFACTS) as seen:
        seen.page.goto("/")
        seen.picture("landing")
        sign_in_by_hand(seen, uploader.email, uploader.password, NEW_PASSWORD)
        yield seen


def sign_in_by_hand(seen: Watched, email: str, password: str, new_password: str) -> None:
    """Type what the letter says."""
    seen.page.get_by_role("link", name="Log in").first.click()
    seen.picture("sign-in")
    seen.page.locator("#username").fill(email)
    seen.page.locator("#password").fill(password)
    seen.page.locator("#kc-login").click()
    seen.page.locator("#password-new").fill(new_password)
    seen.page.locator("#password-confirm").fill(new_password)
    seen.picture("change-password")
    seen.page.locator("input[type=submit], button[type=submit]").first.click()
    seen.page.wait_for_url("**/explore**")


@pytest.fixture(scope="module")
def token(page: Watched) -> str:
    """An API token, made as the signed-in person makes one."""
    answer = page.page.evaluate(
        """async () => {
            const made = await fetch('/api/users/me/tokens');
            const [first] = await made.json();
            return (await (await fetch(`/api/users/me/tokens/${first.id}`)).json()).jwt_token;
        }"""
    )
    assert isinstance(answer, str)
    return answer


@pytest.fixture(scope="module")
def panoramax_cli() -> Path:
    """The real client."""
    return install_panoramax_cli()


def install_panoramax_cli() -> Path:
    """Install the real client, in an environment of its own; its program."""
    directory = ROOT / ".cache" / "panoramax-cli"
    program = directory / "bin" / "panoramax_cli"
    if not program.exists():
        subprocess.run(
            [
                sys.executable,
                "scripts/bootstrap.py",
                f"--venv={directory}",
                "--requirements=requirements-panoramax-cli.txt",
            ],
            cwd=ROOT,
            check=True,
        )
    return program


def bearer(site: Site, token: str) -> httpx.Client:
    session = client(site.url, site.ca)
    session.headers["Authorization"] = f"Bearer {token}"
    return session


@pytest.fixture(scope="module")
def uploaded(site: Site, token: str, panoramax_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Twelve real pictures, uploaded by the real client; original file name to STAC item."""
    folder = tmp_path_factory.mktemp("sd-card")
    for name in (*PANORAMAS, *FLAT):
        (folder / name).write_bytes(unique((geovisio_pictures() / name).read_bytes()))
    done = subprocess.run(
        [str(panoramax_cli), "upload", "--api-url", site.url, "--token", token, "--title", "Field trip", str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "SSL_CERT_FILE": str(site.ca), "REQUESTS_CA_BUNDLE": str(site.ca), "NO_COLOR": "1"},
        check=False,
    )
    (ARTEFACTS / "panoramax_cli.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    with bearer(site, token) as session:
        producer = session.get("/api/users/me").json()["name"]
        deadline = time.monotonic() + 600
        while True:
            items = [
                item
                for item in session.get("/api/search", params={"limit": 100}).json()["features"]
                if item["properties"]["geovisio:producer"] == producer
            ]
            if len(items) >= len(PANORAMAS) + len(FLAT):
                return {item["properties"]["original_file:name"]: item for item in items}
            assert time.monotonic() < deadline, f"only {len(items)} pictures are ready"
            time.sleep(2)


def test_every_picture_is_ready(site: Site, token: str, uploaded: dict[str, Any]) -> None:
    assert set(uploaded) == {*PANORAMAS, *FLAT}
    with bearer(site, token) as session:
        for item in uploaded.values():
            whole = session.get(f"/api/collections/{item['collection']}/items/{item['id']}").json()
            assert whole["properties"]["geovisio:status"] == "ready"


def test_uploads_are_instance_limited(site: Site, token: str, uploaded: dict[str, Any]) -> None:
    collections = {item["collection"] for item in uploaded.values()}
    with bearer(site, token) as session:
        for collection in collections:
            assert session.get(f"/api/collections/{collection}").json()["geovisio:visibility"] == "logged-only"


def test_another_person_finds_them_by_stac_search(
    site: Site, other_user: httpx.Client, uploaded: dict[str, Any]
) -> None:
    jwt = other_user.get("/api/users/me/tokens").json()[0]["id"]
    jwt = other_user.get(f"/api/users/me/tokens/{jwt}").json()["jwt_token"]
    os.environ["REQUESTS_CA_BUNDLE"] = str(site.ca)
    try:
        catalogue = Client.open(f"{site.url}/api", headers={"Authorization": f"Bearer {jwt}"})
        found = {item.id for item in catalogue.search(limit=100).items()}
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
    assert found >= {item["id"] for item in uploaded.values()}


def _paths(item: dict[str, Any]) -> list[str]:
    picture = f"/api/pictures/{item['id']}"
    paths = [f"{picture}/{kind}.jpg" for kind in ("hd", "sd", "thumb")]
    if "asset_templates" in item:
        paths.append(f"{picture}/tiled/0_0.jpg")
    return paths


def _direct_paths(item: dict[str, Any]) -> list[str]:
    identifier = item["id"]
    folder = f"{identifier[0:2]}/{identifier[2:4]}/{identifier[4:6]}/{identifier[6:8]}/{identifier[9:]}"
    return [
        f"/permanent/{identifier}.jpg",
        f"/permanent/{folder}.jpg",
        f"/derivates/{identifier}/sd.jpg",
        f"/derivates/{folder}/sd.jpg",
        f"/data/geovisio/permanent/{folder}.jpg",
    ]


def test_an_anonymous_client_gets_nothing_of_them(anonymous: httpx.Client, uploaded: dict[str, Any]) -> None:
    for item in uploaded.values():
        api = [
            *_paths(item),
            f"/api/pictures/{item['id']}",
            f"/api/collections/{item['collection']}",
            f"/api/collections/{item['collection']}/items",
            f"/api/collections/{item['collection']}/items/{item['id']}",
        ]
        assert {path: anonymous.get(path).status_code for path in api} == dict.fromkeys(api, 401)
        for path in _direct_paths(item):
            assert anonymous.get(path).status_code in {302, 401, 404}, path


def test_direct_paths_are_closed_to_signed_in_people_too(other_user: httpx.Client, uploaded: dict[str, Any]) -> None:
    for item in uploaded.values():
        for path in _direct_paths(item):
            assert other_user.get(path).status_code == 404, path


def test_signed_in_people_get_them(other_user: httpx.Client, uploaded: dict[str, Any]) -> None:
    for item in uploaded.values():
        for path in _paths(item):
            answer = other_user.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), path
            assert "private" in answer.headers["cache-control"] or "no-store" in answer.headers["cache-control"]


def test_a_second_person_explores_them_as_the_guide_says(
    site: Site, browser: Browser, new_person: Callable[..., Person], uploaded: dict[str, Any]
) -> None:
    person = new_person("Sami Second")
    item = uploaded["1.jpg"]
    with watched(browser, site.url, ARTEFACTS) as seen:
        seen.page.goto("/")
        sign_in_by_hand(seen, person.email, person.password, NEW_PASSWORD)
        viewer_is_ready(seen)
        # A new profile opens where the pictures are, though nobody is told the extent of all pictures.
        east, north, zoom = map_centre(seen.page)
        assert (-5 < east < 10, 40 < north < 52, zoom > 3) == (True, True, True), (east, north, zoom)
        seen.page.goto(f"/explore?pic={item['id']}&seq={item['collection']}&focus=pic")
        viewer_is_ready(seen)
        expect(seen.page.locator("pnx-viewer")).to_be_visible()
        seen.page.wait_for_timeout(4000)
        seen.picture("explore-picture")
        walk_through_a_sequence(seen.page)
        read_metadata(seen, item["properties"]["geovisio:producer"])
        seen.clicked.append(JOSM)
        look_for_editors(seen.page)
        expand_the_map(seen.page)
        report_the_picture(seen.page)
        seen.page.goto("/explore?focus=map&map=16/49.0069/1.9191")
        viewer_is_ready(seen)
        seen.page.wait_for_timeout(4000)
        seen.picture("explore-map")


@pytest.mark.usefixtures("uploaded")
def test_nothing_went_abroad_while_the_uploader_worked(page: Watched) -> None:
    for path in ("/explore", "/share-photos", "/my-photos", "/settings"):
        page.page.goto(path)
        page.page.wait_for_timeout(1500)
        page.picture(path.strip("/"))
    page.unblemished()
