#!/usr/bin/env python3
"""Stand a site up, or bring it in step with its inventory; then verify it and say where everything is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

import panoramax_ops  # noqa: F401  (enters the virtual environment)

# isort: split
import typer
from rich.console import Console
from rich.table import Table

from panoramax_ops.errors import OpsError, RefusedError, UnableError
from panoramax_ops.inventory import ROOT, Inventory
from panoramax_ops.preflight.inventory import refuse
from panoramax_ops.preflight.role_code import load

console = Console(highlight=False)
BIN = Path(sys.executable).parent


def _run(purpose: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a step in the foreground. Raises RefusedError or UnableError with its exit code's meaning."""
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False)
    if done.returncode == 1 and not command[0].endswith("ansible-playbook"):
        raise RefusedError(f"{purpose} found something that is not as it must be.", "See above.")
    if done.returncode:
        raise UnableError(
            f"{purpose} did not end well (exit {done.returncode}).", "Mend what is said above, run again."
        )


def _script(name: str, inventory: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "scripts" / name), "-i", str(inventory), *arguments]


def deploy(
    inventory: Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")],
    check: Annotated[bool, typer.Option(help="Only show what would change, with the differences.")] = False,
    verify: Annotated[bool, typer.Option(help="Verify the site at the end.")] = True,
) -> None:
    """Deploy the site of an inventory. Safe to repeat, and to run again after an interruption."""
    try:
        _deploy(inventory, check=check, verify=verify)
    except OpsError as error:
        console.print(error.message, style="bold red", markup=False, soft_wrap=True)
        console.print(error.remedy, markup=False, soft_wrap=True)
        raise typer.Exit(error.exit_code) from error


def _deploy(path: Path, *, check: bool, verify: bool) -> None:
    started = time.monotonic()
    refuse(path)
    times: dict[str, float] = {}
    _run("Generating secrets", _script("secrets.py", path))
    # Read again: the secrets may have been missing before.
    inventory = Inventory(path)
    with tempfile.TemporaryDirectory() as directory:
        times_file = Path(directory) / "times.json"
        command = [str(BIN / "ansible-playbook"), "-i", str(path), "playbooks/site.yml"]
        environment = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_CALLBACKS_ENABLED": "part_times",
            "ANSIBLE_DISPLAY_OK_HOSTS": "false",
            "PART_TIMES_FILE": str(times_file),
        }
        _run("The deployment", command + (["--check", "--diff"] if check else []), environment)
        times |= json.loads(times_file.read_text(encoding="utf-8"))
    if check:
        return
    _write_url(inventory)
    since = time.monotonic()
    administrator = _first_administrator(path, inventory)
    times["First administrator"] = time.monotonic() - since
    if verify:
        since = time.monotonic()
        _run("The verification", _script("verify.py", path))
        times["Verification"] = time.monotonic() - since
    _summary(inventory, administrator, times, time.monotonic() - started)


def _write_url(inventory: Inventory) -> None:
    inventory.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (inventory.state / "url").write_text(f"{inventory.require('site_public_url')}\n", encoding="utf-8")


def _first_administrator(path: Path, inventory: Inventory) -> str | None:
    """Have the first administrator. Returns the path of the letter, or None if the account was there before."""
    arguments = ["--json", "create", str(inventory.require("site_admin_email"))]
    arguments += ["--name", str(inventory.require("site_admin_name")), "--role", "admin", "--if-missing"]
    # Whether the mail server works is yet to be seen.
    arguments += ["--letter"]
    arguments += ["--language", str(inventory.get("site_languages", ["en"])[0])]
    done = subprocess.run(
        _script("accounts.py", path, *arguments), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        console.print(done.stdout + done.stderr, markup=False)
        raise UnableError("The first administrator could not be made.", "Mend what is said above, run again.")
    letter = json.loads(done.stdout).get("letter")
    return str(letter) if letter else None


def _summary(inventory: Inventory, letter: str | None, times: dict[str, float], seconds: float) -> None:
    parts = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for part, spent in times.items():
        if spent >= 1:
            parts.add_row(part, f"{spent:.0f} s")
    parts.add_row("In all", f"{seconds:.0f} s", style="bold")
    console.print(parts)
    authority = inventory.state / "ca.crt"
    where = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    where.add_row("The site", str(inventory.require("site_public_url")))
    if inventory.get("site_certificate") == "local_ca":
        where.add_row("Its certificate authority", _relative(authority))
    letters = _relative(letter) if letter else f"made earlier; letters lie in {_relative(inventory.state / 'letters')}"
    where.add_row("First administrator's letter", letters)
    where.add_row("More accounts", f"scripts/accounts.py -i inventories/{inventory.name} create E-MAIL --name NAME")
    where.add_row("Verified by itself", _schedule(inventory))
    console.print(where)


def _schedule(inventory: Inventory) -> str:
    """When the site is verified without anybody asking, or why it is not."""
    if not (calendar := str(inventory.get("site_verify_schedule", ""))):
        return "no: site_verify_schedule is empty"
    role = load("schedule", "library/schedule_jobs.py")
    manager = role.manager()
    if role.kept(Path("/"), inventory.require("site_name")):
        return f"{calendar}, by {manager}"
    if manager is None:
        return f"no: {role.NEITHER}"
    return "no: see Regularly in docs/verify.md"


def _relative(path: Path | str) -> str:
    resolved = Path(path).resolve()
    return str(resolved.relative_to(ROOT)) if resolved.is_relative_to(ROOT) else str(resolved)


if __name__ == "__main__":
    typer.run(deploy)
