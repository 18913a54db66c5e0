"""The commands of `scripts/blurring.py`: pictures on their way through the blurring."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from panoramax_ops.audit import AuditLog
from panoramax_ops.console import out, print_json, reported
from panoramax_ops.errors import RefusedError

app = typer.Typer(
    help="Pictures on their way: what waits to be blurred, what failed and why, and trying it again.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: blurring.py -i inventories/local failed",
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@dataclass
class Context:
    """What stands before the command."""

    inventory: Path
    json: bool


@app.callback()
def main(
    context: typer.Context,
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Keep the options for the command."""
    context.obj = Context(inventory, as_json)


@contextlib.contextmanager
def _opened(context: typer.Context) -> Iterator[Any]:
    """The site's inventory and database, with errors reported as the caller asked for."""
    options: Context = context.obj
    with reported(options.inventory, as_json=options.json):
        # Ansible takes most of a second to import; --help does not need it.
        from panoramax_ops.opening import open_database

        with open_database(options.inventory) as opened:
            yield opened


@app.command()
def queue(context: typer.Context) -> None:
    """Show how many pictures of whom wait to be blurred, and how long the oldest has waited."""
    with _opened(context) as (_, database):
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
    with _opened(context) as (_, database):
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
    with _opened(context) as (inventory, database):
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
