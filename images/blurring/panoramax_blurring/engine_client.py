"""Asks an engine of another make for a picture: upstream's protocol, with an end to waiting and to bytes."""

import http.client
import json
import re
import secrets
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import EngineError, RefusedError
from .settings import SettingsError

CONNECT_SECONDS = 5.0
CHUNK = 1 << 20
#: what an answer may have more than the picture that was sent
GROWTH, SLACK = 2, 1_000_000
REFUSALS = {400, 413, 415, 422}
NAME = re.compile(r"[\w .:/+-]{1,60}", re.ASCII)
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
UNNAMED = "an engine without a name"


@dataclass(frozen=True)
class EngineAnswer:
    """What came back: bytes that may be anything, and what the engine calls itself."""

    data: bytes
    name: str


class EngineClient:
    """One engine, at `http://HOST:PORT`."""

    def __init__(self, url: str) -> None:
        """Raises SettingsError for an address with anything but a host and a port in it."""
        parts = urlsplit(url)
        try:
            port = parts.port or 80
        except ValueError:
            port = 0
        plain = f"http://{parts.hostname}" + (f":{parts.port}" if port and parts.port else "")
        if not port or url != plain or not HOST.fullmatch(parts.hostname or ""):
            msg = f"BLUR_FOREIGN_URL must look like http://HOST:PORT, not {url!r}"
            raise SettingsError(msg)
        self.address, self._host, self._port = url, str(parts.hostname), port

    def ask(self, picture: bytes, patience: float) -> EngineAnswer:
        """Send a picture, and wait at most `patience` seconds for the whole answer.

        Raises:
            RefusedError: the engine will not take this picture.
            EngineError: it did not answer, in time or at all, or not with a picture.
        """
        deadline = time.monotonic() + patience
        connection = http.client.HTTPConnection(self._host, self._port, timeout=min(CONNECT_SECONDS, patience))
        try:
            connection.connect()
            sock = connection.sock
            sock.settimeout(patience)
            boundary = secrets.token_hex(24)
            headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "image/jpeg"}
            connection.request("POST", "/blur/", _form(boundary, picture), headers)
            response = connection.getresponse()
            body = _body(response, sock, GROWTH * len(picture) + SLACK, deadline)
        except (OSError, http.client.HTTPException) as error:
            msg = f"the engine at {self.address} gave no answer ({type(error).__name__})"
            raise EngineError(msg) from error
        finally:
            connection.close()
        if response.status in REFUSALS:
            raise RefusedError(f"the engine refuses it: {_detail(body) or response.status}")
        if response.status != http.client.OK:
            raise EngineError(f"the engine at {self.address} failed (status {response.status})")
        return EngineAnswer(body, _name(response.getheader("x-sgblur", "")))


def _form(boundary: str, picture: bytes) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="picture.jpg"\r\n'
    return f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + picture + f"\r\n--{boundary}--\r\n".encode()


def _body(response: http.client.HTTPResponse, sock: socket.socket, most: int, deadline: float) -> bytes:
    body = bytearray()
    # One read of the socket at a time: who sends a byte a second must not get a new deadline with each.
    while chunk := response.read1(CHUNK):
        body += chunk
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if len(body) > most:
            raise EngineError(f"the engine answered with more than {most} bytes")
        if not response.isclosed():
            sock.settimeout(left)
    return bytes(body)


def _detail(body: bytes) -> str:
    try:
        return " ".join(str(json.loads(body[:4096])["detail"]).split())[:200]
    except (ValueError, TypeError, KeyError):
        return ""


def _name(header: str) -> str:
    try:
        name = json.loads(header)["service_name"]
    except (ValueError, TypeError, KeyError):
        return UNNAMED
    return name if isinstance(name, str) and NAME.fullmatch(name) else UNNAMED
