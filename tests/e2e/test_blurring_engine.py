"""The blurring takes what is faster on the machine it starts on, and does its work with either.

The instructions of newer processors are switched off for OpenVINO, as on an older machine: ONNX Runtime does not know
that switch (oneDNN's ONEDNN_MAX_CPU_ISA).
"""

from __future__ import annotations

import ast
import io
import re
import time
from collections.abc import Callable

import docker
import pytest
from PIL import Image

from conftest import Site
from known import assert_gone, self_test_picture

pytestmark = pytest.mark.e2e

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


def _until(found: Callable[[], re.Match[str] | None]) -> re.Match[str]:
    deadline = time.monotonic() + 120
    while not (match := found()):
        assert time.monotonic() < deadline, "the service does not start"
        time.sleep(0.3)
    return match


@pytest.mark.parametrize("switched_off", [{}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}], ids=["as it is", "AVX2 at most"])
def test_the_faster_engine_is_taken_and_blurs(
    site: Site, engine: docker.DockerClient, switched_off: dict[str, str]
) -> None:
    like = engine.containers.get(f"{site.project}-blurring").attrs
    container = engine.containers.run(
        like["Config"]["Image"],
        environment={**switched_off, "BLUR_ENGINE": "auto"},
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        mem_limit=like["HostConfig"]["Memory"],
        labels={"org.private-panoramax": site.project},
        detach=True,
    )
    try:

        def said(pattern: str) -> Callable[[], re.Match[str] | None]:
            return lambda: re.search(pattern, container.logs().decode())

        ready = _until(said(r"ready: .* on (.+), \d+ threads"))[1]
        measured = _until(said(r"seconds per tile: (\{.*\})"))[1].replace(" inf", " 'inf'")
        times = {name: float(seconds) for name, seconds in ast.literal_eval(measured).items()}
        fastest = min(times, key=lambda name: times[name])
        assert ready.startswith(fastest), (ready, times)
        _until(said("Application startup complete"))
        time.sleep(0.5)
        code, output = container.exec_run(["python3", "-c", ASK], demux=True)
        assert isinstance(output, tuple)
        assert code == 0, output[1]
        known = self_test_picture(site.project, engine)
        blurred = Image.open(io.BytesIO(output[0])).convert("L")
        for box in known.boxes.values():
            assert_gone(known.image, blurred, box, ready)
    finally:
        container.remove(force=True, v=True)
