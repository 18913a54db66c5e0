"""`.ci/run` stands what a killed run left, also containers without a label that hold a volume of ours."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from conftest import Site

LEFTOVERS = Path(__file__).parents[2] / ".ci" / "leftovers"


@pytest.fixture
def label(engine: docker.DockerClient) -> Iterator[str]:
    """A label like the project's, which nothing else has."""
    name = f"leftovers-{uuid.uuid4().hex[:8]}"
    yield name
    for container in engine.containers.list(all=True, filters={"name": name}):
        container.remove(force=True)
    for network in engine.networks.list(names=[name]):
        network.remove()
    for volume in engine.volumes.list(filters={"name": name}):
        volume.remove()


def test_what_uses_a_volume_or_a_network_of_ours_goes_with_it(
    site: Site, engine: docker.DockerClient, label: str
) -> None:
    others = {container.id for container in engine.containers.list(all=True)}
    image = engine.containers.get(f"{site.project}-website").attrs["Image"]
    engine.volumes.create(label, labels={label: "site"})
    engine.networks.create(label, labels={f"{label}.test": "stock"}, internal=True)
    containers: dict[str, dict[str, Any]] = {
        "labelled": {"labels": {label: "site"}},
        "of-a-test": {"labels": {f"{label}.test": "stock"}},
        "of-a-verification": {"labels": {f"{label}.verification": "site"}},
        "of-an-image": {"labels": {f"{label}.image": "api"}},
        "on-the-volume": {"volumes": {label: {"bind": "/pictures", "mode": "rw"}}, "network_mode": "none"},
        "on-the-network": {"network": label},
    }
    for name, options in containers.items():
        engine.containers.run(image, ["300"], entrypoint=["sleep"], name=f"{label}-{name}", detach=True, **options)
    stopped = engine.containers.get(f"{label}-on-the-volume")
    stopped.stop(timeout=0)

    done = subprocess.run(["bash", str(LEFTOVERS), label], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert {container.id for container in engine.containers.list(all=True)} == others
    assert engine.networks.list(names=[label]) == []
    assert engine.volumes.list(filters={"name": label}) == []
