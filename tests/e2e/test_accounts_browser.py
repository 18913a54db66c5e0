"""A person in a real browser, with the letter in hand, until an administrator cuts the person off in mid-session."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser import chromium, watched
from conftest import ARTEFACTS, Site, password_in
from pictures import FLAT, geovisio_pictures, unique

pytestmark = pytest.mark.e2e

CUT_OFF_SECONDS = 2.0
NEW_PASSWORD = secrets.token_urlsafe(18)
UPLOAD = """async (text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const headers = {'Content-Type': 'application/json'};
    const body = JSON.stringify({title: 'acct', estimated_nb_files: 1});
    const set = await (await fetch('/api/upload_sets', {method: 'POST', headers, body})).json();
    const form = new FormData();
    form.append('file', new File([bytes], 'a.jpg', {type: 'image/jpeg'}));
    return (await fetch(`/api/upload_sets/${set.id}/files`, {method: 'POST', body: form})).status;
}"""
# Asks ten times a second, and keeps when it was last answered.
POLL = """() => {
    window.lastAnswer = 0;
    setInterval(async () => {
        const started = Date.now();
        if ((await fetch('/api/users/me')).ok) window.lastAnswer = started;
    }, 100);
}"""


@pytest.fixture
def person(site: Site) -> Iterator[tuple[str, Path]]:
    """An account with its letter, gone after the test."""
    email = f"acct-{secrets.token_hex(4)}@example.org"
    made = site.run("accounts.py", "--json", "create", email, "--name", f"Acct {email[5:13]}")
    yield email, Path(json.loads(made.stdout)["letter"])
    site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


def sign_in_with_the_letter(page: Page, site: Site, letter: Path, email: str) -> None:
    """Do what the letter says, and nothing else."""
    text = letter.read_text(encoding="utf-8")
    assert site.url in text
    assert email in text
    page.goto(site.url)
    page.get_by_role("link", name="Log in").first.click()
    page.locator("#username").fill(email)
    page.locator("#password").fill(password_in(letter))
    page.locator("#kc-login").click()
    page.locator("#password-new").fill(NEW_PASSWORD)
    page.locator("#password-confirm").fill(NEW_PASSWORD)
    page.locator("input[type=submit], button[type=submit]").first.click()
    page.wait_for_url("**/explore**")


def test_who_is_cut_off_sees_nothing_more_in_an_open_page(site: Site, person: tuple[str, Path]) -> None:
    email, letter = person
    picture = unique((geovisio_pictures() / FLAT[0]).read_bytes())
    with chromium() as browser, watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        seen.expect("status of 40[13].*/api/users/me$")
        sign_in_with_the_letter(page, site, letter, email)
        assert page.evaluate(UPLOAD, base64.b64encode(picture).decode()) == 202

        page.evaluate(POLL)
        page.wait_for_timeout(1500)
        assert page.evaluate("window.lastAnswer") > 0
        site.run("accounts.py", "disable", email)
        done = time.time()
        page.wait_for_timeout(CUT_OFF_SECONDS * 1000)
        after = page.evaluate("window.lastAnswer") / 1000 - done
        print(f"last answer in the browser {after:.2f} s after the command had ended (negative: before)")
        assert after < CUT_OFF_SECONDS
        assert page.evaluate("fetch('/api/users/me').then((answer) => answer.status)") in (401, 403)
        page.get_by_role("link", name="Share Photos").first.click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        expect(page.locator("main")).to_contain_text("your account was closed")
        expect(page.locator("details.account")).to_be_hidden()
        seen.picture("accounts-cut-off")
