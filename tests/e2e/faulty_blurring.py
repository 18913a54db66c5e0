"""A blurring service with faults, run inside a container: what it does with a picture stands in the picture.

A picture whose bytes hold `FAULT:<name>` meets that fault; any other goes to the real service, named by REAL, and comes
back as it answers. PUT /all/<name> lets every picture meet a fault, the workers' test picture too; PUT /all/ ends that.
"""

import http.server
import io
import os
import re
import socketserver
import time
import urllib.error
import urllib.request
from typing import Any

from PIL import Image

REAL = os.environ["REAL"]
PORT = 8001
every = ""


def smaller(body: bytes) -> bytes:
    """The picture in the body at half its size: a proper JPEG, and not what was asked for."""
    start = body.index(b"\xff\xd8\xff")
    image = Image.open(io.BytesIO(body[start:]))
    out = io.BytesIO()
    image.resize((image.width // 2, image.height // 2)).save(out, "JPEG")
    return out.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """POST /blur/ and PUT /all/."""

    def do_PUT(self) -> None:
        """Choose the fault for everything."""
        global every
        every = self.path.removeprefix("/all/")
        self.answer(200, b"")

    def do_POST(self) -> None:
        """Blur, or fail."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        named = re.search(rb"FAULT:([a-z]+)", body)
        fault = every or (named.group(1).decode() if named else "")
        image = body[body.index(b"\xff\xd8\xff") : body.rindex(b"\r\n--")]
        plain = {
            "garbage": (200, os.urandom(5000)),
            "empty": (200, b""),
            "echo": (200, image),
            "truncated": (200, image[: len(image) // 2]),
            "failing": (500, b""),
            "refused": (422, b'{"detail": "this one will never do"}'),
            "busy": (503, b""),
        }
        if fault in plain:
            status, content = plain[fault]
            self.answer(status, content, retry_after="1" if status == 503 else "")
        elif fault == "smaller":
            self.answer(200, smaller(body))
        elif fault == "hanging":
            time.sleep(30)
        elif fault == "vanishing":
            self.connection.close()
        elif fault == "stolen":
            # A proof as good as they come, of another picture.
            self.forward(body, "11111111-1111-4111-8111-111111111111")
        else:
            self.forward(body, self.headers.get("X-Picture-Id", ""))

    def forward(self, body: bytes, picture: str) -> None:
        """Let the real service do it."""
        headers = {name: self.headers[name] for name in ("Content-Type", "Accept")}
        headers |= {"X-Picture-Id": picture} if picture else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{REAL}/blur/", body, headers), timeout=60) as answer:
                said = answer.headers.get("x-sgblur", "")
                self.answer(answer.status, answer.read(), answer.headers["Content-Type"], said=said)
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read())

    def answer(self, status: int, body: bytes, kind: str = "image/jpeg", retry_after: str = "", said: str = "") -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        if said:
            self.send_header("x-sgblur", said)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Several pictures at once."""

    daemon_threads = True


if __name__ == "__main__":
    Server(("0.0.0.0", PORT), Handler).serve_forever()
