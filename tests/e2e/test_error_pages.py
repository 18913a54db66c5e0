"""Errors of the gate itself: people get a page in the site's look that says what to do, programs get JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import httpx
import pytest

from conftest import ROOT, Site
from gate_requests import SAMPLES, exchange, request

pytestmark = pytest.mark.e2e

# As browsers ask for a page that somebody opens.
PAGE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LOCALES = ROOT / "images" / "website" / "src" / "locales"
TEXTS = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in LOCALES.glob("*.json")}


def is_page(text: str, name: str) -> bool:
    """Our page about this, in every language, with our style and a way on."""
    said = all(texts[f"page.{name}.text"] in text for texts in TEXTS.values())
    return said and f"<h1>{TEXTS['en'][f'page.{name}']}</h1>" in text and "--brand" in text and 'class="button"' in text


def test_people_get_a_page_and_programs_json(site: Site, anonymous: httpx.Client, other_user: httpx.Client) -> None:
    asked = {
        401: (anonymous, "/api/users/me"),
        403: (other_user, "/administration"),
        404: (anonymous, "/nothing-here"),
    }
    for status, (session, path) in asked.items():
        opened = session.get(path, headers=PAGE)
        assert opened.status_code == status, path
        assert opened.headers["content-type"].startswith("text/html"), path
        assert is_page(opened.text, str(status)), opened.text
    program = anonymous.get("/api/users/me")
    assert (program.status_code, program.json()["status_code"]) == (401, 401)

    headers = (f"Content-Length: {2**31}", "Content-Type: image/jpeg", f"Accept: {PAGE['Accept']}")
    path = f"/api/upload_sets/{SAMPLES['uuid']}/files"
    large = exchange(site.url, str(site.ca), request("POST", path, site.url.partition("//")[2], *headers))
    assert large.status == 413
    assert is_page(large.data.decode(), "413")


@contextmanager
def away(engine: docker.DockerClient, name: str, back: httpx.Client, path: str) -> Iterator[None]:
    """A container is gone for a while; afterwards, that path answers again."""
    container = engine.containers.get(name)
    container.stop(timeout=3)
    try:
        yield
    finally:
        container.start()
        deadline = time.monotonic() + 90
        while back.get(path).status_code != 200:
            assert time.monotonic() < deadline, f"{name} did not come back"
            time.sleep(0.3)


def test_a_part_that_is_away_comes_back_in_a_moment(
    site: Site, engine: docker.DockerClient, anonymous: httpx.Client, user: httpx.Client
) -> None:
    # The website cannot tell of its own absence.
    with away(engine, f"{site.project}-website", anonymous, "/"):
        gone = anonymous.get("/", headers=PAGE)
        assert (gone.status_code, is_page(gone.text, "502")) == (503, True), gone.text
        assert gone.headers["retry-after"]
        assert "x-robots-tag" in gone.headers
    with away(engine, f"{site.project}-api", user, "/api/users/me"):
        for method, path in (("GET", "/explore"), ("GET", "/api/auth/login"), ("POST", "/api/users/me/tokens")):
            gone = user.request(method, path, headers=PAGE)
            assert (gone.status_code, is_page(gone.text, "502")) == (503, True), (path, gone.text)
        program = user.get("/api/users/me")
        assert (program.status_code, program.json()["status_code"]) == (503, 503)
