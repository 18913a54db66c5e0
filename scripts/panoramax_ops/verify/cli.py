"""The command `scripts/verify.py`."""

from __future__ import annotations

import signal
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.table import Table

from panoramax_ops.console import err, out, print_json, reported
from panoramax_ops.verify.model import CLAIMS, Result, Verdict, exit_code, run_stages

STYLES = {Verdict.HOLDS: "green", Verdict.BROKEN: "bold red", Verdict.UNKNOWN: "yellow", Verdict.NOT_COVERED: "dim"}


def verify(
    inventory: Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Upload no picture.")] = False,
) -> None:
    """Verify a site. Exit code 0: all claims hold; 1: one is broken; 2: something could not be checked.

    It makes four accounts and one picture of its own, and removes them at the end, also when it is interrupted.
    """
    # So that the end of a timer's patience removes the accounts too.
    signal.signal(signal.SIGTERM, _interrupt)
    with reported(inventory, as_json=as_json):
        # Ansible and Docker take most of a second to import; --help does not need them.
        from panoramax_ops.verify.run import plan
        from panoramax_ops.verify.site import open_site

        with open_site(inventory) as site, err.status("Verifying ...") as status:
            results = run_stages(
                plan(read_only=read_only), site, lambda check: status.update(f"{check.claim} {check.title} ...")
            )
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        show(results)
    raise typer.Exit(exit_code(results))


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    raise KeyboardInterrupt


def show(results: list[Result]) -> None:
    """Print the results to read at a glance, by claim."""
    for claim, sentence in CLAIMS.items():
        if not (found := [result for result in results if result.claim == claim]):
            continue
        out.print(f"[bold]{claim}[/] {sentence}")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        table.add_column(no_wrap=True)
        table.add_column(ratio=2)
        table.add_column(ratio=3)
        for result in found:
            table.add_row(f"[{STYLES[result.verdict]}]{result.verdict}[/]", result.title, result.evidence)
        out.print(table)
