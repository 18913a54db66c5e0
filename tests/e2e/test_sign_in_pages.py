"""The pages of Keycloak as people meet them: look, language, wrong password, change of the password, signing out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browser import Watched, chromium, watched
from conftest import ARTEFACTS, Person, Site, password_in

LOGIN = "/api/auth/login?next_url=/settings"
KEYCLOAK = "/oauth/realms/panoramax/protocol/openid-connect"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests of this file."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def title(site: Site) -> str:
    """The name of the site, from its inventory."""
    text = (site.inventory / "group_vars" / "all" / "site.yml").read_text(encoding="utf-8")
    found = re.search(r"^site_title: (.+)$", text, re.MULTILINE)
    return found.group(1).strip("\"'") if found else "Panoramax"


@pytest.fixture(scope="module")
def contact(site: Site) -> str:
    """Whom to ask for an account, from the inventory."""
    text = (site.inventory / "group_vars" / "all" / "site.yml").read_text(encoding="utf-8")
    found = re.search(r"^site_contact: (\S+)$", text, re.MULTILINE)
    assert found
    return found.group(1)


def enter(page: Page, person: Person) -> None:
    """Fill in the sign-in form and send it."""
    page.fill("#username", person.email)
    page.fill("#password", person.password)
    page.click("#kc-login")


def choose_password(page: Page, person: Person, password: str) -> None:
    """Fill in the form for a new password and send it."""
    page.fill("#password-new", password)
    page.fill("#password-confirm", password)
    page.click("#kc-submit")
    person.password = password


def code(secret: str) -> str:
    """The code of now for a secret in base 32, as an app shows it (RFC 6238: SHA-1, 30 s, six digits)."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 360, "height": 740}}),
    ],
)
def test_the_sign_in_page_is_the_sites_own(
    browser: Browser, site: Site, title: str, contact: str, name: str, options: dict[str, object]
) -> None:
    with watched(browser, site.url, ARTEFACTS, **options) as seen:
        _sign_in_page(seen, title, contact, name)


def _sign_in_page(seen: Watched, title: str, contact: str, name: str) -> None:
    page = seen.page
    page.goto(LOGIN)
    expect(page).to_have_title(f"Log in · {title}")
    expect(page.get_by_role("link", name=title)).to_have_attribute("href", "/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.locator("#site-contact")).to_contain_text("Registration is closed.")
    expect(page.get_by_role("link", name=contact)).to_have_attribute("href", f"mailto:{contact}")
    for other in ("Register", "Forgot"):
        expect(page.get_by_text(other)).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(15, 20, 27)" if name == "dark" else "rgb(246, 247, 249)")
    seen.picture(f"sign-in-{name}")


def test_the_sign_in_page_speaks_german(browser: Browser, site: Site, contact: str) -> None:
    with watched(browser, site.url, ARTEFACTS, locale="de-DE") as seen:
        page = seen.page
        page.goto(LOGIN)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.get_by_role("button", name="Anmelden")).to_be_visible()
        expect(page.locator("#site-contact")).to_contain_text(f"Ein Konto erhalten Sie bei {contact}.")
        page.locator("#login-select-toggle").select_option(label="Français")
        expect(page.get_by_role("button", name="Se connecter")).to_be_visible()


