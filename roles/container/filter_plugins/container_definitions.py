"""Turn the services that a role declares into complete container definitions.

A service says only what differs; the hardening that every container gets is added here, in one place:
read-only root file system, no capabilities, no new privileges, limits on memory and processes, log rotation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

LABEL = "org.private-panoramax"
HEALTHCHECK_DEFAULTS: dict[str, Any] = {"interval": "5s", "timeout": "5s", "retries": 12, "start_period": "60s"}
SERVICE_KEYS = frozenset(
    [
        "name",
        "image",
        "user",
        "command",
        "entrypoint",
        "environment",
        "files",
        "mounts",
        "volumes",
        "tmpfs",
        "networks",
        "published_ports",
        "hosts",
        "memory",
        "pids",
        "shm_size",
        "sysctls",
        "gpus",
        "healthcheck",
        "stop_signal",
        "stop_timeout",
        "wait",
        "wait_timeout",
        "init",
    ]
)
REQUIRED_KEYS = ("name", "image", "user", "networks", "memory")


class ContainerDefinitionError(ValueError):
    """A service is declared in a way that no container can be made of."""


def _owner(service: Mapping[str, Any]) -> tuple[int, int]:
    uid, _, gid = str(service["user"]).partition(":")
    if not uid.isdigit() or not gid.isdigit() or uid == "0":
        raise ContainerDefinitionError(
            f"container_services: {service['name']}: user is {service['user']!r}; give 'UID:GID' in numbers, not root"
        )
    return int(uid), int(gid)


def _check(service: Mapping[str, Any], *, job: bool) -> None:
    name = service.get("name", "(without a name)")
    unknown = sorted(set(service) - SERVICE_KEYS)
    if unknown:
        raise ContainerDefinitionError(
            f"container_services: {name}: unknown {', '.join(unknown)}; known: {', '.join(sorted(SERVICE_KEYS))}"
        )
    missing = [key for key in REQUIRED_KEYS if not service.get(key)]
    # A container without a health check counts as healthy (community.docker), which would hide a dead service.
    if not job and not service.get("healthcheck"):
        missing.append("healthcheck")
    if missing:
        raise ContainerDefinitionError(f"container_services: {name}: {', '.join(missing)} missing")


def _files(service: Mapping[str, Any], directory: str) -> list[dict[str, Any]]:
    uid, gid = _owner(service)
    files = []
    for entry in service.get("files", []):
        secret = "secret" in entry
        body = entry["secret"] if secret else entry["content"]
        if secret and not body:
            raise ContainerDefinitionError(
                f"container_services: {service['name']}: {entry['path']}: the secret is empty"
            )
        files.append(
            {
                "path": f"{directory}/{entry['path'].strip('/').replace('/', '_')}",
                "target": entry["path"],
                ("secret" if secret else "content"): body,
                "uid": uid,
                "gid": gid,
                "mode": "0400" if secret else "0440",
            }
        )
    return files


def _networks(service: Mapping[str, Any], project: str, extra: Mapping[str, Any]) -> list[dict[str, Any]]:
    networks = []
    for entry in [*service["networks"], *extra.get(service["name"], [])]:
        network = {"name": entry} if isinstance(entry, str) else dict(entry)
        aliases = [service["name"], *network.get("aliases", [])]
        attachment: dict[str, Any] = {"name": f"{project}-{network['name']}", "aliases": aliases}
        if network.get("address"):
            attachment["ipv4_address"] = network["address"]
        networks.append(attachment)
    return networks


def _mounts(service: Mapping[str, Any], files: Iterable[Mapping[str, Any]], project: str) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"type": "bind", "source": file["path"], "target": file["target"], "read_only": True} for file in files
    ]
    mounts += [
        {
            "type": "bind",
            "source": mount["source"],
            "target": mount["path"],
            "read_only": mount.get("read_only", True),
        }
        for mount in service.get("mounts", [])
    ]
    mounts += [
        {
            "type": "volume",
            "source": f"{project}-{volume['name']}",
            "target": volume["path"],
            "read_only": volume.get("read_only", False),
            # Else Docker gives an empty volume the owner and mode that the directory has in the image.
            "no_copy": True,
        }
        for volume in service.get("volumes", [])
    ]
    return mounts


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _definition(
    service: Mapping[str, Any], project: str, config_dir: str, extra: Mapping[str, Any], *, job: bool
) -> dict[str, Any]:
    _check(service, job=job)
    directory = f"{config_dir}/{service['name']}"
    files = _files(service, directory)
    healthcheck = {**HEALTHCHECK_DEFAULTS, **service["healthcheck"]} if service.get("healthcheck") else None
    definition: dict[str, Any] = {
        "name": f"{project}-{service['name']}",
        "service": service["name"],
        "image": service["image"],
        "user": service["user"],
        "networks": _networks(service, project, extra),
        "mounts": _mounts(service, files, project),
        "env": {key: str(value) for key, value in service.get("environment", {}).items()},
        "tmpfs": [f"{path}:{options}" for path, options in service.get("tmpfs", {}).items()],
        "memory": service["memory"],
        "pids_limit": int(service.get("pids", 200)),
        "published_ports": list(service.get("published_ports", [])),
        # What `docker run --gpus all` asks for; the toolkit on the host adds the driver's files.
        "device_requests": [{"driver": "nvidia", "count": -1, "capabilities": [["gpu", "compute", "utility"]]}]
        if service.get("gpus")
        else [],
        "sysctls": {key: str(value) for key, value in service.get("sysctls", {}).items()},
        "healthcheck": healthcheck,
        "stop_timeout": int(service.get("stop_timeout", 30)),
        # PostgreSQL as PID 1 takes any orphan that dies by a signal (a health check that ran out of time) for a crash
        # of its own and restarts; an init that reaps orphans keeps such things from every service.
        "init": bool(service.get("init", True)),
        "wait": bool(service.get("wait", True)),
        "wait_timeout": int(service.get("wait_timeout", 180)),
    }
    definition |= {key: service[key] for key in ("command", "entrypoint", "shm_size", "stop_signal") if key in service}
    # Docker does not see that a bind-mounted file changed: its checksum in a label does.
    bodies: list[Any] = [(file["target"], file.get("content", file.get("secret"))) for file in files]
    if hosts := service.get("hosts"):
        # Names that this container resolves to other addresses than the rest of the world does.
        definition["hosts"] = dict(hosts)
        bodies.append(sorted(definition["hosts"].items()))
    definition["labels"] = {
        LABEL: project,
        f"{LABEL}.service": service["name"],
        f"{LABEL}.config": _digest(bodies),
    }
    if job:
        definition["labels"][f"{LABEL}.job"] = _digest([definition, bodies])
    definition["job"] = job
    definition["directory"] = {"path": directory, "uid": 0, "gid": _owner(service)[1], "mode": "0750"}
    definition["owner"] = _owner(service)
    return definition


def container_definitions(
    services: Iterable[Mapping[str, Any]],
    project: str,
    config_dir: str,
    extra_networks: Mapping[str, Any] | None = None,
    job: bool = False,
) -> list[dict[str, Any]]:
    """Complete definitions, in the order given.

    `extra_networks` are further networks by service, as a service itself would name them.

    Raises ContainerDefinitionError with the service and the key at fault.
    """
    return [_definition(service, project, config_dir, extra_networks or {}, job=job) for service in services]


def container_holders(networks: Iterable[str], project: str, image: str) -> list[dict[str, Any]]:
    """One container for each network, that does nothing but be on it. `run.yml` leaves finding it to Docker."""
    definitions = []
    for network in networks:
        service = {
            "name": f"network-{network}",
            "image": image,
            "user": "65534:65534",
            "entrypoint": ["sleep"],
            "command": ["infinity"],
            "networks": [network],
            "memory": "16m",
            "pids": 10,
            "healthcheck": {"test": ["CMD", "true"], "interval": "30s"},
            "stop_timeout": 1,
        }
        definitions.append({**_definition(service, project, "", {}, job=False), "held": True})
    return definitions


def container_file_list(services: Iterable[Mapping[str, Any]], config_dir: str) -> list[dict[str, Any]]:
    """The files of all services, for module `container_files`. The only place that carries the secrets' bodies."""
    return [file for service in services for file in _files(service, f"{config_dir}/{service['name']}")]


