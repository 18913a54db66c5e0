"""Every closed route in every way to ask for it: what is sent, and a connection that can be made to send it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gate_requests import spellings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FOO", "get")
QUERIES = ("?", "?x=1", "?format=csv", "?format=rss", "?show_deleted=true", "?_method=GET", "?token=x", "?next_url=/")
# One line each: what proxies, frameworks and clients are known to take for another request, or for another person's.
HEADERS = (
    "Accept: text/csv",
    "Accept: application/rss+xml",
    "Accept: application/geo+json",
    "X-Original-URL: /api/configuration",
    "X-Original-URI: /api/configuration",
    "X-Rewrite-URL: /api/configuration",
    "X-Forwarded-Prefix: /api/configuration",
    "X-Script-Name: /api",
    "X-Accel-Redirect: /api/users/",
    "X-Forwarded-For: 127.0.0.1",
    "X-Real-IP: 127.0.0.1",
    "X-Forwarded-Host: localhost",
    "X-Forwarded-User: admin",
    "X-Remote-User: admin",
    "Remote-User: admin",
    "Forwarded: for=127.0.0.1;host=localhost;proto=https",
    "X-HTTP-Method-Override: GET",
    "X-Method-Override: GET",
    "X-HTTP-Method: GET",
    "Range: bytes=0-10",
    "If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT",
    "If-None-Match: *",
    "Authorization: Bearer x",
    "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJnZW92aXNpbyIsInN1YiI6IjEifQ.",
    "Authorization: Basic YWRtaW46YWRtaW4=",
    "Cookie: __Host-session=x; session=1; user_id=1; user_name=admin",
    "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    "Origin: https://evil.example",
    "Connection: close, X-Forwarded-For, Cookie",
    "Content-Type: application/json",
)
HOSTS = ("evil.example", "localhost.evil.example", "127.0.0.1", "api:5000", "_", "localhost:1", "[::1]")


@dataclass(frozen=True)
class Attempt:
    """One way to ask. `host` None is the site's own."""

    method: str
    target: str
    header: str = ""
    host: str | None = None
    version: str = "HTTP/1.1"

    def __str__(self) -> str:
        """As it looks on the wire, on one line."""
        more = [part for part in (self.header, f"Host: {self.host}" if self.host is not None else "") if part]
        return " | ".join([f"{self.method} {self.target} {self.version}", *more]).replace("\r\n", " | ")


def ways(method: str, path: str, authority: str, *, whole: bool) -> Iterator[Attempt]:
    """Ways to ask for one route: each other spelling and, if `whole`, each method, query, header, host and version."""
    yield from (Attempt(method, target) for target in (*spellings(path), f"{path}/", f"{path}?%66ormat=csv"))
    # Two at once: what one layer forgives may be what another one reads.
    yield from (Attempt(method, target, "X-HTTP-Method-Override: GET") for target in (path, f"{path}/", f"/{path}"))
    if not whole:
        return
    yield from (Attempt(other, path) for other in METHODS)
    yield from (Attempt(method, path + query) for query in QUERIES)
    yield from (Attempt(method, path, header) for header in HEADERS)
    yield from (Attempt(method, path, host=host) for host in HOSTS)
    yield from (Attempt(method, path, version=f"HTTP/{version}") for version in ("1.0", "1.2", "2.0", "0.9"))
    for prefix in (f"https://{authority}", f"http://{authority}", "https://evil.example", "https://localhost@evil"):
        yield Attempt(method, prefix + path)


class _Connection(http.client.HTTPSConnection):
    """Sends what it is given, however it is spelt."""

    def _validate_path(self, url: str) -> None:
        pass

    def _validate_method(self, method: str) -> None:
        pass

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class Asker:
    """Makes attempts on one site, over one connection for as long as the site keeps it."""

    def __init__(self, url: str, ca: str) -> None:
        """Nothing is sent yet."""
        parts = urlsplit(url)
        self._host = parts.netloc
        self._make = (str(parts.hostname), parts.port or 443, ssl.create_default_context(cafile=ca))
        self._open: _Connection | None = None

    def close(self) -> None:
        """End the connection."""
        if self._open:
            self._open.close()
        self._open = None

    def __call__(self, attempt: Attempt, credentials: str = "") -> tuple[int, bytes]:
        """Status and body; 0 if the connection was closed without a word."""
        for fresh in (False, True):
            reused = self._open is not None
            try:
                return self._ask(attempt, credentials)
            except (http.client.HTTPException, OSError):
                self.close()
                # A connection that was kept may have been closed in the meantime.
                if fresh or not reused:
                    break
        return 0, b""

    def _ask(self, attempt: Attempt, credentials: str) -> tuple[int, bytes]:
        if self._open is None:
            host, port, context = self._make
            self._open = _Connection(host, port, context=context, timeout=10)
        connection = self._open
        connection._http_vsn_str = attempt.version  # type: ignore[attr-defined]
        connection.putrequest(attempt.method, attempt.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self._host if attempt.host is None else attempt.host)
        for line in (*attempt.header.split("\r\n"), credentials):
            name, _, value = line.partition(": ")
            if name:
                connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        if answer.will_close or attempt.method == "CONNECT":
            self.close()
        return answer.status, body
