"""What the Docker Engine says about the site's containers, and what they can reach."""

from __future__ import annotations

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.executed import execute
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.requests import insistent
from panoramax_ops.verify.site import FILES, Site

# A picture in work may leave its original for as long.
ORPHAN_MINUTES = 15
# Printed are only settings that are no secret, and when they were written (seconds since 1970).
SETTINGS_PROGRAM = """
import json, os
path = "/run/secrets/api.json"
names = ("API_FORCE_AUTH_ON_UPLOAD", "API_REGISTRATION_IS_OPEN", "API_DEFAULT_PICTURE_VISIBILITY", "API_BLUR_URL")
with open(path) as stream:
    values = {k: v for k, v in json.load(stream).items() if k in names or k.endswith("PUBLIC_URL")}
print(json.dumps({"values": values, "written": os.stat(path).st_mtime}))
"""
# Lines: what others than the owner may read or write. Directories that hold all the rest are looked at, not below.
MODES = """
for path in /data/geovisio /data/geovisio/tmp /data/geovisio/permanent /data/geovisio/derivates \
    /var/lib/postgresql/data /run/secrets/* /opt/keycloak/conf/keycloak.conf /etc/nginx/certificates/*.pem; do
  [ -e "$path" ] && find "$path" -maxdepth 0 -perm /077 -printf '%p has mode %m\n'
done
find /etc/nginx/certificates -name '*key*' -type f -perm /077 -printf '%p has mode %m\n' 2>/dev/null
true
"""
# Exit codes of bash when a connection fails, and of timeout(1).
# Where role keycloak's way to the mail server listens.
MAIL_PORT = 2525
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
    Where the site sends mail, one more container is on both networks: it must hang up on everybody but Keycloak. Where
    pictures are blurred outside, as the operator allowed, another one is: it passes them on to that engine only.
    """
    inner = {f"{site.project}-{name}" for name in ("back", "access")}
    for engine in site.engines:
        for network in engine.networks.list(filters={"label": f"org.private-panoramax={site.project}"}):
            if network.name in inner and not network.attrs["Internal"]:
                raise ClaimBrokenError(f"network {network.name} is not internal")
    proxy = site.container("proxy")
    outside = proxy.attrs["NetworkSettings"]["Networks"][f"{site.project}-front"]["IPAddress"]
    code, _ = proxy.exec_run(["bash", "-c", f"</dev/tcp/{outside}/8443"])
    if code != 0:
        raise RuntimeError(f"the proxy does not answer itself at {outside}")

    def way_out(container: Any) -> list[str]:
        networks = sorted(container.attrs["NetworkSettings"]["Networks"])
        found = [] if inner.issuperset(networks) else [f"{container.name} is on {', '.join(networks)}"]
        code, _ = container.exec_run(["timeout", "1", "bash", "-c", f"</dev/tcp/{outside}/8443"])
        if code not in REFUSED_OR_TIMED_OUT:
            found.append(f"{container.name} reaches {outside}, outside of its network (exit {code})")
        if mail is not None and not container.name.endswith("-keycloak"):
            relay = mail.attrs["NetworkSettings"]["Networks"][f"{site.project}-back"]["IPAddress"]
            # A mail server speaks first: who is hung up on reads nothing.
            reading = f"exec 3<>/dev/tcp/{relay}/{MAIL_PORT} && read -r -n 1 <&3"
            code, _ = container.exec_run(["timeout", "2", "bash", "-c", reading])
            if code not in REFUSED_OR_TIMED_OUT:
                found.append(f"{container.name} reaches the mail server (exit {code})")
        return found

    by_name = {str(container.name).removeprefix(f"{site.project}-"): container for container in site.containers()}
    mail, leaving = by_name.get("mail"), by_name.get("outside-engine")
    others = [container for container in by_name.values() if container not in (proxy, mail, leaving)]
    with ThreadPoolExecutor(max_workers=len(others) or 1) as pool:
        found = [finding for findings in pool.map(way_out, others) for finding in findings]
    if found:
        raise ClaimBrokenError("; ".join(found))
    mailing = "; only Keycloak reaches the mail server" if mail is not None else ""
    away = "; what is not blurred yet goes to the engine outside that site_blurring_engine names" if leaving else ""
    return f"{len(others)} containers try in vain to leave the internal network{mailing}{away}"


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


def guard(site: Site) -> str:
    """The database's guard is whole: no function or trigger of it is missing, changed, switched off or replaced."""
    if findings := [row[0] for row in site.sql.read("SELECT finding FROM priv.guard_findings()")]:
        raise ClaimBrokenError("; ".join(findings[:8]))
    parts = site.sql.read("SELECT count(*) FROM priv.seal")[0][0]
    if warnings := [row[0] for row in site.sql.read("SELECT warning FROM priv.guard_warnings()")]:
        raise UnableError(
            f"The guard is whole, but {'; '.join(warnings)}.", "Look at what upstream changed: docs/security.md."
        )
    return f"{parts} parts in force as they were applied"


