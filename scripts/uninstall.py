#!/usr/bin/env python3
"""Remove a site: containers, networks, images, configuration, and (asked for) its pictures and accounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

import panoramax_ops  # noqa: F401  (enters the virtual environment)

# isort: split
import typer
from rich.console import Console

from panoramax_ops.errors import OpsError
from panoramax_ops.inventory import ROOT, Inventory

console = Console(highlight=False)


def uninstall(
    inventory: Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")],
    yes: Annotated[bool, typer.Option("--yes", help="Remove pictures and accounts without asking.")] = False,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep pictures, accounts and secrets.")] = False,
    keep_images: Annotated[bool, typer.Option("--keep-images", help="Keep the images built on the hosts.")] = False,
) -> None:
    """Remove the site of an inventory. Its settings stay; its secrets go with the data that they open."""
    try:
        opened = Inventory(inventory)
        project = opened.require("site_name")
    except OpsError as error:
        console.print(f"[bold red]{error.message}[/] {error.remedy}")
        raise typer.Exit(error.exit_code) from error
    data = not keep_data and (yes or _confirmed(project))
    if not data and not keep_data:
        console.print("Nothing was removed. To remove the site but keep its data: --keep-data")
        raise typer.Exit(1)
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            str(inventory),
            "playbooks/uninstall.yml",
            "-e",
            f'{{"container_uninstall_data": {str(data).lower()}, "images_uninstall": {str(not keep_images).lower()}}}',
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_DISPLAY_OK_HOSTS": "false"},
        check=False,
    )
    if done.returncode:
        console.print("[bold red]The site could not be removed completely.[/] Mend what is said above, run again.")
        raise typer.Exit(2)
    if data:
        shutil.rmtree(opened.state, ignore_errors=True)
        (opened.directory / "group_vars" / "all" / "secrets.yml").unlink(missing_ok=True)
    console.print(f"{project} is removed{'' if data else '; its pictures, accounts and secrets are still there'}.")


def _confirmed(project: str) -> bool:
    """Whether a person typed the site's name. Without a terminal nobody did."""
    if not sys.stdin.isatty():
        return False
    console.print(f"[bold red]All pictures and accounts of {project} will be removed for good.[/]")
    return bool(typer.prompt(f"Type {project} to go on", default="") == project)


if __name__ == "__main__":
    typer.run(uninstall)
