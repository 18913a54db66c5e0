"""A map and a geocoder as an operator may have them: a real PMTiles file, a real server, and what that was told."""

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


def pmtiles() -> bytes:
    """A PMTiles file (version 3) with one picture for the whole world, zooms 0 to 2."""
    file = io.BytesIO()
    Image.new("RGB", (256, 256), (120, 180, 90)).save(file, "PNG")
    picture, metadata = file.getvalue(), b"{}"
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
class Geocoder:
    """A geocoder of the operator's: its address, and the headers that it was sent with each path."""

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def geocoder(address: str) -> Iterator[Geocoder]:
    """It knows one street, and would like to recognise who asks."""
    running = Geocoder("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            latitude = float(parse_qs(urlsplit(self.path).query).get("lat", [str(WHERE[1])])[0])
            place = {"type": "Point", "coordinates": [WHERE[0], latitude]}
            found = {"type": "Feature", "geometry": place, "properties": {"geocoding": PLACE}}
            body = json.dumps({"type": "FeatureCollection", "features": [found]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
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
