"""Each image of the site keeps what images/contracts.yml promises, run as its role runs it."""

from __future__ import annotations

from typing import Any

import docker
import pytest
import yaml

from conftest import ROOT, Site

CONTRACTS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "images" / "contracts.yml").read_text(encoding="utf-8"))


def _script(contract: dict[str, Any]) -> str:
    """A shell script that ends well if every promise is kept, and else names the first that is not."""
    lines = [f"command -v {name}" for name in contract["shell"]]
    lines += [f"test -r {path}" for path in contract.get("paths", [])]
    lines += [f"python3 -c 'import {module}'" for module in contract.get("python", [])]
    lines += contract["tries"]
    quoted = [f"({line}) >/dev/null || {{ echo {index}; exit 1; }}" for index, line in enumerate(lines)]
    return "\n".join(quoted)


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_image_keeps_its_contract(site: Site, engine: docker.DockerClient, name: str) -> None:
    contract = CONTRACTS[name]
    service = engine.containers.get(f"{site.project}-{name}").attrs
    assert service["Config"]["User"] == contract["user"]
    mounted = {mount["Destination"] for mount in service["Mounts"] if mount["RW"]} | set(
        service["HostConfig"].get("Tmpfs") or {}
    )
    assert mounted == set(contract["writable"]), "what the service may write to"
    engine.containers.run(
        service["Config"]["Image"],
        ["-c", _script(contract)],
        entrypoint="sh",
        user=contract["user"],
        read_only=True,
        cap_drop=["ALL"],
        network_mode="none",
        tmpfs=dict.fromkeys(contract["writable"], "mode=1777"),
        mem_limit="768m",
        remove=True,
    )
