"""What the Docker Engine says about the site's containers, and what they can reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import docker

from panoramax_ops.verify.model import Check, ClaimBrokenError, Target

LABEL = "org.private-panoramax"


def _containers(target: Target, engine: docker.DockerClient) -> list[Any]:
    found = engine.containers.list(filters={"label": f"{LABEL}={target.project}"})
    if not found:
        raise ClaimBrokenError(f"no container of {target.project} runs on this engine")
    return list(found)


def _weaknesses(attributes: dict[str, Any]) -> list[str]:
    host, config = attributes["HostConfig"], attributes["Config"]
    health = attributes["State"].get("Health", {}).get("Status")
    wrong = {
        f"runs as {config['User'] or 'root'}": not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", config["User"]),
        "root file system can be written": not host["ReadonlyRootfs"],
        "keeps capabilities": host["CapDrop"] != ["ALL"] or bool(host["CapAdd"]),
        "may gain privileges": "no-new-privileges:true" not in (host["SecurityOpt"] or []),
        "is privileged": host["Privileged"],
        "has no memory limit": not host["Memory"],
        "has no limit on processes": not host["PidsLimit"],
        f"is {health or 'without a health check'}": health != "healthy",
    }
    return [text for text, applies in wrong.items() if applies]


def confined(target: Target, engine: docker.DockerClient) -> str:
    """User, root file system, capabilities, limits and health of every container."""
    containers = _containers(target, engine)
    findings = [f"{container.name} {text}" for container in containers for text in _weaknesses(container.attrs)]
    if findings:
        raise ClaimBrokenError("; ".join(findings))
    return f"{len(containers)} containers"


def ports(target: Target, engine: docker.DockerClient) -> str:
    """Only the proxy may be reached from outside."""
    opened = {
        container.name: [port for port, bound in container.attrs["NetworkSettings"]["Ports"].items() if bound]
        for container in _containers(target, engine)
    }
    others = [f"{name}: {', '.join(found)}" for name, found in opened.items() if found and not name.endswith("-proxy")]
    if others:
        raise ClaimBrokenError(f"published besides the proxy: {'; '.join(others)}")
    return "only the proxy publishes ports"


def no_way_out(target: Target, engine: docker.DockerClient) -> str:
    """No container but the proxy has a route to anywhere, so that no picture can leave by accident."""
    if not engine.networks.get(f"{target.project}-back").attrs["Internal"]:
        raise ClaimBrokenError(f"network {target.project}-back is not internal")
    asked = 0
    for container in _containers(target, engine):
        if container.name == f"{target.project}-proxy":
            continue
        asked += 1
        code, routes = container.exec_run(["cat", "/proc/net/route"])
        if code != 0:
            raise RuntimeError(f"{container.name}: routes could not be read")
        if re.search(rb"^\S+\t00000000\t", routes, re.MULTILINE):
            raise ClaimBrokenError(f"{container.name} has a default route")
    return f"{asked} containers without a default route, on an internal network"


def checks(engine: docker.DockerClient) -> tuple[Check, ...]:
    """The checks, bound to an engine."""

    def bound(check: Callable[[Target, docker.DockerClient], str]) -> Callable[[Target], str]:
        return lambda target: check(target, engine)

    return (
        Check("H", "Containers are confined", bound(confined)),
        Check("H", "Published ports", bound(ports)),
        Check("C1", "No way out to the internet", bound(no_way_out)),
    )
