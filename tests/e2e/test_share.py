"""Share Photos in a real browser: a person's pictures are sent, blurred, and theirs to look at; rejects say why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from browser import chromium, watched
from conftest import ARTEFACTS, Person, Site
from pictures import geovisio_pictures, unique
from test_story import NEW_PASSWORD, sign_in_by_hand

SENT = ("e1.jpg", "e2.jpg", "e3.jpg")
# The same camera's picture without any EXIF: neither place nor date.
WITHOUT_PLACE = "e1_without_exif.jpg"


def test_a_person_shares_photos(site: Site, new_person: Callable[..., Person], tmp_path: Path) -> None:
    for name in (*SENT, WITHOUT_PLACE):
        (tmp_path / name).write_bytes(unique((geovisio_pictures() / name).read_bytes()))
    person = new_person("Sofia Share")
    with chromium() as browser, watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        page.goto("/")
        sign_in_by_hand(seen, person.email, person.password, NEW_PASSWORD)
        page.get_by_role("link", name="Share Photos").first.click()
        page.locator("#files").set_input_files([str(tmp_path / name) for name in (*SENT, WITHOUT_PLACE)])
        page.locator("#title").fill("Along the river")
        page.locator("#transport").select_option(label="By car")
        expect(page.get_by_label("Instance limited")).to_be_checked()
        page.get_by_role("button", name="Upload pictures").click()
        expect(page.locator("#result")).to_contain_text("3 pictures accepted", timeout=60_000)
        expect(page.locator("#result")).to_contain_text("1 file not accepted")
        expect(page.locator("#result")).to_contain_text(WITHOUT_PLACE)
        page.locator("#blurring").wait_for(state="hidden", timeout=120_000)
        seen.picture("share-result")
        page.goto("/my-photos")
        expect(page.get_by_text("Along the river").first).to_be_visible()
        seen.picture("my-photos-shared")
