"""Requests as no well-behaved client sends them: bytes on a TLS connection, and what came back."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from panoramax_ops.policy import Rule

# What stands in for the parts of a path; the identifiers belong to nothing.
SAMPLES = {
    "uuid": "11111111-2222-4333-8444-555555555555",
    "int": "3",
    "path": "x/y.js",
    "format": "jpg",
    "page": "terms-of-service",
    "lang": "en",
    "realm": "panoramax",
    "segment": "x.json",
    "hash": "abcde",
    "col": "1",
    "row": "1",
}
STATUS_LINE = re.compile(rb"^HTTP/1\.[01] (\d{3})")


@dataclass(frozen=True)
class RawAnswer:
    """What came back on the connection, before it was closed or fell silent."""

    data: bytes

    @property
    def status(self) -> int:
        """Status of the first answer; 0 if there was none."""
        match = STATUS_LINE.match(self.data)
        return int(match.group(1)) if match else 0

    @property
    def answers(self) -> int:
        """How many answers there are."""
        return len(re.findall(rb"(?:^|\n|\})HTTP/1\.[01] \d{3}", self.data))


def sample(rule: Rule) -> str:
    """A path that a rule of the policy is about."""

    def value(match: re.Match[str]) -> str:
        converter, _, name = match.group(1).rpartition(":")
        return SAMPLES.get(name) or SAMPLES[converter]

    path = re.sub(r"<([^>]+)>", value, rule.path)
    return path.replace(".jpg", ".mvt") if "/map/" in path else path


def exchange(url: str, ca: str, data: bytes, *, server_name: str | None = None, timeout: float = 5) -> RawAnswer:
    """Send bytes to the site over TLS and read until it closes or says nothing more."""
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or 443
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["http/1.1"])
    received = b""
    with (
        socket.create_connection((host, port), timeout=timeout) as plain,
        context.wrap_socket(plain, server_hostname=server_name or host) as connection,
    ):
        connection.settimeout(timeout)
        connection.sendall(data)
        try:
            while block := connection.recv(65536):
                received += block
        except (TimeoutError, ssl.SSLError, ConnectionError):
            pass
    return RawAnswer(received)


def request(
    method: str, target: str, host: str, *headers: str, version: str = "1.1", body: bytes = b"", close: bool = True
) -> bytes:
    """A request, spelt exactly so. `host` empty leaves the header out."""
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"Host: {host}"] if host else []
    lines += list(headers)
    lines += ["Connection: close"] if close else []
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def spellings(path: str) -> Iterator[str]:
    """Other ways to write a path that some program on the way might read as the same."""
    first, _, rest = path[1:].partition("/")
    head, tail = f"/{first}", path[1 + len(first) :]
    second, last = rest[:1] or "x", path[-1]
    yield from (
        f"/{path}",
        f"//api.example{path}",
        f"{head}/{tail}",
        f"/.{path}",
        f"{head}/.{tail}",
        f"/errors/..{path}",
        f"/assets/x/../..{path}",
        f"/errors/%2e%2e{path}",
        f"/errors/..%2f{path[1:]}",
        f"/errors/..;{path}",
        f"/oauth/..{path}",
        f"/%{ord(head[1:2] or 'x'):02x}{head[2:]}{tail}",
        f"{head}%2f{rest}",
        f"{head}%252f{rest}",
        f"{head}/%{ord(second):02x}{rest[1:]}",
        f"{path[:-1]}%{ord(last):02X}",
        f"{head.upper()}{tail}",
        f"{head}{tail.upper()}",
        f"{path};x=1",
        f"{head};x=1{tail}",
        f"{path}%00",
        f"{path}%20",
        f"{path}%0a",
        f"{path}%3f",
        f"{path}/..%2f",
        f"{path}/%2e",
        f"{path}/.",
        f"{path}//",
        f"{path}#x",
        f"{head}\\{rest}",
        f"{path}\t",
        f"{path}%c0%af",
        f"*{path}",
        path[1:],
    )
