"""My Photos, a sequence, My Settings and Administration in a real browser, with real pictures; then every page's looks.

GUIDE=1 also writes the pictures of docs/user-guide.md (`make guide`).
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from axe import findings
from browser import Watched, chromium, watched
from conftest import ARTEFACTS, ROOT, Person, Site
from exploring import viewer_is_ready
from pictures import geovisio_pictures, unique
from signing_in import client
from test_story import NEW_PASSWORD

SCREENSHOTS = ARTEFACTS / "screenshots"
GUIDE = ROOT / "docs" / "images" / "guide"
# Three cameras at three places and times, so three sequences.
SENT = ("e1.jpg", "e2.jpg", "e3.jpg", "e4.jpg", "e5.jpg", "d1.jpg", "focal_zero.jpg")
TITLE = "Survey of the bridges"
OWN_PAGES = ("my-photos", "share-photos", "settings")
ERRORS = (401, 403, 404, 413, 502)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def for_guide(seen: Watched, name: str) -> None:
    """A screenshot among the artefacts and, when asked for, for the guide."""
    taken = seen.picture(f"guide-{name}")
    if os.environ.get("GUIDE"):
        GUIDE.mkdir(parents=True, exist_ok=True)
        shutil.copy(taken, GUIDE / f"{name}.png")


@pytest.fixture(scope="module")
def field(site: Site, browser: Browser, new_person: Callable[..., Person], tmp_path_factory: Any) -> Iterator[Watched]:
    """A person who signed in with the letter in hand and shared seven small pictures, which are blurred."""
    folder = tmp_path_factory.mktemp("card")
    for name in SENT:
        (folder / name).write_bytes(unique((geovisio_pictures() / name).read_bytes()))
    person = new_person("Petra Pages")
    with watched(browser, site.url, SCREENSHOTS) as seen:
        page = seen.page
        page.goto("/")
        page.get_by_role("link", name="Log in").first.click()
        page.locator("#username").fill(person.email)
        for_guide(seen, "log-in")
        page.locator("#password").fill(person.password)
        page.locator("#kc-login").click()
        page.locator("#password-new").fill(NEW_PASSWORD)
        page.locator("#password-confirm").fill(NEW_PASSWORD)
        page.locator("input[type=submit], button[type=submit]").first.click()
        page.wait_for_url("**/explore**")
        page.goto("/share-photos")
        page.locator("#files").set_input_files([str(folder / name) for name in SENT])
        page.locator("#title").fill(TITLE)
        page.locator("#transport").select_option(label="By car")
        for_guide(seen, "share-photos")
        page.get_by_role("button", name="Upload pictures").click()
        expect(page.locator("#result")).to_contain_text(f"{len(SENT)} pictures accepted", timeout=90_000)
        page.locator("#blurring").wait_for(state="hidden", timeout=240_000)
        for_guide(seen, "uploaded")
        yield seen
        for one in answer(page, "GET", "/users/me/collection?limit=100").get("links", []):
            if one.get("rel") == "child":
                answer(page, "DELETE", f"/collections/{one['id']}")


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
    return page.locator(".row h3").all_text_contents()


def test_my_photos_lists_sorts_and_filters(field: Watched) -> None:
    page = field.page
    page.goto("/my-photos")
    rows = page.locator(".row")
    expect(rows).to_have_count(3)
    expect(page.locator("#totals")).to_have_text(f"3 sequences · {len(SENT)} photos")
    for one in sequences(page).values():
        row = page.locator(f".row[data-id='{one['id']}']")
        count = one["stats:items"]["count"]
        expect(row).to_contain_text(str(count))
        expect(row).to_contain_text("Instance limited")
        expect(row).to_contain_text("Ready")
    page.get_by_label("Sort by").select_option(label="Number of photos")
    counts = [sequences(page)[title]["stats:items"]["count"] for title in titles(page)]
    assert counts == sorted(counts, reverse=True)
    page.get_by_label("Order").select_option(label="Oldest or smallest first")
    assert [sequences(page)[title]["stats:items"]["count"] for title in titles(page)] == sorted(counts)
    page.get_by_label("Sort by").select_option(label="Shooting date")
    oldest = min(one["extent"]["temporal"]["interval"][0][0] for one in sequences(page).values())
    assert sequences(page)[titles(page)[0]]["extent"]["temporal"]["interval"][0][0] == oldest
    page.get_by_label("Shot until").fill(oldest[:10])
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.locator("#filters select[name=visibility]").select_option(label="Only me")
    expect(page.get_by_text("No sequence matches.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(rows).to_have_count(3)

    page.get_by_role("button", name="Search in this area").wait_for()
    for_guide(field, "my-photos")


def test_several_are_changed_and_deleted_at_once(field: Watched) -> None:
    page = field.page
    page.goto("/my-photos")
    expect(page.locator(".row")).to_have_count(3)
    page.get_by_label("All on this page").check()
    expect(page.locator("#picked")).to_have_text(f"3 sequences with {len(SENT)} photos selected")
    page.locator("#picked-visibility").select_option(label="Only me")
    expect(page.locator(".row .tags", has_text="Only me")).to_have_count(3)
    assert {one["geovisio:visibility"] for one in sequences(page).values()} == {"owner-only"}
    page.get_by_label("All on this page").check()
    page.locator("#picked-visibility").select_option(label="Instance limited")
    expect(page.locator(".row .tags", has_text="Instance limited")).to_have_count(3)

    title, one = min(sequences(page).items(), key=lambda item: int(item[1]["stats:items"]["count"]))
    page.get_by_label(f"Select “{title}”").check()
    page.get_by_role("button", name="Delete").click()
    count = one["stats:items"]["count"]
    photos = "1 photo" if count == 1 else f"{count} photos"
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Delete 1 sequence with {photos}? This cannot be undone.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator(".row")).to_have_count(3)
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".row")).to_have_count(2)
    assert title not in sequences(page)


def test_a_sequence_is_renamed_hidden_downloaded_and_thinned_out(field: Watched, other_user: httpx.Client) -> None:
    page = field.page
    one = max(sequences(page).values(), key=lambda item: int(item["stats:items"]["count"]))
    count = one["stats:items"]["count"]
    page.goto(f"/sequence/{one['id']}")
    thumbs = page.locator("#thumbs li")
    expect(thumbs).to_have_count(count)
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Bridges in the north")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bridges in the north")).to_be_visible()
    page.locator("#track .map-view").wait_for()
    drawn = "() => document.querySelector('pnx-coverage-map').map.getSource('track').serialize().data.features.length"
    page.wait_for_timeout(1500)
    assert page.evaluate(drawn) == count + 1
    for_guide(field, "sequence")

    items = f"/api/collections/{one['id']}/items"
    for box in (0, 1):
        thumbs.nth(box).get_by_role("checkbox").check()
    expect(page.locator("#picked")).to_have_text("2 photos selected")
    page.get_by_role("button", name="Hide").click()
    expect(page.locator("#thumbs .hidden")).to_have_count(2)
    assert len(other_user.get(items).json()["features"]) == count - 2
    page.get_by_role("button", name="Show again").click()
    expect(page.locator("#thumbs .hidden")).to_have_count(0)
    assert len(other_user.get(items).json()["features"]) == count

    with page.expect_download() as begun:
        page.locator("#picked-actions").get_by_role("button", name="Download").click()
    packed = zipfile.ZipFile(io.BytesIO(Path(begun.value.path()).read_bytes()))
    assert packed.testzip() is None
    assert len(packed.namelist()) == 2
    assert all(packed.read(name).startswith(b"\xff\xd8") for name in packed.namelist())
    assert begun.value.suggested_filename == "Bridges in the north.zip"

    thumbs.nth(1).get_by_role("checkbox").uncheck()
    page.locator("#picked-actions").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete 1 photo? This cannot be undone.")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(thumbs).to_have_count(count - 1)
    page.reload()
    expect(thumbs).to_have_count(count - 1)
    page.get_by_role("link", name="Fullscreen").click()
    page.wait_for_url("**/explore?seq=*&pic=*&focus=pic**")
    viewer_is_ready(field)
    page.wait_for_timeout(3000)
    for_guide(field, "explore")


def test_others_see_a_sequence_without_its_controls(
    site: Site, browser: Browser, field: Watched, other_user: httpx.Client
) -> None:
    one = next(iter(sequences(field.page).values()))
    with watched(browser, site.url, SCREENSHOTS) as seen:
        seen.take_over(other_user)
        seen.page.goto(f"/sequence/{one['id']}")
        expect(seen.page.locator("#thumbs li")).not_to_have_count(0)
        expect(seen.page.get_by_role("link", name="Fullscreen")).to_be_visible()
        assert seen.page.get_by_role("checkbox").count() == 0
        assert seen.page.get_by_role("button", name="Delete").count() == 0
        assert seen.page.get_by_role("button", name="Rename").count() == 0


def test_a_report_is_resolved_by_the_owner_and_by_an_administrator(
    site: Site, browser: Browser, field: Watched, other_user: httpx.Client, admin: httpx.Client
) -> None:
    one = next(iter(sequences(field.page).values()))
    items = f"/api/collections/{one['id']}/items"
    photo = other_user.get(items).json()["features"][0]["id"]

    def report(comment: str) -> None:
        body = {"issue": "privacy", "picture_id": photo, "reporter_comments": comment}
        assert other_user.post("/api/reports", json=body).status_code == 200
        assert photo not in {item["id"] for item in other_user.get(items).json()["features"]}

    report("My garden is in it")
    page = field.page
    page.goto(f"/sequence/{one['id']}")
    expect(page.locator("#reports")).to_contain_text("My garden is in it")
    page.get_by_role("button", name="Resolve").click()
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    expect(page.locator("#reports")).to_be_hidden()
    assert photo in {item["id"] for item in other_user.get(items).json()["features"]}

    mark = secrets.token_hex(6)
    report(mark)
    with watched(browser, site.url, SCREENSHOTS) as seen:
        seen.take_over(admin)
        seen.page.goto("/explore")
        seen.page.locator("details.account summary").click()
        seen.page.get_by_role("link", name="Administration").click()
        row = seen.page.locator(".report", has_text=mark)
        expect(row).to_contain_text("Private ground or privacy")
        expect(seen.page.locator("#figures tr")).to_have_count(3)
        look_at(seen, "administration")
        row.get_by_role("button", name="Resolve").click()
        seen.page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
        expect(row).to_have_count(0)
    assert photo in {item["id"] for item in other_user.get(items).json()["features"]}


def test_administration_is_closed_for_others(field: Watched, other_user: httpx.Client) -> None:
    refused = other_user.get("/administration")
    assert refused.status_code == 403
    assert "Not allowed" in refused.text
    field.page.goto("/my-photos")
    field.page.locator("details.account summary").click()
    expect(field.page.get_by_role("link", name="My Settings")).to_be_visible()
    expect(field.page.get_by_role("link", name="Administration")).to_be_hidden()


def test_a_token_has_an_end_is_shown_once_and_revoked(site: Site, field: Watched) -> None:
    page = field.page
    page.goto("/settings")
    name = f"laptop {secrets.token_hex(4)}"
    end = (datetime.now(UTC) + timedelta(days=12)).date()
    page.get_by_label("What is it for?").fill(name)
    page.get_by_label("Works until").fill(end.isoformat())
    for_guide(field, "settings")
    page.get_by_role("button", name="Create token").click()
    token = page.locator("#token-value pre").inner_text()
    with client(site.url, site.ca) as session:
        session.headers["Authorization"] = f"Bearer {token}"
        assert session.get("/api/users/me").status_code == 200
        page.reload()
        row = page.locator(".tokens li", has_text=name)
        expect(row).to_contain_text(end.strftime("%-d %b %Y"))
        expect(page.locator("#token-value")).to_be_hidden()
        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(row).to_have_count(0)
        assert session.get("/api/users/me").status_code in (401, 403)
    command = page.locator("#cli").inner_text()
    assert command == f"SSL_CERT_FILE=ca.crt panoramax_cli upload --api-url {site.url} --token TOKEN ."
    for link, action in (("Change password", "UPDATE_PASSWORD"), ("Set up two-step login", "CONFIGURE_TOTP")):
        address = page.get_by_role("link", name=link).get_attribute("href") or ""
        assert f"kc_action={action}" in address


def look_at(seen: Watched, name: str) -> None:
    """Light, dark and phone: a screenshot of each, no serious finding, and nothing to scroll sideways."""
    page = seen.page
    page.wait_for_timeout(300)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(200)
        seen.picture(f"{name}-{scheme}")
        assert findings(page) == [], f"{name} in {scheme}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(300)
    seen.picture(f"{name}-phone")
    wide = page.evaluate("document.documentElement.scrollWidth")
    # The viewer keeps the width that it was opened with.
    assert wide <= 360 or name == "explore", f"{name} is {wide} pixels wide on a phone"
    assert findings(page) == [], f"{name} on a phone"
    page.set_viewport_size({"width": 1280, "height": 800})


def test_every_page_can_be_used_by_everybody(site: Site, browser: Browser, field: Watched) -> None:
    page = field.page
    one = next(iter(sequences(page).values()))
    for path in (*OWN_PAGES, f"sequence/{one['id']}", "explore", "tos-validation", "token-accepted"):
        page.goto(f"/{path}")
        page.locator("html.is-ready").wait_for()
        if path == "explore":
            viewer_is_ready(field)
        if path.startswith(("my-", "sequence")):
            page.locator(".map-view").wait_for()
            page.wait_for_timeout(1500)
        look_at(field, path.split("/")[0])
    with watched(browser, site.url, SCREENSHOTS) as seen:
        for path in ("", *(f"errors/{code}.html" for code in ERRORS)):
            seen.page.goto(f"/{path}")
            look_at(seen, Path(path).stem if path else "landing")


def test_my_photos_speaks_the_persons_language(field: Watched) -> None:
    page = field.page
    page.goto("/my-photos")
    for code, text in (("de", "Datum des Hochladens"), ("fr", "Nombre de photos"), ("es", "Fecha de subida")):
        page.locator("select[data-site=languages]").select_option(code)
        page.locator(f"html[lang={code}].is-ready").wait_for()
        expect(page.locator("#filters select[name=sort]")).to_contain_text(text)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("select[data-site=languages]").select_option("en")
    page.locator("html[lang=en].is-ready").wait_for()
