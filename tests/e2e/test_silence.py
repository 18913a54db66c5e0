"""The models' runtime reports its use to its maker; in our images it is silent, whatever network they are on.

The container's resolver is a listener of the test's on Docker's own bridge: it hears every name that is asked for.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import docker
import pytest

from conftest import Site

pytestmark = pytest.mark.e2e

# What each start of the blurring and of the detection does; the first report comes after 10 s (measured).
USE_A_MODEL = """
import time, onnxruntime
onnxruntime.InferenceSession("/models/plates.onnx", providers=["CPUExecutionProvider"])
time.sleep(20)
"""


class Resolver:
    """Hears which names are asked for, and answers nothing."""

    def __init__(self, address: str) -> None:
        self.asked: set[tuple[str, str]] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._socket.settimeout(0.5)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                question, (caller, _) = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1 : at + 1 + question[at]].decode())
                at += 1 + question[at]
            self.asked.add((caller, ".".join(labels)))

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def resolver(engine: docker.DockerClient) -> Iterator[Resolver]:
    listening = Resolver(engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"])
    yield listening
    listening.close()


def test_the_runtime_of_the_models_reports_to_nobody(
    site: Site, engine: docker.DockerClient, resolver: Resolver
) -> None:
    image = engine.containers.get(f"{site.project}-blurring").attrs["Config"]["Image"]
    containers = {
        name: engine.containers.run(
            image,
            ["python3", "-c", USE_A_MODEL],
            environment=environment,
            dns=[resolver._socket.getsockname()[0]],
            labels={"org.private-panoramax": site.project},
            detach=True,
        )
        for name, environment in {"stock": {"ORT_DISABLE_TELEMETRY": "0"}, "ours": {}}.items()
    }
    try:
        time.sleep(2)
        addresses = {}
        for name, container in containers.items():
            container.reload()
            addresses[name] = container.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        for container in containers.values():
            assert container.wait(timeout=120)["StatusCode"] == 0, container.logs().decode()
        heard = {name: {asked for caller, asked in resolver.asked if caller == addresses[name]} for name in addresses}
        assert heard == {"stock": {"mobile.events.data.microsoft.com"}, "ours": set()}
    finally:
        for container in containers.values():
            container.remove(force=True, v=True)
