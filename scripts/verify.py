#!/usr/bin/env python3
"""Prove that a deployed site is private: from outside as an anonymous caller, and from inside its containers."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

import typer
from rich.console import Console
from rich.table import Table

from panoramax_ops.access import Access
from panoramax_ops.errors import OpsError
from panoramax_ops.inventory import ROOT, Inventory
from panoramax_ops.verify import inside, outside
from panoramax_ops.verify.model import CLAIMS, Check, Result, Target, Verdict, exit_code, run_checks

console = Console(highlight=False)
STYLES = {Verdict.HOLDS: "green", Verdict.BROKEN: "bold red", Verdict.UNKNOWN: "yellow"}


def verify(
    inventory: Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Verify a site. Exit code 0: all claims hold; 1: one is broken; 2: something could not be checked."""
    try:
        opened = Inventory(inventory)
        authority = opened.state / "ca.crt"
        target = Target(
            url=opened.require("site_public_url"),
            ca=authority if opened.get("site_certificate") == "local_ca" else None,
            project=opened.require("site_name"),
            realm=str(opened.get("keycloak_realm", "panoramax")),
            policy=ROOT / "roles" / "proxy" / "files" / "policy.yml",
        )
        with Access(opened.host("app"), target.project) as access:
            checks = (*outside.CHECKS, *inside.checks(access.engine))
            if as_json:
                results = run_checks(checks, target, _silent)
            else:
                with console.status("Verifying ...") as status:
                    results = run_checks(checks, target, lambda check: status.update(f"{check.title} ..."))
    except OpsError as error:
        console.print(f"[bold red]{error.message}[/] {error.remedy}")
        raise typer.Exit(error.exit_code) from error
    if as_json:
        typer.echo(json.dumps([asdict(result) for result in results], indent=2))
    else:
        _print(results)
    raise typer.Exit(exit_code(results))


def _silent(check: Check) -> None:
    del check


def _print(results: list[Result]) -> None:
    for claim, sentence in CLAIMS.items():
        found = [result for result in results if result.claim == claim]
        if not found:
            continue
        console.print(f"[bold]{claim}[/] {sentence}")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        for result in found:
            table.add_row(f"[{STYLES[result.verdict]}]{result.verdict}[/]", result.title, result.evidence)
        console.print(table)


if __name__ == "__main__":
    typer.run(verify)