def blurring_jobs(site: Site) -> str:
    """No waiting job leaves the blurring out, no picture was prepared without it, and no original is left over."""
    skipping = site.sql.read("SELECT count(*) FROM job_queue WHERE args ? 'skip_blurring' OR task = 'transfer'")[0][0]
    if skipping != "0":
        raise ClaimBrokenError(f"{skipping} jobs leave out the blurring")
    code, listing = site.execute("api", "find", f"{FILES}/tmp", "-type", "f", "-mmin", f"+{ORPHAN_MINUTES}")
    if code:
        raise UnableError(f"The folder of originals cannot be read: {listing.strip()[:200]}")
    names = [original_of(path) for path in listing.split()]
    waiting = {row[0] for row in site.sql.read("SELECT id FROM pictures WHERE preparing_status <> 'prepared'")}
    if orphans := [name for name in names if name not in waiting]:
        raise ClaimBrokenError(
            f"{len(orphans)} unblurred originals belong to no waiting picture: {', '.join(orphans[:3])}"
        )
    return f"no job without blurring, {len(names)} originals waiting"


def original_of(path: str) -> str:
    """Identifier of the picture whose original lies there: .../tmp/ab/cd/ef/01/<rest>.jpg (geovisio 2.15.1)."""
    *_, one, two, three, four, name = path.split("/")
    return f"{one}{two}{three}{four}-{name.partition('.')[0]}"


def settings(site: Site) -> str:
    """The settings that API and workers were started with are those that keep pictures private."""
    found: list[str] = []
    started = {
        str(container.name).removeprefix(f"{site.project}-"): container.attrs["State"]["StartedAt"]
        for container in site.containers()
    }
    services = sorted(name for name in started if name == "api" or name.startswith("worker-"))
    for service in services:
        code, output = site.execute(service, "python3", "-c", SETTINGS_PROGRAM)
        if code:
            raise UnableError(
                f"The settings of {service} cannot be read: {output.strip()[-200:]}", "Deploy: make deploy"
            )
        seen = json.loads(output)
        found += [f"{service}: {finding}" for finding in judge_settings(seen["values"], api=service == "api")]
        # Docker tells nanoseconds, which are more than a time can hold here.
        if seen["written"] > datetime.fromisoformat(started[service][:19] + "+00:00").timestamp() + 1:
            found.append(f"{service}: started before its settings were written")
    if found:
        raise ClaimBrokenError("; ".join(found))
    return f"{', '.join(services)}: started after their settings were written"


def judge_settings(values: dict[str, str], *, api: bool) -> list[str]:
    """What is wrong with the settings of one container, as SETTINGS_PROGRAM prints them."""
    wanted = {"API_FORCE_AUTH_ON_UPLOAD": "true", "API_REGISTRATION_IS_OPEN": "false"} if api else {}
    found = [f"{name} is {values.get(name, 'not set')}" for name, value in wanted.items() if values.get(name) != value]
    if values.get("API_DEFAULT_PICTURE_VISIBILITY", "logged-only") not in {"logged-only", "owner-only"}:
        found.append(f"API_DEFAULT_PICTURE_VISIBILITY is {values['API_DEFAULT_PICTURE_VISIBILITY']}")
    if not values.get("API_BLUR_URL"):
        found.append("API_BLUR_URL is not set: nothing is blurred")
    found += [f"{name} is set: files without asking who it is" for name in values if name.endswith("PUBLIC_URL")]
    return found


