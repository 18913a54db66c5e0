"""docs/adding-a-service.md, followed to the letter: its blocks become the files it names.

The same deployment gives the site a map and a geocoder of the operator's own: each deployment takes its time.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import docker
import httpx
import pytest
from playwright.sync_api import expect

from browser import Watched, chromium, watched
from conftest import ARTEFACTS, ROOT, Site, make
from exploring import map_centre, viewer_is_ready
from own_map import ATTRIBUTION, PLACE, WHERE, OwnServer, own_server, pmtiles

DOCUMENT = ROOT / "docs" / "adding-a-service.md"
ROLE = ROOT / "roles" / "hello"
FILE = re.compile(r"^`(roles/hello/[\w./]+|inventories/NAME/[\w./]+)`", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _files() -> dict[str, str]:
    """Name of a file to its content: each block belongs to the file that was named last before it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    named = [
        (match.start(), match[1]) for match in re.finditer(r"`(roles/hello/[\w./]+|inventories/NAME/[\w./]+)`", text)
    ]
    found: dict[str, str] = {}
    for block in BLOCK.finditer(text):
        if block[1] != "sh":
            found.setdefault([name for start, name in named if start < block.start()][-1], block[2])
    return found


def _commands(heading: str, site: Site) -> list[str]:
    text = DOCUMENT.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    blocks = "".join(block[2] for block in BLOCK.finditer(text) if block[1] == "sh")
    return (
        blocks.replace("inventories/NAME", f"inventories/{site.inventory.name}")
        .replace("SITE", site.project)
        .splitlines()
    )


def _run(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def own_geocoder(site: Site, engine: docker.DockerClient) -> Iterator[OwnServer]:
    """On this machine, where the proxy sees it on the network that leads out."""
    network = engine.networks.get(f"{site.project}-front")
    with own_server(str(network.attrs["IPAM"]["Config"][0]["Gateway"])) as running:
        yield running


@pytest.fixture(scope="module")
def hello(site: Site, own_geocoder: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service, deployed and removed by the document's files and commands. What the last one printed."""
    region = tmp_path_factory.mktemp("map") / "region.pmtiles"
    region.write_bytes(pmtiles())
    own = {"site_geocoder": own_geocoder.url, "site_map_tiles": str(region), "site_map_attribution": ATTRIBUTION}
    settings = site.inventory / "group_vars" / "all" / "site.yml"
    before = settings.read_text(encoding="utf-8")
    files = _files()
    block = files.pop("inventories/NAME/group_vars/all/site.yml")
    assert sorted(files) == sorted(set(files)), "five files of the role"
    try:
        for name, content in files.items():
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(content, encoding="utf-8")
        lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in own.items())
        settings.write_text(before + block + lines, encoding="utf-8")
        yield [_run(command) for command in _commands("3. Deploy and look", site)][-1]
    finally:
        settings.write_text(before, encoding="utf-8")
        try:
            for command in _commands("4. Remove it", site):
                # The next test that deploys has the site verified; once with the service is what matters here.
                _run(f"{command} ARGS=--no-verify" if command.startswith("make deploy") else command)
        finally:
            shutil.rmtree(ROLE, ignore_errors=True)


def test_other_services_reach_it(hello: str) -> None:
    assert "Good evening." in hello


def test_only_people_who_are_signed_in_reach_it(hello: str, anonymous: httpx.Client, user: httpx.Client) -> None:
    assert hello
    for path in ("/hello", "/hello/", "/hello/index.html"):
        refused = anonymous.get(path, follow_redirects=False)
        assert refused.status_code in (302, 401), (path, refused.status_code)
        assert "Good evening." not in refused.text
    answer = user.get("/hello/")
    assert (answer.status_code, "Good evening." in answer.text) == (200, True)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert user.get("/hellox").status_code == 404
    assert user.post("/hello/").status_code in (403, 404, 405)
    assert user.get("/hello/%2e%2e/etc/passwd").status_code in (400, 404)


def test_it_is_hardened_and_finds_no_cookies(hello: str, site: Site, engine: docker.DockerClient) -> None:
    assert hello
    settings = engine.containers.get(f"{site.project}-hello").attrs["HostConfig"]
    assert settings["ReadonlyRootfs"]
    assert settings["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in settings["SecurityOpt"]
    assert settings["Memory"] == 64 * 2**20
    proxy = engine.containers.get(f"{site.project}-proxy")
    output = proxy.exec_run(["cat", "/etc/nginx/nginx.conf"]).output
    assert isinstance(output, bytes)
    rules = output.decode()
    location = rules.partition("location /hello {")[2].partition("\n        }")[0]
    assert "proxy_pass_request_headers off;" in location
    assert "Cookie" not in location.replace("proxy_hide_header Set-Cookie", "")
    assert "Authorization" not in location


def test_a_second_deployment_changes_nothing_and_a_taken_path_is_refused(hello: str, site: Site) -> None:
    assert hello
    settings = site.inventory / "group_vars" / "all" / "site.yml"
    text = settings.read_text(encoding="utf-8")
    try:
        for path, words in (("/explore", "is taken"), ("/a/b", "one segment")):
            settings.write_text(text.replace("path: /hello", f"path: {path}"), encoding="utf-8")
            done = make("deploy", site.inventory)
            assert done.returncode != 0
            assert words in " ".join(done.stdout.split()), done.stdout[-2000:]
    finally:
        settings.write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("hello")
def test_map_and_address_search_are_the_operators_own(
    site: Site, own_geocoder: OwnServer, anonymous: httpx.Client, user: httpx.Client
) -> None:
    path = "/map/own/background.pmtiles"
    part = user.get(path, headers={"Range": "bytes=0-6"})
    assert (part.status_code, part.content) == (206, b"PMTiles")
    for closed in (path, "/geocoder/search?q=Rue", "/map-style.json"):
        assert anonymous.get(closed, follow_redirects=False).status_code in {302, 401}, closed
    with chromium() as browser, watched(browser, site.url, ARTEFACTS) as seen:
        seen.take_over(user)
        _search_for_a_street(seen)
    found = user.get("/geocoder/search", params={"q": "Rue"})
    assert "tracker" not in str(found.headers.multi_items())
    assert "sandbox" in found.headers["content-security-policy"]
    # It learns what is looked for, and not by whom.
    told = {name for _path, headers in own_geocoder.asked for name in headers}
    assert told <= {"host", "user-agent", "accept-language", "connection"}, told


def _search_for_a_street(seen: Watched) -> None:
    """Type an address into Explore's field and go there, on the operator's own map."""
    page = seen.page
    page.goto("/explore?focus=map&map=1/20/2")
    viewer_is_ready(seen)
    expect(page.get_by_text(ATTRIBUTION).first).to_be_visible()
    seen.picture("explore-own-map")
    page.locator("pnx-search-bar input").first.fill(PLACE["name"])
    page.get_by_text(PLACE["name"]).first.click()
    page.wait_for_timeout(1500)
    east, north, zoom = map_centre(page)
    assert (round(east, 2), round(north, 2)) == WHERE
    assert zoom > 10
