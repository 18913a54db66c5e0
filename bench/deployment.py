#!/usr/bin/env python3
"""How long a deployment takes, and what memory the stack takes: from nothing, with images present, without a change.

Deploys an inventory of its own (ports 19443 and 19080) and removes it again. With --from-nothing the images that are
built on the host are removed before, which needs that no other site runs from them.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

# At the end: scripts/secrets.py has the name of a standard module.
sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))

from panoramax_ops.scratch import write_inventory

ROOT = Path(__file__).resolve().parents[1]
INVENTORY = ROOT / "inventories" / "bench"
SETTINGS = """---
site_name: panoramax-bench
site_domain: localhost
site_bind_address: 127.0.0.1
site_https_port: 19443
site_http_port: 19080
site_back_subnet: 172.30.79.0/24
site_operator: The benchmark
site_contact: bench@example.org
site_admin_email: bench@example.org
site_admin_name: Bench Administrator
"""
console = Console()


def timed(*command: str) -> float:
    """Seconds that a command takes. Raises CalledProcessError, with its output printed, if it fails."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        console.print(done.stdout[-4000:], markup=False)
        done.check_returncode()
    return time.monotonic() - started


def memory() -> dict[str, tuple[str, str]]:
    """Service to (used, limit), as Docker reports them."""
    lines = subprocess.run(
        ["docker", "stats", "--no-stream", "--format", "{{json .}}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = {}
    for line in lines:
        row = json.loads(line)
        if row["Name"].startswith("panoramax-bench-"):
            used, limit = row["MemUsage"].split(" / ")
            found[row["Name"].removeprefix("panoramax-bench-")] = (used, limit)
    return dict(sorted(found.items()))


def machine() -> str:
    """The machine in a few words."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.+)$", cpuinfo, re.MULTILINE)
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), {gib:.0f} GiB"


def main(
    from_nothing: Annotated[bool, typer.Option(help="Remove the built images before, and build them anew.")] = False,
    keep: Annotated[bool, typer.Option(help="Leave the site standing.")] = False,
) -> None:
    """Measure, and print two Markdown-like tables."""
    write_inventory(INVENTORY.name, SETTINGS)
    inventory = f"INVENTORY={INVENTORY.relative_to(ROOT)}"
    uninstall = ("make", "uninstall", inventory, "CONFIRM=yes")
    times = Table("what", "seconds", title=machine())
    if from_nothing:
        timed(*uninstall)
        times.add_row("make deploy, from nothing (images built)", f"{timed('make', 'deploy', inventory):.0f}")
        timed(*uninstall[:3], "CONFIRM=yes", "ARGS=--keep-images")
    times.add_row("make deploy, images present", f"{timed('make', 'deploy', inventory):.0f}")
    times.add_row("make deploy, nothing to change", f"{timed('make', 'deploy', inventory):.0f}")
    playbook = (str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(INVENTORY), "playbooks/site.yml")
    os.environ["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")
    times.add_row("ansible-playbook alone, nothing to change", f"{timed(*playbook):.0f}")
    console.print(times)
    used = Table("service", "memory", "limit", title="idle, after the verification")
    for service, (amount, limit) in memory().items():
        used.add_row(service, amount, limit)
    console.print(used)
    if not keep:
        timed(*uninstall[:3], "CONFIRM=yes", "ARGS=--keep-images")
        shutil.rmtree(INVENTORY)
    sys.exit(0)


if __name__ == "__main__":
    typer.run(main)
