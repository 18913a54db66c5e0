"""The commands of `scripts/detections.py`: the operator's own detection models."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from panoramax_ops.audit import AuditLog
from panoramax_ops.console import err, out, print_json
from panoramax_ops.database import Database, Detector
from panoramax_ops.database_cli import commands, opened
from panoramax_ops.errors import RefusedError, UnableError

app = commands(
    "The operator's own detection models: how far they are, running them again, taking their tags away.",
    "detections.py -i inventories/local status",
)
LOOK_SECONDS = 2.0
# Without a single look in this time, something is wrong that waiting does not mend.
STANDSTILL_SECONDS = 600.0
# After so many, a picture is next tried ten minutes later or more (roles/api/files/launcher/detecting.py).
SOON_TRIES = 2
Named = Annotated[str | None, typer.Option("--detector", metavar="NAME", help="Only this one; else all.")]


def _known(database: Database, name: str | None) -> list[Detector]:
    """The detectors meant. Raises RefusedError if there is none of that name, or none at all."""
    detectors = database.detectors()
    if not detectors:
        raise RefusedError(
            "The site has no detectors.", "Declare some in site_detectors (docs/detection.md), and deploy."
        )
    chosen = [one for one in detectors if name in (None, one.name)]
    if not chosen:
        names = ", ".join(one.name for one in detectors)
        raise RefusedError(f"There is no detector {name}.", f"The site's detectors are: {names}.")
    return chosen


@app.command()
def status(context: typer.Context) -> None:
    """Show how far each detector is, and how much it found."""
    with opened(context) as (_, database):
        detectors = database.detectors()
        if context.obj.json:
            print_json([asdict(one) for one in detectors])
            return
        table = Table("Detector", "Version", "Pictures", "Done", "Waiting", "Failed", "Found", "Last look (UTC)")
        for one in detectors:
            numbers = (str(number) for number in (one.pictures, one.done, one.waiting, one.failed, one.found))
            table.add_row(one.name, one.version, *numbers, "rests" if one.resting else one.last[:19])
        out.print(table if detectors else "The site has no detectors.")


@app.command()
def failed(context: typer.Context) -> None:
    """List the pictures that detectors failed at, each with the reason."""
    with opened(context) as (_, database):
        found = database.failed_detections()
        if context.obj.json:
            print_json([{**asdict(entry), "picture": str(entry.picture)} for entry in found])
            return
        table = Table("Picture", "Detector", "Tries", "Next try (UTC)", "Reason")
        for entry in found:
            table.add_row(
                str(entry.picture), entry.detector, str(entry.tries), entry.next[:19] or "never", entry.reason
            )
        out.print(table if found else "No detector failed at a picture.")


@app.command()
def run(
    context: typer.Context,
    detector: Named = None,
    again: Annotated[bool, typer.Option("--again", help="Also over pictures that it has looked at.")] = False,
    follow: Annotated[bool, typer.Option(help="Show the progress until it is done.")] = True,
) -> None:
    """Have detectors look at the pictures that they have not looked at or failed at, and show the progress.

    Interrupting this changes nothing: the site goes on by itself, and another `run` shows how far it is.

    detections.py -i inventories/local run --detector text --again
    """
    with opened(context) as (inventory, database):
        _known(database, detector)
        waiting = database.run_detectors(detector, again)
        log = AuditLog(inventory.state / "accounts.log", database.note)
        log.write("run-detectors", "", detector=detector or "all", again=again, pictures=waiting)
        if follow and waiting:
            try:
                _follow(database, detector, waiting, quiet=context.obj.json)
            except KeyboardInterrupt:
                err.print(f"The site goes on by itself. How far it is: detections.py -i {context.obj.inventory} run")
                raise typer.Exit(130) from None
        chosen = _known(database, detector)
        if context.obj.json:
            print_json({"queued": waiting, "detectors": [asdict(one) for one in chosen]})
        else:
            for one in chosen:
                rest = f", {one.waiting} wait" if one.waiting else ""
                out.print(
                    f"{one.name}/{one.version}: {one.found} found on {one.done} pictures, {one.failed} failed{rest}."
                )
        if follow and (any(one.failed for one in chosen) or _later(database, detector)):
            raise RefusedError(
                "Some pictures could not be looked at.",
                "For the reasons, and which of them are tried again: detections.py -i INVENTORY failed",
            )


def _later(database: Database, name: str | None) -> int:
    """How many pictures wait for a try that is far off."""
    failed = (one for one in database.failed_detections() if name in (None, one.detector))
    return sum(bool(one.next) and one.tries > SOON_TRIES for one in failed)


def _follow(database: Database, name: str | None, total: int, *, quiet: bool) -> None:
    """Show the progress until nothing waits that is looked at soon.

    Raises:
        UnableError: nothing happened for ten minutes.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    moved, left = time.monotonic(), total
    with Progress(*columns, console=err, disable=quiet) as progress:
        task = progress.add_task("Pictures", total=total)
        while True:
            waiting = sum(one.waiting for one in database.detectors() if name in (None, one.name))
            if waiting != left:
                moved, left = time.monotonic(), waiting
            # Pictures that come meanwhile are looked at too.
            total = max(total, waiting)
            progress.update(task, total=total, completed=total - waiting)
            if waiting <= _later(database, name):
                return
            if time.monotonic() - moved > STANDSTILL_SECONDS:
                raise UnableError(
                    f"{waiting} pictures wait, and none was looked at for ten minutes.",
                    "See: docker logs SITE-detector, docker logs SITE-detection, scripts/blurring.py queue, "
                    "and detections.py -i INVENTORY failed",
                )
            time.sleep(LOOK_SECONDS)


@app.command()
def remove(context: typer.Context, name: Annotated[str, typer.Argument(metavar="DETECTOR")]) -> None:
    """Take away all tags of a detector. It rests until `run --detector`, or until its version changes.

    To be rid of it for good, take it out of site_detectors and deploy, which does the same.
    """
    with opened(context) as (inventory, database):
        _known(database, name)
        pictures, tags = database.rest_detector(name)
        log = AuditLog(inventory.state / "accounts.log", database.note)
        log.write("remove-detections", "", detector=name, pictures=pictures, tags=tags)
        if context.obj.json:
            print_json({"detector": name, "pictures": pictures, "tags": tags})
        else:
            out.print(f"{tags} tags of {name} on {pictures} pictures are gone. It rests now.")
