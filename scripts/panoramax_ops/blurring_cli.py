"""The commands of `scripts/blurring.py`: pictures on their way through the blurring."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from panoramax_ops.audit import AuditLog
from panoramax_ops.console import out, print_json
from panoramax_ops.database_cli import commands, opened
from panoramax_ops.errors import RefusedError

app = commands(
    "Pictures on their way: what waits to be blurred, what failed and why, and trying it again.",
    "blurring.py -i inventories/local failed",
)


@app.command()
def queue(context: typer.Context) -> None:
    """Show how many pictures of whom wait to be blurred, and how long the oldest has waited."""
    with opened(context) as (_, database):
        waiting = database.picture_queue()
        if context.obj.json:
            print_json([asdict(entry) for entry in waiting])
            return
        table = Table("Shown as", "Waiting", "Of these, tried again later", "Oldest since (UTC)")
        for entry in waiting:
            table.add_row(entry.account, str(entry.waiting), str(entry.failing), entry.oldest[:19])
        out.print(table if waiting else "No picture waits.")


@app.command()
def failed(context: typer.Context) -> None:
    """List the pictures that failed, each with its reason. "broken" means that it is not tried again by itself."""
    with opened(context) as (_, database):
        found = database.failed_pictures()
        if context.obj.json:
            print_json([{**asdict(entry), "picture": str(entry.picture)} for entry in found])
            return
        table = Table("Picture", "Shown as", "File", "State", "Next try (UTC)", "Reason")
        for entry in found:
            table.add_row(
                str(entry.picture), entry.account, entry.file, entry.state, entry.next[:19] or "never", entry.reason
            )
        out.print(table if found else "No picture failed.")


@app.command()
def retry(
    context: typer.Context,
    pictures: Annotated[
        list[UUID] | None, typer.Argument(metavar="[PICTURE]...", help="As `failed` lists them.")
    ] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All broken pictures.")] = False,
) -> None:
    """Have broken pictures tried again, for instance after the blurring was mended or replaced.

    blurring.py -i inventories/local retry --all
    """
    with opened(context) as (inventory, database):
        if bool(pictures) == all_of_them:
            raise RefusedError("Which pictures?", "Name them (blurring.py -i INVENTORY failed), or give --all.")
        queued = database.retry_pictures(None if all_of_them else pictures)
        missing = sorted(set(pictures or []) - set(queued), key=str)
        AuditLog(inventory.state / "accounts.log", database.note).write("retry-pictures", "", pictures=len(queued))
        if context.obj.json:
            print_json({"queued": [str(one) for one in queued], "not_broken": [str(one) for one in missing]})
        else:
            out.print(f"{len(queued)} pictures are in the queue again.")
        if missing:
            names = ", ".join(str(one) for one in missing)
            raise RefusedError(f"Not broken, or not there: {names}.", "See: blurring.py -i INVENTORY failed")
