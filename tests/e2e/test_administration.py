"""An administrator finds a picture that cannot be blurred, with the reason, and has it tried again in the browser."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from browser import chromium, watched
from conftest import Site
from pictures import small_picture
from website import SCREENSHOTS, look_at

pytestmark = pytest.mark.e2e

FAILED = "/api/admin/failed_pictures"
NOBODYS = "11111111-2222-4333-8444-555555555555"
Sql = Callable[..., list[list[str]]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def broken(user: httpx.Client, database_sql: Sql) -> Iterator[tuple[str, str]]:
    """A picture that the blurring refuses for good, for its four colours: its identifier and the name of its file."""
    with Image.open(io.BytesIO(small_picture(4_711))) as image:
        printed = io.BytesIO()
        image.convert("CMYK").save(printed, "JPEG", exif=image.getexif())
    name = f"for print {time.time_ns()}.jpg"
    made = user.post("/api/upload_sets", json={"title": "For print", "estimated_nb_files": 1}).json()["id"]
    sent = user.post(f"/api/upload_sets/{made}/files", files={"file": (name, printed.getvalue(), "image/jpeg")})
    assert sent.status_code == 202, sent.text
    picture = sent.json()["picture_id"]
    _settled(database_sql, picture)
    yield picture, name
    assert user.delete(f"/api/upload_sets/{made}").is_success


def _settled(sql: Sql, picture: str) -> None:
    deadline = time.monotonic() + 90
    while sql(f"SELECT preparing_status FROM pictures WHERE id = '{picture}'") != [["broken"]]:
        assert time.monotonic() < deadline, "the picture is not given up"
        time.sleep(0.5)


def test_a_broken_picture_is_tried_again(
    browser: Browser, site: Site, admin: httpx.Client, broken: tuple[str, str], database_sql: Sql
) -> None:
    picture, name = broken
    tries = f"SELECT count(*) FROM job_history WHERE picture_id = '{picture}' AND error IS NOT NULL"
    before = int(database_sql(tries)[0][0])
    with watched(browser, site.url, SCREENSHOTS) as seen:
        seen.take_over(admin)
        page = seen.page
        page.goto("/administration")
        row = page.locator("#failed .report", has_text=name)
        expect(row).to_contain_text("the blurring service cannot take this picture")
        look_at(seen, "administration-broken")
        row.get_by_role("button", name="Try again").click()
        expect(page.locator("#retried")).to_have_text("1 picture is in the queue again.")
        _settled(database_sql, picture)
        assert int(database_sql(tries)[0][0]) > before, "it was not tried again"
        page.reload()
        page.get_by_role("button", name="Try all again").click()
        expect(page.locator("#retried")).to_contain_text("in the queue again")
    _settled(database_sql, picture)


def test_only_administrators_see_and_try_them(
    user: httpx.Client, admin: httpx.Client, anonymous: httpx.Client, broken: tuple[str, str]
) -> None:
    for who, status in ((anonymous, 401), (user, 403)):
        assert who.get(FAILED).status_code == status
        assert who.post(f"{FAILED}/retry", json={"pictures": "all"}).status_code == status
    [listed] = [one for one in admin.get(FAILED).json()["pictures"] if one["id"] == broken[0]]
    assert listed["state"] == "broken"
    assert not listed["next"]
    wrong = admin.post(f"{FAILED}/retry", json={"pictures": ["x"]})
    assert (wrong.status_code, wrong.json()["message"]) == (400, "an identifier of a picture is a UUID")
    assert admin.post(f"{FAILED}/retry", json={"pictures": [NOBODYS]}).json() == {"queued": []}
