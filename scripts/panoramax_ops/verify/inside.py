"""What the Docker Engine says about the site's containers, and what they can reach."""

from __future__ import annotations

import re
from typing import Any

from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.site import Site

# Exit codes of bash when a connection fails, and of timeout(1).
REFUSED_OR_TIMED_OUT = frozenset({1, 124})


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


def confined(site: Site) -> str:
    """User, root file system, capabilities, limits and health of every container."""
    containers = site.containers()
    findings = [f"{container.name} {text}" for container in containers for text in _weaknesses(container.attrs)]
    if findings:
        raise ClaimBrokenError("; ".join(findings))
    return f"{len(containers)} containers"


def ports(site: Site) -> str:
    """Only the proxy may be reached from outside."""
    opened = {
        container.name: [port for port, bound in container.attrs["NetworkSettings"]["Ports"].items() if bound]
        for container in site.containers()
    }
    others = [f"{name}: {', '.join(found)}" for name, found in opened.items() if found and not name.endswith("-proxy")]
    if others:
        raise ClaimBrokenError(f"published besides the proxy: {'; '.join(others)}")
    return "only the proxy publishes ports"


def no_way_out(site: Site) -> str:
    """Nothing but the proxy can send anything out of the back network, so that no picture can leave by accident.

    What they try to reach is the proxy on the other network: it listens for certain, and the way there is the way out.
    """
    if not site.engine.networks.get(f"{site.project}-back").attrs["Internal"]:
        raise ClaimBrokenError(f"network {site.project}-back is not internal")
    proxy = site.engine.containers.get(f"{site.project}-proxy")
    outside = proxy.attrs["NetworkSettings"]["Networks"][f"{site.project}-front"]["IPAddress"]
    code, _ = proxy.exec_run(["bash", "-c", f"</dev/tcp/{outside}/8443"])
    if code != 0:
        raise RuntimeError(f"the proxy does not answer itself at {outside}")
    asked = 0
    for container in site.containers():
        networks = sorted(container.attrs["NetworkSettings"]["Networks"])
        if container.id == proxy.id:
            continue
        asked += 1
        if networks != [f"{site.project}-back"]:
            raise ClaimBrokenError(f"{container.name} is on {', '.join(networks)}")
        code, _ = container.exec_run(["timeout", "1", "bash", "-c", f"</dev/tcp/{outside}/8443"])
        if code not in REFUSED_OR_TIMED_OUT:
            raise ClaimBrokenError(f"{container.name} reaches {outside}, outside of its network (exit {code})")
    return f"{asked} containers try in vain to leave the internal network"


def default_visibility(site: Site) -> str:
    """What the API takes where a client says nothing."""
    query = "SELECT default_visibility, collaborative_metadata FROM configurations"
    ((visibility, collaborative),) = site.sql.read(query)
    if visibility not in {"logged-only", "owner-only"} or collaborative != "f":
        raise ClaimBrokenError(f"default visibility {visibility or 'unset'}, collaborative editing {collaborative}")
    return f"default visibility is {visibility}"


def nothing_public(site: Site) -> str:
    """No sequence, upload set or picture is marked as visible to anyone."""
    counts = {
        table: int(site.sql.read(f"SELECT count(*) FROM {table} WHERE visibility IN ('anyone')")[0][0])
        for table in ("sequences", "upload_sets", "pictures")
    }
    if any(counts.values()):
        raise ClaimBrokenError(", ".join(f"{count} {table} are public" for table, count in counts.items() if count))
    return "no sequence, upload set or picture is public"


CHECKS = (
    Check("H", "Containers are confined", confined),
    Check("H", "Published ports", ports),
    Check("C1", "No way out to the internet", no_way_out),
    Check("C1", "Nothing is public", nothing_public),
    Check("C2", "Default visibility", default_visibility),
)
