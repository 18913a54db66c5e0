"""A site that can send mail: people get a link to set a password, and no letter. The mail server is a real one.

The site is given the mail server for these tests, and has none before and after. The same deployment gives it the map
of a tile server of the operator's own: each deployment takes its time.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
import yaml
from playwright.sync_api import expect

from browser import chromium, watched
from conftest import ARTEFACTS, Site, make
from exploring import viewer_is_ready
from mail_server import NAME, PASSWORD, USER, Postbox, link_in, mail_server, make_certificate, text_of
from own_map import ATTRIBUTION, OwnServer, own_server, tile
from panoramax_ops.verify.inside import MAIL_PORT
from signing_in import SignInError, sign_in

pytestmark = pytest.mark.e2e

NEW_PASSWORD = secrets.token_urlsafe(18)
WORDS = {"en": "Open this link", "fr": "Ouvrez ce lien", "de": "legen Sie das Passwort fest", "es": "Abra este enlace"}


def _free_port(address: str) -> int:
    with closing(socket.socket()) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(site: Site, engine: docker.DockerClient) -> str:
    """Of this machine, where the site's way out sees it."""
    return str(engine.networks.get(f"{site.project}-front").attrs["IPAM"]["Config"][0]["Gateway"])


@pytest.fixture(scope="module")
def tiles(address: str) -> Iterator[OwnServer]:
    """The operator's tile server."""
    with own_server(address) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    site: Site,
    engine: docker.DockerClient,
    address: str,
    tiles: OwnServer,
    user: httpx.Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], Any]]:
    """The site deployed with a mail server of its own; gives what starts that server.

    The ``user`` of all tests signs in before that: from now on people get no letter with a password.
    """
    assert user.get("/api/users/me").status_code == 200
    directory = tmp_path_factory.mktemp("mail")
    certificate, key = make_certificate(directory)
    port = _free_port(address)
    settings = {
        "site_smtp": {
            "host": NAME,
            "port": port,
            "from": "panoramax@panoramax.test",
            "starttls": True,
            "user": USER,
            "password": PASSWORD,
        },
        "site_smtp_address": address,
        "site_smtp_ca_file": str(certificate),
        "site_map_tiles": f"{tiles.url}/tiles/{{z}}/{{x}}/{{y}}.png",
        "site_map_attribution": ATTRIBUTION,
    }
    file = site.inventory / "group_vars" / "all" / "zz_mail.yml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    try:
        deployed = make("deploy", site.inventory, "ARGS=--no-verify")
        assert deployed.returncode == 0, deployed.stdout[-3000:]
        yield lambda: mail_server(address, port, certificate, key)
    finally:
        file.unlink()
        restored = make("deploy", site.inventory, "ARGS=--no-verify")
    assert restored.returncode == 0, restored.stdout[-3000:]
    names = [container.name for container in engine.containers.list(all=True)]
    assert f"{site.project}-mail" not in names, "without a mail server there is no way to one"


def set_password(site: Site, box: Postbox, email: str, password: str) -> None:
    """Open the link of the mail in a browser, set the password, and log in with it."""
    link = link_in(box.wait_for(email))
    assert link.startswith(f"{site.url}/oauth/realms/panoramax/login-actions/action-token?")
    with chromium() as browser, watched(browser, site.url, ARTEFACTS) as seen:
        page = seen.page
        page.goto(link)
        seen.picture("accounts-mail-link")
        if not page.locator("#password-new").is_visible():
            page.get_by_role("link", name="Proceed").or_(page.locator("#kc-info-message a")).first.click()
        page.locator("#password-new").fill(password)
        page.locator("#password-confirm").fill(password)
        page.locator("input[type=submit], button[type=submit]").first.click()
        page.wait_for_load_state()
        seen.picture("accounts-mail-done")
        seen.expect("status of 400")
        page.goto(link)
        assert not page.locator("#password-new").is_visible(), "the link works once"
        page.goto(site.url)
        page.get_by_role("link", name="Log in").first.click()
        page.locator("#username").fill(email)
        page.locator("#password").fill(password)
        page.locator("#kc-login").click()
        page.wait_for_url("**/explore**")
        assert seen.foreign == []


def test_a_link_by_mail_takes_the_place_of_a_letter(
    site: Site, server: Callable[[], Any], run: Callable[..., Any], email: str
) -> None:
    with server() as box:
        made = run("create", email, "--name", f"Mail {email[8:16]}")
        assert (made["letter"], made["mailed"], made["state"]) == (None, True, "new")
        # Whatever else there is to be found on this site.
        audit = json.loads(site.run("accounts.py", "--json", "audit", check=False).stdout)
        assert [found["kind"] for found in audit["findings"] if found["account"] == email] == ["link-open"]
        set_password(site, box, email, NEW_PASSWORD)
        assert run("show", email)["state"] == "active"

        reset = run("reset-password", email)
        assert (reset["letter"], reset["mailed"], reset["state"]) == (None, True, "new")
        with pytest.raises(SignInError):
            sign_in(site.url, site.ca, email, NEW_PASSWORD)
        assert link_in(box.wait_for(email))


