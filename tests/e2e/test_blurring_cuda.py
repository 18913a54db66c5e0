"""The image of the blurring that can use an NVIDIA card. CUDA=1 asks for it, as it fetches 2 GB and takes 3 GB.

On a machine with a card and nvidia-container-toolkit the models run on it; on any other, what can be seen without.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.types import DeviceRequest

from blurring_alone import assert_blurs, running, until_ready
from conftest import ROOT, Site

HAS_CARD = Path("/dev/nvidiactl").exists() and shutil.which("nvidia-container-runtime-hook") is not None
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("CUDA" not in os.environ, reason="fetches 2 GB; CUDA=1 asks for it"),
]
LABEL = "org.private-panoramax.image"


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient) -> Iterator[str]:
    """The image, built as the deployment builds it, on the base of the site that is there."""
    base = engine.images.list(filters={"label": f"{LABEL}=base"})[0].tags[0]
    name = "private-panoramax/blurring:cuda-test"
    arguments = {"BASE": base, "RUNTIME": "cuda"}
    context = str(ROOT / "images" / "blurring")
    engine.images.build(path=context, tag=name, buildargs=arguments, labels={LABEL: "blurring"}, rm=True)
    yield name
    engine.images.remove(name)


def test_nothing_but_the_driver_is_missing(engine: docker.DockerClient, image: str) -> None:
    libraries = "$(echo /opt/venv/lib/python3*/site-packages)"
    command = (
        f"L={libraries}; LD_LIBRARY_PATH=$L/nvidia/cu13/lib:$L/nvidia/cudnn/lib"
        " ldd $L/onnxruntime/capi/libonnxruntime_providers_cuda.so $L/nvidia/cudnn/lib/*.so.9"
    )
    output = engine.containers.run(image, ["sh", "-c", command], network_mode="none", remove=True).decode()
    assert "libcudart.so.13 => /opt/venv" in output
    assert set(re.findall(r"(\S+) => not found", output)) <= {"libcuda.so.1"}


def test_without_a_card_it_blurs_on_the_processor(site: Site, engine: docker.DockerClient, image: str) -> None:
    with running(engine, site.project, image, {"BLUR_DEVICE": "auto"}) as container:
        assert "cuda" not in until_ready(container)
        assert_blurs(container, engine, site.project)


@pytest.mark.parametrize(
    ("devices", "says"),
    [([], "there is no NVIDIA card"), (["/dev/null:/dev/nvidiactl:r"], "driver of version 580 or newer")],
    ids=["no card", "no driver"],
)
def test_told_to_use_a_card_it_does_not_start_without(
    site: Site, engine: docker.DockerClient, image: str, devices: list[str], says: str
) -> None:
    with running(engine, site.project, image, {"BLUR_DEVICE": "cuda"}, devices=devices) as container:
        assert container.wait(timeout=60)["StatusCode"] == 78
        assert says in container.logs().decode()


@pytest.mark.skipif(not HAS_CARD, reason="no NVIDIA card, or no nvidia-container-toolkit")
def test_with_a_card_the_models_run_on_it(site: Site, engine: docker.DockerClient, image: str) -> None:
    cards = [DeviceRequest(driver="nvidia", count=-1, capabilities=[["gpu", "compute", "utility"]])]
    with running(engine, site.project, image, {"BLUR_DEVICE": "cuda"}, device_requests=cards) as container:
        assert until_ready(container) == "onnxruntime cuda"
        assert_blurs(container, engine, site.project)
