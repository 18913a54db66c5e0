"""The operator's own map and geocoder: real servers beside the site, which learn what is looked at and not by whom."""

from __future__ import annotations

import io
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import docker
import pytest
from PIL import Image
from playwright.sync_api import expect

from browser import Watched, chromium, watched
from conftest import ARTEFACTS, Person, Site, make
from exploring import map_centre, viewer_is_ready
from signing_in import sign_in
from test_story import NEW_PASSWORD

PLACE = {"type": "street", "name": "Rue des Tests", "city": "Testville", "label": "Rue des Tests, Testville"}


def tile() -> bytes:
    """A picture of 256 x 256, of a colour that nothing else has."""
    file = io.BytesIO()
    Image.new("RGB", (256, 256), (120, 180, 90)).save(file, "PNG")
    return file.getvalue()


def pmtiles() -> bytes:
    """A PMTiles file (version 3) with the same picture for the whole world, zooms 0 to 2."""
    picture, metadata = tile(), b"{}"
    # One entry: tile 0, 21 times in a row (1 + 4 + 16 tiles), of that length, at offset 0.
    length = len(picture)
    directory = bytes([1, 0, 21, length & 0x7F | 0x80, length >> 7, 1])
    start = 127 + len(directory)
    header = b"PMTiles\x03" + struct.pack(
        "<11Q", 127, len(directory), start, len(metadata), 0, 0, start + len(metadata), length, 21, 1, 1
    )
    # Clustered, nothing compressed, PNG, zooms 0 to 2, the whole world.
    header += bytes([1, 1, 1, 2, 0, 2]) + struct.pack("<4i", -1800000000, -850000000, 1800000000, 850000000)
    return header + bytes([0]) + struct.pack("<2i", 0, 0) + directory + metadata + picture


@dataclass
class Services:
    """A geocoder and a tile server of the operator's, and what they were told."""

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self, beginning: str) -> list[str]:
        """Paths that were asked for."""
        return [path for path, _headers in self.asked if path.startswith(beginning)]


@contextmanager
def services(address: str) -> Iterator[Services]:
    """Both on one port of that address of this machine."""
    running = Services("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            parts = urlsplit(self.path)
            if parts.path.startswith("/tiles/"):
                kind, body = "image/png", tile()
            else:
                lat = float(parse_qs(parts.query).get("lat", ["48.85"])[0])
                place = {"type": "Point", "coordinates": [2.35, lat]}
                found = {"type": "Feature", "geometry": place, "properties": {"geocoding": PLACE}}
                kind, body = "application/json", json.dumps({"type": "FeatureCollection", "features": [found]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", "tracker=1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((address, 0), Handler)
    running.url = f"http://{address}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def gateway(site: Site, engine: docker.DockerClient) -> str:
    """This machine, as the proxy sees it on the network that leads out."""
    network = engine.networks.get(f"{site.project}-front")
    return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


@pytest.fixture
def settings(site: Site) -> Iterator[Callable[[dict[str, str]], None]]:
    """Deploys the site with further settings, and without them at the end."""
    file = site.inventory / "group_vars" / "all" / "site.yml"
    before = file.read_text(encoding="utf-8")

    def deploy(values: dict[str, str]) -> None:
        file.write_text(
            before + "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items()), encoding="utf-8"
        )
        done = make("deploy", site.inventory, "ARGS=--no-verify")
        assert done.returncode == 0, done.stdout[-3000:]

    yield deploy
    deploy({})


def test_map_and_address_search_are_the_operators_own(
    site: Site,
    gateway: str,
    settings: Callable[[dict[str, str]], None],
    new_person: Callable[..., Person],
    tmp_path: Path,
) -> None:
    person = new_person("Mona Map")
    session = sign_in(site.url, site.ca, person.email, person.password, new_password=NEW_PASSWORD)
    # Off: no address is found, and none is asked for anywhere.
    assert session.get("/geocoder/search", params={"q": "Rue des Tests"}).json()["features"] == []
    file = tmp_path / "region.pmtiles"
    file.write_bytes(pmtiles())
    with services(gateway) as own, chromium() as browser, watched(browser, site.url, ARTEFACTS) as seen:
        seen.take_over(session)
        settings({"site_geocoder": own.url, "site_map_tiles": str(file), "site_map_attribution": "© Testville"})
        search_for_a_place(seen)
        part = session.get("/map/own/background.pmtiles", headers={"Range": "bytes=0-6"})
        assert (part.status_code, part.content) == (206, b"PMTiles")
        found = session.get("/geocoder/search", params={"q": "Rue"})
        assert "tracker" not in str(found.headers.multi_items())
        assert "sandbox" in found.headers["content-security-policy"]

        settings({"site_map_tiles": f"{own.url}/tiles/{{z}}/{{x}}/{{y}}.png"})
        seen.page.goto("/explore?focus=map&map=2/40/2")
        viewer_is_ready(seen)
        expect(seen.page.locator(".maplibregl-ctrl-attrib").first).to_be_attached()
        assert own.paths("/tiles/2/")
        seen.picture("explore-own-tiles")
    told = {name for _path, headers in own.asked for name in headers}
    assert told <= {"host", "user-agent", "accept-language", "connection"}, told


def search_for_a_place(seen: Watched) -> None:
    """Type an address into Explore's field, and go there."""
    page = seen.page
    page.goto("/explore?focus=map&map=1/20/2")
    viewer_is_ready(seen)
    page.locator("pnx-search-bar input").first.fill("Rue des Tests")
    page.get_by_text("Rue des Tests").first.click()
    page.wait_for_timeout(1500)
    east, north, zoom = map_centre(page)
    assert (round(east, 2), round(north, 2)) == (2.35, 48.85)
    assert zoom > 10
    page.goto("/explore?focus=map&map=1/20/2")
    viewer_is_ready(seen)
    expect(page.locator(".maplibregl-ctrl-attrib").first).to_contain_text("© Testville")
    seen.picture("explore-own-file")
