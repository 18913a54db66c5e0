"""Wrong inventories made of refusals.yml, run, and compared: what was said, and that nothing was changed."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import yaml

from conftest import ROOT, SETTINGS
from panoramax_ops.scratch import write_inventory

PROJECT = "panoramax-refused"
BASE: dict[str, Any] = yaml.safe_load(SETTINGS) | {
    "site_name": PROJECT,
    "site_https_port": 18543,
    "site_http_port": 18180,
    "site_back_subnet": "172.30.79.0/24",
}
GROUPS = ("proxy", "app", "workers", "blurring", "database")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "refusals.yml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Run:
    """How a run ended."""

    code: int
    output: str
    seconds: float


def slug(name: str) -> str:
    """Name of a case as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def filled(value: Any, fillings: dict[str, str]) -> Any:
    """A value of refusals.yml with its {files}, {port} and {subnet} replaced; a number stays one."""
    if isinstance(value, str):
        for name, text in fillings.items():
            if value == f"{{{name}}}" and text.isdigit():
                return int(text)
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, list):
        return [filled(entry, fillings) for entry in value]
    return {key: filled(entry, fillings) for key, entry in value.items()} if isinstance(value, dict) else value


def write(case: dict[str, Any], fillings: dict[str, str], secrets: str) -> Path:
    """Make the inventory of a case. Returns its directory."""
    settings = {key: value for key, value in BASE.items() if key not in case.get("remove", [])}
    settings |= filled(case.get("set", {}), fillings)
    text = yaml.safe_dump(settings, sort_keys=False) + case.get("text", "") + "\n"
    inventory = write_inventory(f"e2e-refused-{slug(case['name'])}", text)
    (inventory / "group_vars" / "all" / "secrets.yml").write_text(secrets, encoding="utf-8")
    groups = {name: ["localhost"] for name in GROUPS} | case.get("hosts", {})
    names = sorted({host for hosts in groups.values() for host in hosts})
    variables = LOCAL | case.get("host_variables", {})
    # Several hosts must know each other's addresses.
    addresses = {name: {"ansible_host": f"192.0.2.{n}"} for n, name in enumerate(names) if len(names) > 1}
    hosts = {
        "all": {
            "hosts": {name: variables | addresses.get(name, {}) for name in names},
            "children": {group: {"hosts": {host: {} for host in hosts}} for group, hosts in groups.items()},
        }
    }
    (inventory / "hosts.yml").write_text(case.get("hosts_text") or yaml.safe_dump(hosts), encoding="utf-8")
    return inventory


def write_together(cases: list[dict[str, Any]], fillings: dict[str, str], secrets: str) -> tuple[Path, dict[str, str]]:
    """One inventory with a right host and a wrong one for each case. Returns it, and the hosts by name of the case."""
    inventory = write({"name": "together"}, fillings, secrets)
    path = inventory / "hosts.yml"
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    hosts = {case["name"]: f"case{number:03}" for number, case in enumerate(cases)}
    definition["all"]["hosts"]["localhost"]["ansible_host"] = "192.0.2.250"
    for number, case in enumerate(cases):
        own = LOCAL | {"ansible_host": f"192.0.2.{number}"}
        definition["all"]["hosts"][hosts[case["name"]]] = own | filled(case["set"], fillings)
        definition["all"]["children"]["workers"]["hosts"][hosts[case["name"]]] = {}
    path.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")
    return inventory, hosts


def complaints(case: dict[str, Any], fillings: dict[str, str], inventory: Path, output: str) -> list[str]:
    """What the refusal lacks, or shows though it must not."""
    said = " ".join(output.split())
    wanted = [filled(word, fillings) for word in case["says"]]
    if not case.get("on_host"):
        lines = (inventory / "group_vars" / "all" / "site.yml").read_text(encoding="utf-8").splitlines()
        for name in list(case.get("set", {}))[:1]:
            number = next(index for index, line in enumerate(lines, start=1) if line.startswith(f"{name}:"))
            wanted.append(f"site.yml:{number}")
    found = [f"{word!r} is not said" for word in wanted if word not in said]
    return found + [f"{word!r} is shown" for word in case.get("never", []) if word in said]


def playbook(inventory: Path, *arguments: str) -> Run:
    """Run the playbook itself, without what `make deploy` does before it."""
    command = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), "-i", str(inventory), "playbooks/site.yml"]
    return timed([*command, *arguments])


def timed(command: list[str]) -> Run:
    """Run a command in the repository."""
    since = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return Run(done.returncode, done.stdout, time.monotonic() - since)


def remove(inventory: Path) -> None:
    """Remove the inventory of a case."""
    shutil.rmtree(inventory)
    shutil.rmtree(ROOT / "state" / inventory.name, ignore_errors=True)


def state(inventories: list[Path]) -> dict[str, Any]:
    """What a refused deployment must leave as it was: the site's part of the engine, its files, the inventories."""
    found: dict[str, Any] = {"configuration": Path("/etc/private-panoramax", PROJECT).exists()}
    for inventory in inventories:
        found[inventory.name] = {
            str(path.relative_to(inventory)): path.read_bytes() for path in inventory.rglob("*") if path.is_file()
        }
        found[f"state of {inventory.name}"] = (ROOT / "state" / inventory.name).exists()
    try:
        engine = docker.from_env()
    except docker.errors.DockerException:
        return found
    label: dict[str, str | list[str] | bool] = {"label": f"org.private-panoramax={PROJECT}"}
    found["containers"] = [container.id for container in engine.containers.list(all=True, filters=label)]
    found["networks"] = [network.id for network in engine.networks.list(filters=label)]
    found["volumes"] = [volume.id for volume in engine.volumes.list(filters=label)]
    return found
