"""Health checks of the containers: ``python3 -S health.py api|worker SECONDS``.

Needs the standard library's lightest parts only: it runs every few seconds.
"""

import pathlib
import socket
import sys
import time

HEARTBEAT = pathlib.Path("/tmp/heartbeat")


def api(timeout: float, address: tuple[str, int] = ("127.0.0.1", 5000)) -> bool:
    """Whether the API answers a question that it has to ask the database about, within ``timeout`` seconds."""
    with socket.create_connection(address, timeout=timeout) as connection:
        connection.sendall(b"GET /api/configuration HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b" 200 " in connection.recv(64).split(b"\r\n", 1)[0]


def worker(oldest: float, heartbeat: pathlib.Path = HEARTBEAT) -> bool:
    """Whether the worker's loop went round within the last ``oldest`` seconds."""
    return time.time() - heartbeat.stat().st_mtime < oldest


def main(arguments: list[str]) -> int:
    """Return 0 if healthy, 1 if not."""
    kind, seconds = arguments
    try:
        healthy = api(float(seconds)) if kind == "api" else worker(float(seconds))
    except OSError as error:
        print(f"{kind}: {error}")
        return 1
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
