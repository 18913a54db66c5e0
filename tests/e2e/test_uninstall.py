"""The last test: everything of the site goes, nothing of others."""

from __future__ import annotations

import os

import docker
import pytest

from conftest import Site, make


@pytest.mark.skipif(bool(os.environ.get("E2E_INVENTORY") or os.environ.get("E2E_KEEP")), reason="the site is to stay")
def test_uninstall_leaves_nothing_of_the_site(site: Site, engine: docker.DockerClient) -> None:
    done = make("uninstall", site.inventory, "CONFIRM=yes")
    assert done.returncode == 0, done.stdout[-3000:]
    label: dict[str, str | list[str] | bool] = {"label": f"org.private-panoramax={site.project}"}
    assert engine.containers.list(all=True, filters=label) == []
    assert engine.networks.list(filters=label) == []
    assert engine.volumes.list(filters=label) == []
    # Another site on this machine may run from the same images; without one, none is left.
    if not engine.containers.list(all=True, filters={"label": "org.private-panoramax"}):
        assert engine.images.list(filters={"label": "org.private-panoramax.image"}) == []
