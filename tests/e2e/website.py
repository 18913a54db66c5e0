"""What the tests of the website's pages share: pictures of a page, what the API says to its person, its map."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from playwright.sync_api import Page, ViewportSize

from axe import findings
from browser import Watched
from conftest import ARTEFACTS, ROOT
from exploring import viewer_is_ready

SCREENSHOTS = ARTEFACTS / "screenshots"
GUIDE = ROOT / "docs" / "images" / "guide"
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
MAP = "document.querySelector('pnx-coverage-map').map"


def for_guide(seen: Watched, name: str) -> None:
    """A screenshot among the artefacts and, when asked for, for the guide."""
    taken = seen.picture(f"guide-{name}")
    if os.environ.get("GUIDE"):
        GUIDE.mkdir(parents=True, exist_ok=True)
        shutil.copy(taken, GUIDE / f"{name}.png")


def answer(page: Page, method: str, path: str) -> Any:
    """What the API says to the person of this page."""
    return page.evaluate(
        "async ([method, path]) => { const said = await fetch(`/api${path}`, {method});"
        " return said.ok && said.status !== 204 ? said.json() : {status: said.status}; }",
        [method, path],
    )


def sequences(page: Page) -> dict[str, dict[str, Any]]:
    """The person's sequences by title."""
    links = answer(page, "GET", "/users/me/collection?limit=100")["links"]
    return {one["title"]: one for one in links if one["rel"] == "child"}


def titles(page: Page) -> list[str]:
    """Of the rows in My Photos, from the top."""
    return page.locator(".row h3").all_text_contents()


def width(page: Page) -> int:
    """How wide the page is, with what can be scrolled to."""
    return int(page.evaluate("document.scrollingElement.scrollWidth"))


def viewer_is_loaded(seen: Watched) -> None:
    """Wait until the viewer shows its parts, and no progress any more."""
    viewer_is_ready(seen)
    seen.page.locator("pnx-loader").first.wait_for(state="hidden")


def look_at(seen: Watched, name: str) -> None:
    """Light, dark and phone: a screenshot of each, no serious finding, and nothing to scroll sideways."""
    page = seen.page
    page.wait_for_timeout(300)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(200)
        seen.picture(f"{name}-{scheme}", whole=True)
        assert findings(page) == [], f"{name} in {scheme}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    if name == "explore":
        # The viewer arranges its parts for the width that it is opened with.
        page.reload()
        viewer_is_loaded(seen)
    page.wait_for_timeout(300)
    seen.picture(f"{name}-phone", whole=True)
    assert width(page) <= PHONE["width"], f"{name} is {width(page)} pixels wide on a phone"
    assert findings(page) == [], f"{name} on a phone"
    page.set_viewport_size(DESKTOP)


def place_of(page: Page, sequence: str) -> tuple[float, float]:
    """Where the mark of a sequence is, in pixels of the page, after the map was moved to it."""
    x, y = page.evaluate(
        f"""(sequence) => {{
            const map = {MAP};
            const marks = map.getSource('marks').serialize().data.features;
            const {{coordinates}} = marks.find((one) => one.properties.id === sequence).geometry;
            map.jumpTo({{center: coordinates, zoom: 12}});
            const [place, corner] = [map.project(coordinates), map.getCanvas().getBoundingClientRect()];
            return [corner.left + place.x, corner.top + place.y];
        }}""",
        sequence,
    )
    return x, y


def drawn(page: Page, layer: str, expected: set[str]) -> None:
    """Wait until the map draws these sequences on that layer, and no other."""
    features = f"map.queryRenderedFeatures({{layers: ['{layer}']}}).map((one) => one.properties.id)"
    ids = f"(map) => map?.getLayer?.('{layer}') ? {features} : []"
    found: set[str] = set()
    for _ in range(100):
        found = set(page.evaluate(f"({ids})(document.querySelector('pnx-coverage-map')?.map)"))
        if found == expected:
            return
        time.sleep(0.1)
    raise AssertionError(f"{layer}: {found}, not {expected}")