def layers(site: Site) -> str:
    """Without the gate in front, the API by itself refuses strangers uploads, tokens of others and hidden things."""
    address = site.access.reach("api", 5000)
    transport = address.transport()
    with httpx.Client(base_url=address.url, transport=transport, trust_env=False, timeout=10) as direct:
        tries = [("POST", "/api/upload_sets", {"title": "verification", "estimated_nb_files": 1}),
                 ("GET", "/api/users/me", None), ("GET", "/api/users/me/tokens", None),
                 ("GET", "/api/upload_sets/00000000-0000-4000-8000-000000000001", None),
                 ("GET", "/api/upload_sets/00000000-0000-4000-8000-000000000002", None)]  # fmt: skip
        found = []
        for method, path, data in tries:
            answer = insistent(lambda m=method, p=path, d=data: direct.request(m, p, json=d))  # type: ignore[misc]
            if answer.status_code not in {302, 401, 403, 404}:
                found.append(f"{method} {path}: {answer.status_code}")
        features = insistent(lambda: direct.get("/api/search", params={"limit": "1"}))
        if features.status_code == 200 and features.json()["features"]:
            found.append("GET /api/search gives pictures to strangers")
    if found:
        raise ClaimBrokenError("; ".join(found))
    return f"{len(tries) + 1} requests past the gate give strangers nothing"


def files(site: Site) -> str:
    """Pictures, database and secrets can be read by the account of their own service and by nobody else."""
    found: list[str] = []
    for container in site.containers():
        code, output = execute(container, ["sh", "-c", MODES])
        if code:
            raise UnableError(f"{container.name}: file modes cannot be read: {output[:200]}")
        found += [f"{container.name}: {line}" for line in output.splitlines()]
    secrets = site.inventory / "group_vars" / "all" / "secrets.yml"
    for path in (secrets, site.state / "letters", site.state / "accounts.log"):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            found.append(f"{path.name} on this machine: mode {stat.S_IMODE(path.stat().st_mode):o}")
    if found:
        raise ClaimBrokenError("; ".join(found[:8]))
    return "volumes, mounted secrets, the inventory's secrets and letters"


def inspected(site: Site) -> str:
    """No secret can be read from what Docker tells about a container: environment, command, labels."""
    values = {name: value for name, value in site.secrets.items() if len(value) >= 12}
    found = [
        f"{name} in {container.name}"
        for container in site.containers()
        for name, value in values.items()
        if value in json.dumps(container.attrs)
    ]
    if found:
        raise ClaimBrokenError("; ".join(found))
    return f"{len(values)} secrets, none in sight"


def images(site: Site) -> str:
    """Every container runs the very image that its pinned name stands for."""
    found: list[str] = []
    for container in site.containers():
        name = str(container.attrs["Config"]["Image"])
        tag = name.rpartition("/")[2].partition("@")[0].partition(":")[2]
        if "@sha256:" not in name and tag in {"", "latest"}:
            found.append(f"{container.name} runs {name}, which is not pinned")
        elif container.client.images.get(name).id != container.attrs["Image"]:
            found.append(f"{container.name} runs an older {name}")
    if found:
        raise ClaimBrokenError("; ".join(found))
    return f"{len(site.containers())} containers, all pinned"


CHECKS = (
    Check("H", "Containers are confined", confined),
    Check("H", "Published ports", ports),
    Check("C1", "No way out to the internet", no_way_out),
    Check("C1", "Nothing is public", nothing_public),
    Check("C2", "Default visibility", default_visibility),
    Check("C1", "The database's guard is whole", guard),
    Check("C1", "Settings in force", settings),
    Check("C1", "The API by itself refuses strangers", layers),
    Check("C5", "No original without its job", blurring_jobs),
    Check("H", "Files are readable by their service only", files),
    Check("H", "Secrets are not shown by Docker", inspected),
    Check("H", "Images are pinned", images),
)
