"""Maps and a geocoder as an operator may have them: a real PMTiles file, a real server, and what that was told."""

from __future__ import annotations

import io
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from PIL import Image

ATTRIBUTION = "© Testville"
PLACE = {"type": "street", "name": "Rue des Tests", "city": "Testville", "label": "Rue des Tests, Testville"}
# Longitude and latitude of that street.
WHERE = (2.35, 48.85)
# Zooms at which there are tiles: 0 to this one.
DEEPEST = 2


def tile() -> bytes:
    """A tile as a picture, the same everywhere."""
    file = io.BytesIO()
    Image.new("RGB", (256, 256), (120, 180, 90)).save(file, "PNG")
    return file.getvalue()


def pmtiles() -> bytes:
    """A PMTiles file (version 3) with one picture for the whole world, zooms 0 to 2."""
    picture, metadata = tile(), b"{}"
    length = len(picture)
    # One entry: tile 0, 21 times in a row (1 + 4 + 16 tiles), of that length, at offset 0.
    directory = bytes([1, 0, 21, length & 0x7F | 0x80, length >> 7, 1])
    start = 127 + len(directory)
    header = b"PMTiles\x03" + struct.pack(
        "<11Q", 127, len(directory), start, len(metadata), 0, 0, start + len(metadata), length, 21, 1, 1
    )
    # Clustered, nothing compressed, PNG, zooms 0 to 2, the whole world.
    header += bytes([1, 1, 1, 2, 0, 2]) + struct.pack("<4i", -1800000000, -850000000, 1800000000, 850000000)
    return header + bytes([0]) + struct.pack("<2i", 0, 0) + directory + metadata + picture


@dataclass
class OwnServer:
    """A geocoder and tile server of the operator's: its address, and the headers that it was sent with each path."""

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def own_server(address: str) -> Iterator[OwnServer]:
    """It knows one street and has tiles at /tiles/Z/X/Y.png, and would like to recognise who asks."""
    running = OwnServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            if self.path.startswith("/tiles/"):
                deep = int(self.path.split("/")[2]) > DEEPEST
                self.answer(404 if deep else 200, b"" if deep else tile(), "image/png")
                return
            latitude = float(parse_qs(urlsplit(self.path).query).get("lat", [str(WHERE[1])])[0])
            place = {"type": "Point", "coordinates": [WHERE[0], latitude]}
            found = {"type": "Feature", "geometry": place, "properties": {"geocoding": PLACE}}
            body = json.dumps({"type": "FeatureCollection", "features": [found]}).encode()
            self.answer(200, body, "application/json")

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
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
