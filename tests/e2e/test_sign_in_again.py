"""A browser that asks twice for a step of signing in or out, or too late, is led on and not shown an error."""

from __future__ import annotations

import json
from collections.abc import Callable

import docker
import httpx
import pytest

from browser import SESSION_COOKIE
from conftest import Person, Site
from panoramax_ops.signing_in import form_action
from signing_in import client

pytestmark = pytest.mark.e2e

REDIRECT = "/api/auth/redirect"
# Asks the API itself, past the gate, with a cookie.
LATE = """
import http.client, json, sys
api = http.client.HTTPConnection("127.0.0.1", 5000, timeout=20)
api.request("GET", "/api/users/me", headers={"Cookie": sys.argv[1]})
answer = api.getresponse()
print(json.dumps([answer.status, answer.headers["Set-Cookie"]]))
"""


def _last_step(site: Site, person: Person) -> tuple[httpx.Client, str]:
    """A browser just before the last step, and the address of that step."""
    session = client(site.url, site.ca, follow_redirects=True)
    page = session.get("/api/auth/login", params={"next_url": "/settings"})
    session.follow_redirects = False
    answer = session.post(form_action(page), data={"username": person.email, "password": person.password})
    assert answer.status_code == 302, "the password is still the initial one"
    location = answer.headers["location"]
    assert REDIRECT in location, location
    return session, location


def _copy(site: Site, session: httpx.Client) -> httpx.Client:
    """Another browser with the same cookies, as they are now."""
    copy = client(site.url, site.ca)
    for cookie in session.cookies.jar:
        copy.cookies.set(cookie.name, cookie.value or "", domain=cookie.domain, path=cookie.path)
    return copy


@pytest.fixture
def person(site: Site, new_person: Callable[..., Person]) -> Person:
    """Somebody who has signed in before."""
    from conftest import _signed_in

    made = new_person("Tina Twice")
    _signed_in(site, made).close()
    return made


def test_the_last_step_twice(site: Site, person: Person) -> None:
    session, address = _last_step(site, person)
    again = _copy(site, session)
    assert session.get(address).headers["location"] == "/settings"
    # With the new cookie, as a browser goes back in its history: signed in it stays.
    assert session.get(address).headers["location"] == "/"
    # With the old one, as a browser repeats a request whose connection broke: the code is used.
    answer = again.get(address)
    assert (answer.status_code, answer.headers["location"]) == (302, "/api/auth/login")
    # From there on as ever, to the page that was asked for; but no round in circles.
    led = again.get("/api/auth/login")
    assert led.headers["location"].startswith(site.url + "/oauth/realms/")
    stuck = again.get(f"{REDIRECT}?code=x&state=y")
    assert stuck.status_code == 403
    assert "try again in a minute" in stuck.json()["message"]


def test_a_link_to_the_last_step(anonymous: httpx.Client) -> None:
    answer = anonymous.get(f"{REDIRECT}?code=x&state=y")
    assert (answer.status_code, answer.headers["location"]) == (302, "/api/auth/login")


def test_a_late_request_of_a_page_takes_nothing_from_the_browser(
    site: Site, person: Person, engine: docker.DockerClient
) -> None:
    session, address = _last_step(site, person)
    session.get(address)
    [old] = [f"{one.name}={one.value}" for one in session.cookies.jar if one.name == SESSION_COOKIE]
    out = session.get("/api/auth/logout", params={"next_url": "/"})
    assert "/protocol/openid-connect/logout" in out.headers["location"]
    # The gate let the page's last request through before that; the API answers it after.
    code, output = engine.containers.get(f"{site.project}-api").exec_run(["python3", "-c", LATE, old], stderr=False)
    assert isinstance(output, bytes)
    assert (code, json.loads(output)) == (0, [302, None]), "the session goes on, or the browser's cookie is removed"
    led = session.get("/api/auth/post_logout_redirect")
    assert (led.status_code, led.headers["location"]) == (302, "/")


def test_signing_out_twice_ends_on_the_start_page(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/api/auth/post_logout_redirect")
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
