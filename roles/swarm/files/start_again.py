#!/usr/bin/python3
"""Start again the containers that could not join their overlay network when the engine wanted to start them.

Docker starts a container that is to run always once after a boot. One on an overlay network needs a manager of the
Swarm for that; where none answers yet, because it boots later, Docker notes the error and never tries again (measured
with 26.1). Only containers of this project are touched, and only those with such an error: what somebody stopped stays
stopped.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import quote

SOCKET = "/var/run/docker.sock"
LABEL = "org.private-panoramax"
PAUSE_SECONDS = 5
ALWAYS = ("unless-stopped", "always")


def call(method: str, path: str) -> tuple[int, Any]:
    """One request to the engine: status and JSON (None if there is none). Raises OSError or ValueError."""
    connection = http.client.HTTPConnection("docker", timeout=120)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(120)
    try:
        connection.sock.connect(SOCKET)
        connection.request(method, f"/v1.41{path}")
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.strip() else None
    finally:
        connection.close()


def left_behind(container: dict[str, Any]) -> bool:
    """Whether an inspected container is down because it could not join a network."""
    state = container["State"]
    always = container["HostConfig"]["RestartPolicy"]["Name"] in ALWAYS
    return always and not state["Running"] and "network" in state["Error"]


def round_trip() -> None:
    """Look once, and start what was left behind."""
    filters = quote(json.dumps({"label": [LABEL], "status": ["exited", "created"]}))
    for listed in call("GET", f"/containers/json?all=1&filters={filters}")[1]:
        status, container = call("GET", f"/containers/{listed['Id']}/json")
        if status == 200 and left_behind(container):
            status, answer = call("POST", f"/containers/{listed['Id']}/start")
            outcome = "started" if status < 300 else (answer or {}).get("message", status)
            print(f"{container['Name'].lstrip('/')}: {outcome}", flush=True)


def main() -> None:
    """Look for ever. An engine that does not answer is waited for."""
    while True:
        try:
            round_trip()
        except (OSError, ValueError, http.client.HTTPException) as error:
            print(f"the engine does not answer: {error}", flush=True)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