def test_an_import_sends_everybody_a_link_in_his_language(
    site: Site, server: Callable[[], Any], run: Callable[..., Any], tmp_path: Path
) -> None:
    mark = secrets.token_hex(4)
    people = {f"mail-{mark}-{language}@example.org": language for language in WORDS}
    file = tmp_path / "people.csv"
    lines = "".join(f"{email},Mail {mark} {language},{language}\n" for email, language in people.items())
    file.write_text(f"e-mail,name,language\n{lines}", encoding="utf-8")
    try:
        # With nobody there to take the mail, nothing is left of anybody.
        stopped = run("import", str(file), "--yes", code=2)
        assert "No mail could be sent" in stopped["stopped"]
        assert run("list", "--like", mark) == []
        with server() as box:
            done = run("import", str(file), "--yes")
            assert (done["counts"], done["letters"]) == ({"created": 4}, None)
            for email, language in people.items():
                message = box.wait_for(email)
                assert WORDS[language] in text_of(message)
                assert "Panoramax under test" in text_of(message)
                assert link_in(message)
        by_letter = run("reset-password", next(iter(people)), "--letter")
        assert Path(by_letter["letter"]).with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    finally:
        for email in people:
            site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


def test_only_keycloak_gets_to_the_mail_server_and_keycloak_to_nothing_else(
    site: Site, server: Callable[[], Any], engine: docker.DockerClient
) -> None:
    relay = engine.containers.get(f"{site.project}-mail").attrs["NetworkSettings"]["Networks"]
    back, outside = relay[f"{site.project}-back"]["IPAddress"], relay[f"{site.project}-front"]["Gateway"]

    def greeting(service: str, address: str, port: int) -> int:
        reading = f"exec 3<>/dev/tcp/{address}/{port} && read -r -n 3 code <&3 && [ $code = 220 ]"
        container = engine.containers.get(f"{site.project}-{service}")
        return int(container.exec_run(["timeout", "5", "bash", "-c", reading]).exit_code or 0)

    def reaches(service: str, address: str, port: int) -> bool:
        container = engine.containers.get(f"{site.project}-{service}")
        opening = ["timeout", "5", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"]
        return int(container.exec_run(opening).exit_code or 0) == 0

    with server() as box:
        assert greeting("keycloak", back, MAIL_PORT) == 0
        for service in ("api", "worker-1", "database", "blurring", "website"):
            assert greeting(service, back, MAIL_PORT) != 0, service
        assert greeting("mail", outside, box.port) == 0, "the relay gets there, so there is something to get to"
    # The host itself answers its own containers at all its addresses, so another container stands for what is outside.
    proxy = engine.containers.get(f"{site.project}-proxy").attrs["NetworkSettings"]["Networks"]
    beyond = proxy[f"{site.project}-front"]["IPAddress"]
    assert reaches("mail", beyond, 8443)
    assert not reaches("keycloak", beyond, 8443)
    ports = engine.containers.get(f"{site.project}-mail").attrs["NetworkSettings"]["Ports"]
    assert [port for port, published in ports.items() if published] == []


@pytest.mark.usefixtures("server")
def test_the_map_is_of_the_operators_tile_server(
    site: Site, tiles: OwnServer, anonymous: httpx.Client, user: httpx.Client
) -> None:
    answer = user.get("/map/tiles/1/0/1")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", tile())
    assert "tracker" not in str(answer.headers.multi_items())
    assert user.get("/map/tiles/9/3/3").status_code == 204, "where the map has nothing there is nothing wrong"
    assert user.get("/map/tiles/1/0/..%2f..%2fsecret").status_code in {400, 404}
    assert anonymous.get("/map/tiles/1/0/1", follow_redirects=False).status_code in {302, 401}
    with chromium() as browser, watched(browser, site.url, ARTEFACTS) as seen:
        seen.take_over(user)
        seen.page.goto("/explore?focus=map&map=1/20/2")
        viewer_is_ready(seen)
        expect(seen.page.get_by_text(ATTRIBUTION).first).to_be_visible()
        seen.picture("explore-own-tile-server")
    assert {path for path, _ in tiles.asked} >= {"/tiles/1/0/1.png", "/tiles/9/3/3.png"}
    told = {name for _, headers in tiles.asked for name in headers}
    assert told <= {"host", "user-agent", "accept-language", "connection"}, told
