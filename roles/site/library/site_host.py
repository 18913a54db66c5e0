"""Ansible module: what the preflight needs to know about a host, in one call."""

from __future__ import annotations

import http.client
import json
import os
import platform
import shutil
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: site_host
short_description: Tell what a host has - Python, memory, disk, ports, an earlier deployment
description:
  - Changes nothing. A port counts as taken when something listens on it that is not a container of the project.
options:
  project:
    description: Label value of the site's containers.
    type: str
    required: true
  ports:
    description: TCP ports that the site will open.
    type: list
    elements: int
author: Private Panoramax
"""

DOCKER_SOCKET = "/var/run/docker.sock"


class _DockerConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(DOCKER_SOCKET)


def own_ports(project: str) -> tuple[bool, bool, set[int]]:
    """Whether Docker answers, whether the project has containers on this host, and which ports they publish."""
    filters = quote(json.dumps({"label": [f"org.private-panoramax={project}"]}))
    connection = _DockerConnection("docker")
    try:
        connection.request("GET", f"/containers/json?all=1&filters={filters}")
        containers = json.loads(connection.getresponse().read())
    except (OSError, ValueError):
        return False, False, set()
    ports = {port["PublicPort"] for container in containers for port in container["Ports"] if "PublicPort" in port}
    return True, bool(containers), ports


def listens(port: int) -> bool:
    """Whether anything on this host listens on the TCP port, on any address."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:] if Path(table).exists() else []:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                return True
    return False


def memory_mb() -> int:
    """Memory of the host in MiB, or of the control group that it is limited to."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    for path in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if path.is_file() and (text := path.read_text(encoding="ascii").strip()).isdigit():
            return min(total, int(text) // 2**20)
    return total


def facts(project: str, ports: list[int]) -> dict[str, Any]:
    """What the preflight's assertions read."""
    docker, deployed, own = own_ports(project)
    disk_path = next(path for path in (Path("/var/lib/docker"), Path("/var/lib"), Path("/")) if path.exists())
    return {
        "python_version": platform.python_version(),
        "root": os.geteuid() == 0,
        "memory_mb": memory_mb(),
        "disk_path": str(disk_path),
        "disk_free_mb": shutil.disk_usage(disk_path).free // 2**20,
        "docker": docker,
        "deployed": deployed,
        "ports_taken": [port for port in ports if port not in own and listens(port)],
    }


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "ports": {"type": "list", "elements": "int", "default": []},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, **facts(module.params["project"], module.params["ports"]))


if __name__ == "__main__":
    main()
