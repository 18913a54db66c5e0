"""Three hundred pictures through everything that interrupts an upload; each is there exactly once at the end.

The proxy is restarted, the session ends, the page is reloaded in the middle; then a folder that the
browser may come back to.
"""

from __future__ import annotations

import csv
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from browser import Watched, chromium, watched
from conftest import ARTEFACTS, Person, Site
from pictures import small_picture, unique
from signing_in import sign_in
from test_story import NEW_PASSWORD

PICTURES = 300
# What the browser itself notes while the proxy is away and while nobody is signed in.
# 409: a picture that the server had when the connection broke is sent again, and known. 404: what upstream says to who
# opens My Photos before there is a sequence.
INTERRUPTED = (
    r"Failed to load resource: net::ERR_\w+",
    r"status of (?:401|409|502|503)",
    r"status of 404 .*/users/me/collection",
)
# A real folder of the browser's own file system, in place of its dialog, which no program can use.
OWN_FOLDER = """
window.showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('DCIM');
"""
FILL_OWN_FOLDER = """async (pictures) => {
    const root = await navigator.storage.getDirectory();
    const card = await root.getDirectoryHandle('DCIM', {create: true});
    const folder = await card.getDirectoryHandle('100GOPRO', {create: true});
    for (const [name, bytes] of Object.entries(pictures)) {
        const file = await (await folder.getFileHandle(name, {create: true})).createWritable();
        await file.write(new Uint8Array(bytes));
        await file.close();
    }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A memory card: two folders of the camera with equal names, and what does not belong into an upload."""
    dcim = tmp_path / "DCIM"
    for number in range(PICTURES):
        folder = dcim / f"{100 + number % 2}GOPRO"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"GOPR{number // 2:04}.JPG").write_bytes(small_picture(number))
    (dcim / "100GOPRO" / "GOPR0000.THM").write_bytes(b"a thumbnail")
    (dcim / "100GOPRO" / "GOPR9001.JPG").write_bytes((dcim / "100GOPRO" / "GOPR0000.JPG").read_bytes())
    (dcim / "100GOPRO" / "GOPR9002.JPG").write_bytes(b"no picture at all")
    picture = small_picture(0)
    # The camera had no signal: everything but the place.
    (dcim / "100GOPRO" / "GOPR9003.JPG").write_bytes(unique(picture.replace(b"\x88\x25\x00\x04", b"\x88\x26\x00\x04")))
    return dcim


def progress(page: Page) -> int:
    """How many files are through, as the page says."""
    found = re.match(r"(\d+) of", page.locator("#figures").inner_text())
    return int(found.group(1)) if found else 0


def wait_for_progress(page: Page, files: int) -> None:
    """Wait until that many files are through."""
    deadline = time.monotonic() + 90
    while progress(page) < files:
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.wait_for_timeout(100)