def container_volumes(definitions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The named volumes that the definitions mount, each once, owned by the first container that writes to it."""
    volumes: dict[str, dict[str, Any]] = {}
    for definition in definitions:
        for mount in definition["mounts"]:
            if mount["type"] == "volume" and not mount["read_only"]:
                uid, gid = definition["owner"]
                volumes.setdefault(mount["source"], {"name": mount["source"], "uid": uid, "gid": gid})
    return list(volumes.values())


def container_mountpoints(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Directories for `container_files`, from the results of docker_volume in a loop over `container_volumes`.

    Whatever image first fills a volume, its files belong to the user that the container runs as.
    In check mode a volume that is yet to be made has no mount point and is left out.
    """
    directories = []
    for result in results:
        mountpoint = (result.get("volume") or {}).get("Mountpoint")
        if mountpoint:
            wanted = result["__container_volume"]
            directories.append({"path": mountpoint, "uid": wanted["uid"], "gid": wanted["gid"], "mode": "0700"})
    return directories


def container_retired(
    containers: Iterable[Mapping[str, Any]], project: str, pattern: str, definitions: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Names of the project's containers whose service matches the pattern and is not among the definitions."""
    kept = {definition["service"] for definition in definitions}
    services = [
        labels[f"{LABEL}.service"]
        for container in containers
        if (labels := container.get("Labels", {})).get(LABEL) == project and f"{LABEL}.service" in labels
    ]
    return sorted(f"{project}-{name}" for name in services if name not in kept and re.fullmatch(pattern, name))


def container_jobs_due(definitions: Iterable[Mapping[str, Any]], containers: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Those of the jobs whose last run was of another definition, or did not end with success.

    `containers` is what docker_host_info lists with `verbose_output` (all states).
    """
    done = set()
    for container in containers:
        if str(container.get("Status", "")).startswith("Exited (0)"):
            done.add(container.get("Labels", {}).get(f"{LABEL}.job"))
    return [definition for definition in definitions if definition["labels"][f"{LABEL}.job"] not in done]


class FilterModule:
    """The filters, by the names that templates use."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {
            "container_definitions": container_definitions,
            "container_holders": container_holders,
            "container_file_list": container_file_list,
            "container_volumes": container_volumes,
            "container_mountpoints": container_mountpoints,
            "container_jobs_due": container_jobs_due,
            "container_retired": container_retired,
        }
