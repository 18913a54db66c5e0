"""Ansible module: what the preflight needs to know about a host, in one call."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: site_host
short_description: Tell what a host has - Python, memory, disk, ports, networks, an earlier deployment
description:
  - Changes nothing. A port counts as taken when something listens on it that is not a container of the project.
  - Runs on Python 3.8, so that a host with one that is too old can be told so.
options:
  project:
    description: Label value of the site's containers.
    type: str
    required: true
  ports:
    description: TCP ports that the site will open.
    type: list
    elements: int
  address:
    description: Address on which they will be opened.
    type: str
    default: 0.0.0.0
  subnet:
    description: Subnet of the site's network.
    type: str
    required: true
  esp:
    description: Whether to try if the kernel can encrypt by IPsec. The attempt is undone at once.
    type: bool
author: Private Panoramax
"""

DOCKER_SOCKET = "/var/run/docker.sock"


class _DockerConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(DOCKER_SOCKET)


def ask_docker(path: str) -> Any:
    """Answer of the engine; None if there is none."""
    connection = _DockerConnection("docker")
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError):
        return None


def own_ports(project: str) -> tuple[bool, bool, set[int]]:
    """Whether Docker answers, whether the project has containers on this host, and which ports they publish."""
    filters = quote(json.dumps({"label": [f"org.private-panoramax={project}"]}))
    containers = ask_docker(f"/containers/json?all=1&filters={filters}")
    if not isinstance(containers, list):
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


def routes() -> list[tuple[str, ipaddress.IPv4Network]]:
    """IPv4 networks that the host reaches otherwise than by its default route, with the interface."""
    found = []
    for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
        interface, destination, mask = (line.split()[column] for column in (0, 1, 7))
        address, bits = (socket.inet_ntoa(struct.pack("<L", int(text, 16))) for text in (destination, mask))
        if bits != "0.0.0.0":
            found.append((interface, ipaddress.IPv4Network(f"{address}/{bits}", strict=False)))
    return found


def overlapping(project: str, subnet: str) -> list[str]:
    """Networks of the host that share addresses with the subnet, but for those of the project itself."""
    wanted = ipaddress.ip_network(subnet)
    found, bridges = [], set()
    for network in ask_docker("/networks") or []:
        bridges.add((network.get("Options") or {}).get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}")
        if (network.get("Labels") or {}).get("org.private-panoramax") == project:
            continue
        for pool in (network.get("IPAM") or {}).get("Config") or []:
            if "Subnet" in pool and wanted.overlaps(ipaddress.ip_network(pool["Subnet"])):
                found.append(f"Docker's network {network['Name']} ({pool['Subnet']})")
    for interface, network in routes():
        if interface not in bridges and wanted.overlaps(network):
            found.append(f"the network {network} of {interface}")
    return found


def is_own_address(address: str) -> bool:
    """Whether a port could be opened on the address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def system() -> str:
    """Name and version of the distribution, like `debian 13`."""
    path = Path("/etc/os-release")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    known = dict(line.partition("=")[::2] for line in lines if "=" in line)
    return f"{known.get('ID', 'unknown')} {known.get('VERSION_ID', '')}".replace('"', "").strip()


def memory_mb() -> int:
    """Memory of the host in MiB, or of the control group that it is limited to."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    for path in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if path.is_file() and (text := path.read_text(encoding="ascii").strip()).isdigit():
            return min(total, int(text) // 2**20)
    return total


# What Docker asks of the kernel for an encrypted overlay network; addresses, SPI and key mean nothing.
ESP_STATE = ("src", "127.0.0.2", "dst", "127.0.0.3", "proto", "esp", "spi", "0x70616e6f")
ESP_CIPHER = ("aead", "rfc4106(gcm(aes))", "0x" + "00" * 20, "64")


def esp() -> str:
    """`present` or `missing`; `unknown` where it cannot be tried. Makes a security association, and removes it."""
    add = ["ip", "xfrm", "state", "add", *ESP_STATE, "mode", "transport", *ESP_CIPHER]
    try:
        if subprocess.run(add, capture_output=True, check=False).returncode == 0:
            subprocess.run(["ip", "xfrm", "state", "delete", *ESP_STATE], capture_output=True, check=False)
            return "present"
    except OSError:
        return "unknown"
    return "missing" if os.geteuid() == 0 else "unknown"


def card() -> str:
    """`usable` for an NVIDIA card that Docker can hand out, `alone` without what that takes, or `missing`.

    Docker offers cards where it finds the program of nvidia-container-toolkit.
    """
    if not Path("/dev/nvidiactl").exists():
        return "missing"
    return "usable" if shutil.which("nvidia-container-runtime-hook") else "alone"


def facts(project: str, ports: list[int], address: str, subnet: str, *, try_esp: bool = False) -> dict[str, Any]:
    """What the preflight's assertions read."""
    docker, deployed, own = own_ports(project)
    disk_path = next(path for path in (Path("/var/lib/docker"), Path("/var/lib"), Path("/")) if path.exists())
    return {
        "python_version": platform.python_version(),
        "python": sys.executable,
        "system": system(),
        "machine": platform.machine(),
        "root": os.geteuid() == 0,
        "memory_mb": memory_mb(),
        "disk_path": str(disk_path),
        "disk_free_mb": shutil.disk_usage(disk_path).free // 2**20,
        "docker": docker,
        "deployed": deployed,
        "card": card(),
        "esp": esp() if try_esp else "unknown",
        "ports_taken": [port for port in ports if port not in own and listens(port)],
        "address_there": is_own_address(address),
        "networks_overlapping": overlapping(project, subnet),
    }


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "ports": {"type": "list", "elements": "int", "default": []},
            "address": {"type": "str", "default": "0.0.0.0"},
            "subnet": {"type": "str", "required": True},
            "esp": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    wanted = (module.params[name] for name in ("project", "ports", "address", "subnet"))
    module.exit_json(changed=False, **facts(*wanted, try_esp=module.params["esp"]))


if __name__ == "__main__":
    main()