class Taken:
    """Counts the files that the server takes; one whose connection breaks is sent again, and taken once."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, response: Response) -> None:
        """Note the answer to an upload request."""
        self.count += response.status == 202 and response.url.endswith("/files")


def test_three_hundred_pictures_arrive_exactly_once_whatever_happens(
    site: Site,
    browser: Browser,
    engine: docker.DockerClient,
    new_person: Callable[..., Person],
    database_sql: Callable[..., list[list[str]]],
    card: Path,
    tmp_path: Path,
) -> None:
    person = new_person("Ines Interrupted")
    title = f"Through everything {secrets.token_hex(3)}"
    with watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        seen.expect(*INTERRUPTED)
        page.on("dialog", lambda dialog: dialog.accept())
        seen.take_over(sign_in(site.url, site.ca, person.email, person.password, new_password=NEW_PASSWORD))
        page.goto("/share-photos")
        page.locator("#folder").set_input_files(str(card))
        # Before a byte travels: what does not fit, and why.
        expect(page.locator("#chosen")).to_contain_text("Checked: 300 pictures can be uploaded.", timeout=60_000)
        expect(page.locator("#chosen")).to_contain_text("100GOPRO, 101GOPRO")
        expect(page.locator("#chosen")).to_contain_text("1 other file is left out")
        unfit = page.locator("#chosen .rejects")
        expect(unfit).to_contain_text("3 pictures will be left out")
        for reason in ("The same picture is in this upload twice", "Not a JPEG picture", "No location"):
            expect(unfit).to_contain_text(reason)
        seen.picture("share-checked")
        page.locator("#title").fill(title)
        page.get_by_role("button", name="Upload pictures").click()

        wait_for_progress(page, 40)
        engine.containers.get(f"{site.project}-proxy").restart(timeout=1)
        wait_for_progress(page, 90)
        seen.picture("share-sending")

        # The session ends; a login in another tab is enough.
        page.context.clear_cookies()
        expect(page.locator("#pause-reason")).to_contain_text("Your session has ended", timeout=60_000)
        seen.picture("share-signed-out")
        with page.context.expect_page() as opened:
            page.locator("#pause-reason").get_by_role("link", name="Log in").click()
        sign_in_again(opened.value, person.email)
        opened.value.close()
        wait_for_progress(page, 150)

        page.reload()
        card_shown = page.locator("#resume .card")
        expect(card_shown).to_contain_text(f"Unfinished upload: {title}")
        counted = re.search(r"(\d+) are there, (\d+) are still missing", card_shown.inner_text())
        assert counted
        there, missing = int(counted.group(1)), int(counted.group(2))
        assert there >= 140
        assert there + missing == PICTURES
        expect(card_shown).to_contain_text("drop or choose the same folder again")
        seen.picture("share-resume")
        page.on("response", taken := Taken())
        page.locator("#folder").set_input_files(str(card))
        expect(page.locator("#blurring")).to_be_visible(timeout=90_000)
        # Not one of those that were there already.
        assert taken.count <= missing
        seen.picture("share-blurring")

        expect(page.locator("#result")).to_contain_text("300 pictures accepted", timeout=300_000)
        expect(page.locator("#result")).to_contain_text("4 files not accepted")
        seen.picture("share-interrupted-result")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download this list").click()
        download.value.save_as(tmp_path / "list.csv")
        rows = list(csv.DictReader((tmp_path / "list.csv").open(encoding="utf-8-sig")))
        assert Counter(row["Result"] for row in rows) == {"Accepted": PICTURES, "Not accepted": 4}
        assert {row["File"].rpartition("/")[2] for row in rows if row["Result"] != "Accepted"} == {
            "GOPR9001.JPG",
            "GOPR9002.JPG",
            "GOPR9003.JPG",
            "GOPR0000.THM",
        }
        page.reload()
        expect(page.locator("#choose")).to_be_visible()
        expect(page.locator("#resume")).to_be_hidden()
    counts = database_sql(
        "SELECT count(*), count(DISTINCT original_content_md5), count(DISTINCT p.metadata->>'originalFileName')"
        f" FROM pictures p JOIN upload_sets u ON u.id = p.upload_set_id WHERE u.title = '{title}'"
    )
    assert counts == [[str(PICTURES)] * 3]


def sign_in_again(page: Page, email: str) -> None:
    """Enter what is known by now."""
    page.locator("#username").fill(email)
    page.locator("#password").fill(NEW_PASSWORD)
    page.locator("#kc-login").click()
    page.wait_for_url("**/my-photos")


def chosen_by_handle(seen: Watched, pictures: dict[str, bytes]) -> None:
    """Choose a folder by the browser's own dialog, which here answers with a folder of the browser's own."""
    page = seen.page
    page.goto("/share-photos")
    page.evaluate(FILL_OWN_FOLDER, {name: list(data) for name, data in pictures.items()})
    page.locator("#folder").click()
    expect(page.locator("#chosen")).to_contain_text(f"Checked: {len(pictures)} pictures can be uploaded.")


def test_an_upload_goes_on_by_itself_where_the_browser_has_its_files(
    site: Site, browser: Browser, new_person: Callable[..., Person]
) -> None:
    person = new_person("Hans Handle")
    pictures = {f"GOPR{number:04}.JPG": small_picture(number) for number in range(6)}
    with watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        page.add_init_script(OWN_FOLDER)
        seen.take_over(sign_in(site.url, site.ca, person.email, person.password, new_password=NEW_PASSWORD))
        chosen_by_handle(seen, pictures)
        # The connection is so slow that not all arrive before the tab is gone.
        page.route("**/files", lambda route: route.continue_() if route.request.method == "GET" else None)
        page.get_by_role("button", name="Upload pictures").click()
        expect(page.locator("#sending")).to_be_visible()
        page.reload()
        expect(page.locator("#resume")).to_contain_text(re.compile("[0-5] are there, [1-6] are still missing"))
        page.unroute_all(behavior="ignoreErrors")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#result")).to_contain_text("6 pictures accepted", timeout=120_000)

        # The same pictures once more: known before they are sent.
        page.on("response", taken := Taken())
        page.goto("/share-photos")
        page.locator("#folder").click()
        expect(page.locator("#chosen")).to_contain_text("6 pictures will be left out")
        expect(page.locator("#chosen .rejects")).to_contain_text("Already uploaded earlier")
        expect(page.get_by_role("button", name="Upload pictures")).to_be_disabled()
        assert taken.count == 0
