"""Health checks of the containers: ``python3 -S health.py api|api-tls|worker SECONDS``.

Needs the standard library's lightest parts only: it runs every few seconds.
"""

import pathlib
import socket
import sys
import time

HEARTBEAT = pathlib.Path("/tmp/heartbeat")


def api(timeout: float, address: tuple[str, int] = ("127.0.0.1", 5000), *, tls: bool = False) -> bool:
    """Whether the API answers a question that it has to ask the database about, within ``timeout`` seconds."""
    with socket.create_connection(address, timeout=timeout) as plain, _wrapped(plain) if tls else plain as connection:
        connection.sendall(b"GET /api/configuration HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b" 200 " in connection.recv(64).split(b"\r\n", 1)[0]


def _wrapped(connection: socket.socket) -> socket.socket:
    """TLS with whoever answers: it is this container."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def worker(oldest: float, heartbeat: pathlib.Path = HEARTBEAT) -> bool:
    """Whether the worker's loop went round within the last ``oldest`` seconds."""
    return time.time() - heartbeat.stat().st_mtime < oldest


def main(arguments: list[str]) -> int:
    """Return 0 if healthy, 1 if not."""
    kind, seconds = arguments
    try:
        healthy = worker(float(seconds)) if kind == "worker" else api(float(seconds), tls=kind == "api-tls")
    except OSError as error:
        print(f"{kind}: {error}")
        return 1
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
