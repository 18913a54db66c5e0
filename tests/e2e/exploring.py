"""Explore as the guide describes it: arrows, play, metadata, expand, Report, iD, JOSM; all on the real viewer."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page, expect

from browser import Watched

JOSM = "http://127.0.0.1:8111"


def viewer_is_ready(seen: Watched) -> None:
    """Wait until the viewer has loaded. (Playwright's wait_for_function needs eval, which the CSP rightly forbids.)"""
    seen.page.locator("pnx-viewer").wait_for(state="attached")
    seen.page.evaluate(
        """async () => {
            await customElements.whenDefined('pnx-viewer');
            await document.querySelector('pnx-viewer').onceReady();
        }"""
    )


def shown_picture(page: Page) -> str:
    """Identifier of the picture in the viewer."""
    return str(page.evaluate("document.querySelector('pnx-viewer').psv.getPictureMetadata()?.id ?? ''"))


def other_picture(page: Page, before: str) -> str:
    """Wait until another picture than `before` is shown."""
    for _ in range(150):
        if (now := shown_picture(page)) not in {"", before}:
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"the viewer still shows {before}")


def map_centre(page: Page) -> tuple[float, float, float]:
    """Longitude, latitude and zoom of the map."""
    where = "(map) => [...map.getCenter().toArray(), map.getZoom()]"
    east, north, zoom = page.evaluate(f"({where})(document.querySelector('pnx-viewer').map)")
    return east, north, zoom


@contextmanager
def josm() -> Iterator[list[str]]:
    """A program on the person's own machine that answers as JOSM's remote control does; the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} cookie={self.headers.get('Cookie')} referrer={self.headers.get('Referer')}")
            body = json.dumps({"protocolversion": {"major": 1, "minor": 11}}).encode()
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 8111), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()


def walk_through_a_sequence(page: Page) -> None:
    """Arrows and play."""
    first = shown_picture(page)
    page.locator("#pnx-player-next").click()
    second = other_picture(page, first)
    page.locator("#pnx-player-prev").click()
    assert other_picture(page, second) == first
    page.locator("#pnx-player-play").click()
    other_picture(page, first)
    page.locator("#pnx-player-play").click()


def read_metadata(seen: Watched, name: str) -> None:
    """Who took it, when, and what the camera noted."""
    page = seen.page
    expect(page.locator("pnx-picture-legend").first).to_contain_text(name)
    page.locator("#pic-legend-expand").click()
    metadata = page.locator("pnx-picture-metadata").first
    expect(metadata).to_be_visible()
    expect(metadata).to_contain_text(re.compile("GoPro", re.IGNORECASE))
    seen.picture("explore-metadata")


def look_for_editors(page: Page) -> None:
    """iD is a link to the place alone; JOSM is asked on a click, and only on this machine."""
    link = page.locator("pnx-widget-osmeditors pnx-link-button").first
    address = link.get_attribute("href") or ""
    assert re.match(r"https://www\.openstreetmap\.org/edit\?editor=id#map=19%2F4\d\.\d+%2F1\.\d+", address), address
    assert "photo" not in address
    with josm() as asked:
        page.locator("#pnx-edit-josm").last.click()
        for _ in range(100):
            if any(path.startswith("/load_and_zoom?") for path in asked):
                break
            page.wait_for_timeout(50)
        page.locator("#pnx-edit-josm").last.click()
    assert any(path.startswith("/load_and_zoom?") for path in asked), asked
    assert all("cookie=None" in path and "referrer=None" in path for path in asked), asked


def expand_the_map(page: Page) -> None:
    """The small map becomes the large one, and the picture the small one, and back."""
    assert page.evaluate("document.querySelector('pnx-viewer').isMapWide()") is False
    page.locator("pnx-mini").get_by_text("Expand").click()
    assert page.evaluate("document.querySelector('pnx-viewer').isMapWide()") is True
    page.locator("pnx-mini").get_by_text("Expand").click()
    assert page.evaluate("document.querySelector('pnx-viewer').isMapWide()") is False


def report_the_picture(page: Page) -> None:
    """Something is wrong with the picture."""
    page.locator("#pic-legend-cta").get_by_text("Report").click()
    form = page.locator("pnx-report-form")
    form.locator("#issue").select_option("other")
    form.locator("#comments").fill("A test of the report form")
    form.get_by_text("Submit").click()
    expect(form).to_contain_text("Report was sent successfully")
