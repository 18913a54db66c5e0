"""An image of the blurring by itself: no network, nothing writable, as on a site."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
from docker.models.containers import Container
from PIL import Image

from known import assert_gone, self_test_picture

# Sends the service its own test picture, and prints the answer.
ASK = """
import http.client, sys
body = b'--x\\r\\nContent-Disposition: form-data; name="picture"; filename="p.jpg"\\r\\n'
body += b"Content-Type: image/jpeg\\r\\n\\r\\n"
body += open("/models/selftest.jpg", "rb").read() + b"\\r\\n--x--\\r\\n"
service = http.client.HTTPConnection("127.0.0.1", 8001, timeout=120)
service.request("POST", "/blur/", body, {"Content-Type": "multipart/form-data; boundary=x"})
answer = service.getresponse()
assert answer.status == 200, answer.status
sys.stdout.buffer.write(answer.read())
"""


@contextmanager
def running(
    engine: docker.DockerClient, project: str, image: str, environment: Mapping[str, str], **options: Any
) -> Iterator[Container]:
    """The image's service with these settings, removed at the end."""
    container = engine.containers.run(
        image,
        environment=dict(environment),
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        labels={"org.private-panoramax": project},
        detach=True,
        **options,
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def until_said(container: Container, pattern: str) -> re.Match[str]:
    """Wait until the container's log has it."""
    deadline = time.monotonic() + 120
    while not (match := re.search(pattern, container.logs().decode())):
        container.reload()
        assert container.status == "running", container.logs().decode()
        assert time.monotonic() < deadline, "the service does not start"
        time.sleep(0.3)
    return match


def until_ready(container: Container) -> str:
    """Wait until the service answers. Returns what the models run on."""
    runs_on = until_said(container, r"ready: .* on (.+), \d+ threads")[1]
    until_said(container, "Application startup complete")
    time.sleep(0.5)
    return runs_on


def assert_blurs(container: Container, engine: docker.DockerClient, project: str) -> None:
    """Have it blur the test picture, whose face and plate must be gone."""
    code, output = container.exec_run(["python3", "-c", ASK], demux=True)
    assert isinstance(output, tuple)
    assert code == 0, output[1]
    known = self_test_picture(project, engine)
    blurred = Image.open(io.BytesIO(output[0])).convert("L")
    for box in known.boxes.values():
        assert_gone(known.image, blurred, box, "the test picture")