def test_a_language_chosen_on_the_website_goes_along(browser: Browser, site: Site) -> None:
    with watched(browser, site.url, ARTEFACTS) as seen:
        seen.page.goto("/")
        seen.page.locator("select[data-site=languages]").select_option("es")
        expect(seen.page.locator("html")).to_have_attribute("lang", "es")
        seen.page.goto(LOGIN)
        expect(seen.page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()


def test_a_wrong_password_and_an_unknown_person_get_the_same_words(
    browser: Browser, site: Site, new_person: Callable[..., Person]
) -> None:
    known = new_person("Wanda Wrong")
    texts = []
    for email in (known.email, "nobody.at.all@example.org"):
        with watched(browser, site.url, ARTEFACTS) as seen:
            seen.page.goto(LOGIN)
            enter(seen.page, Person(email, "", "not the password", known.letter))
            texts.append(seen.page.locator("#input-error-username").inner_text().strip())
            seen.picture("sign-in-wrong")
    assert texts == ["E-mail or password is wrong."] * 2


def test_people_change_their_password_in_my_settings(
    browser: Browser, site: Site, new_person: Callable[..., Person]
) -> None:
    person = new_person("Paula Password")
    with watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        page.goto(LOGIN)
        enter(page, person)
        expect(page.get_by_text("The password from your letter was only for the first time.")).to_be_visible()
        expect(page.locator("#site-password-hint")).to_contain_text("At least 12 characters.")
        seen.picture("change-initial")
        choose_password(page, person, "the first of my own")
        page.wait_for_url("**/settings")

        page.get_by_role("link", name="Change password").click()
        expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_url("**/settings")
        expect(page.locator("#account-done")).to_be_hidden()

        page.get_by_role("link", name="Change password").click()
        choose_password(page, person, "the second of my own")
        expect(page.get_by_text("Your password is changed.")).to_be_visible()
        assert page.url == f"{site.url}/settings", "what Keycloak added stays in the address"
        seen.picture("change-done")

        # Signing out ends Keycloak's session too: the next one is asked for a password, and the old one is of no use.
        page.get_by_role("navigation").get_by_label("Account").click()
        page.get_by_role("link", name="Log out").click()
        page.wait_for_url(f"{site.url}/")
        page.goto(LOGIN)
        expect(page.locator("#password")).to_be_visible()
        enter(page, Person(person.email, "", "the first of my own", person.letter))
        expect(page.locator("#input-error-username")).to_be_visible()
        enter(page, person)
        page.wait_for_url("**/settings")


def test_people_set_up_two_step_login(browser: Browser, site: Site, new_person: Callable[..., Person]) -> None:
    person = new_person("Tessa Twostep")
    with watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        page.goto(LOGIN)
        enter(page, person)
        choose_password(page, person, "a password and a code")
        page.wait_for_url("**/settings")
        page.get_by_role("link", name="Set up two-step login").click()
        expect(page.locator("#kc-totp-secret-qr-code")).to_be_visible()
        seen.picture("two-step")
        page.click("#mode-manual")
        secret = page.locator("#kc-totp-secret-key").inner_text()
        page.fill("#totp", code(secret))
        page.fill("#userLabel", "My phone")
        page.click("#saveTOTPBtn")
        expect(page.get_by_text("Two-step login is set up.")).to_be_visible()
        page.goto("/api/auth/logout?next_url=/")
        page.wait_for_url(f"{site.url}/")

        page.goto(LOGIN)
        enter(page, person)
        expect(page.get_by_label("Code from your app")).to_be_visible()
        page.fill("#otp", "000000")
        page.click("#kc-login")
        expect(page.get_by_text("The code is wrong.")).to_be_visible()
        seen.picture("two-step-wrong")
        # A code is taken once; the one of the set-up may still be that of now.
        page.wait_for_timeout(30_500 - int(time.time() * 1000) % 30_000)
        page.fill("#otp", code(secret))
        page.click("#kc-login")
        page.wait_for_url("**/settings")

    # The phone is lost: an administrator gives a new initial password, and no code is asked for any more.
    assert site.run("accounts.py", "reset-password", person.email, check=False).returncode == 0
    person.password = password_in(person.letter)
    with watched(browser, site.url, ARTEFACTS) as seen:
        seen.page.goto(LOGIN)
        enter(seen.page, person)
        choose_password(seen.page, person, "another password, no code")
        seen.page.wait_for_url("**/settings")


def test_errors_lead_back_to_the_start_page(browser: Browser, site: Site) -> None:
    with watched(browser, site.url, ARTEFACTS) as seen:
        seen.expect("status of 400")
        seen.page.goto(f"{KEYCLOAK}/auth?client_id=geovisio&redirect_uri=https://evil.example/&response_type=code")
        expect(seen.page.get_by_role("heading", name="This did not work")).to_be_visible()
        seen.picture("sign-in-error")
        seen.page.get_by_role("link", name="Go to the start page").click()
        seen.page.wait_for_url(f"{site.url}/")


def test_nothing_but_the_password_can_be_changed(anonymous: httpx.Client, site: Site) -> None:
    for path in ("/account", "/account/", "/account/credentials", "/account/applications"):
        assert anonymous.get(f"/oauth/realms/panoramax{path}").status_code == 404, path
    assert anonymous.post(f"{KEYCLOAK}/token", data={"grant_type": "authorization_code"}).status_code == 404
    # The client of the settings page leads nowhere else, and takes no code without a challenge.
    query = {"client_id": "panoramax-settings", "response_type": "code", "scope": "openid"}
    elsewhere = anonymous.get(f"{KEYCLOAK}/auth", params=query | {"redirect_uri": "https://evil.example/settings"})
    assert elsewhere.status_code == 400
    bare = anonymous.get(f"{KEYCLOAK}/auth", params=query | {"redirect_uri": f"{site.url}/settings"})
    assert "code_challenge" in bare.headers["location"]
