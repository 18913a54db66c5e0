"""The command `scripts/verify.py`."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from panoramax_ops.console import err, out, print_json, reported

Inventory = Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Upload no picture; what needs one is left out.")]
Details = Annotated[bool, typer.Option("--details", help="Print also what was tried.")]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file, too.")]
Metrics = Annotated[Path | None, typer.Option("--metrics", help="Write figures for Prometheus to this file, too.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write the printable report to this file, too.")]


def verify(
    inventory: Inventory,
    as_json: Json = False,
    read_only: ReadOnly = False,
    details: Details = False,
    junit: Junit = None,
    html: Html = None,
    metrics: Metrics = None,
) -> None:
    """Verify a site. Exit code 0: all that was checked holds; 1: a claim is broken; 2: something could not be checked.

    It makes four accounts and one picture of its own, and removes them at the end, also when it is interrupted.
    Reports are kept in state/NAME/reports/.
    """
    # So that the end of a timer's patience removes the accounts too.
    signal.signal(signal.SIGTERM, _interrupt)
    with reported(inventory, as_json=as_json):
        # Ansible and Docker take most of a second to import; --help does not need them.
        from panoramax_ops.verify import metrics as figures
        from panoramax_ops.verify import report as reports
        from panoramax_ops.verify.model import run_stages
        from panoramax_ops.verify.outside import certificate_end_of
        from panoramax_ops.verify.run import plan
        from panoramax_ops.verify.site import open_site

        started, since = datetime.now(UTC), time.monotonic()
        with figures.of_failure(metrics, inventory.name, started), open_site(inventory) as site:
            with err.status("Verifying ...") as status:
                found, ends = reports.versions(site), certificate_end_of(site)
                results = run_stages(
                    plan(read_only=read_only), site, lambda check: status.update(f"{check.claim} {check.title} ...")
                )
            report = reports.Report(
                site=site.title,
                operator=site.operator,
                url=site.url,
                inventory=site.name,
                started=started.isoformat(timespec="seconds"),
                seconds=round(time.monotonic() - since, 1),
                versions=found,
                certificate_ends=ends,
                read_only=read_only,
                results=results,
            )
            # Before the accounts are removed for good: if that fails, what was found must not be lost.
            page = reports.write(report, junit, html, site.state / "reports")
            if metrics:
                figures.write(metrics, site.name, figures.of_report(report))
            if as_json:
                print_json(reports.as_json(report))
            else:
                reports.show(report, out, details=details)
                out.print(f"Report: {page}", markup=False)
    raise typer.Exit(report.exit_code)


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    raise KeyboardInterrupt
