"""`accounts.py log`: what administrators did, and whether the record of it is whole."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table

from panoramax_ops import people
from panoramax_ops.accounts_console import app, opened
from panoramax_ops.audit import MARKS
from panoramax_ops.console import out, print_json, reported
from panoramax_ops.errors import RefusedError


@app.command()
def log(
    context: typer.Context,
    account: Annotated[str, typer.Option(help="Only what was done to this e-mail.")] = "",
    who: Annotated[str, typer.Option(help="Only what this administrator did.")] = "",
    action: Annotated[str, typer.Option(help="Only this command, such as disable.")] = "",
    since: Annotated[str, typer.Option(help="Only from this day on: YYYY-MM-DD.")] = "",
    last: Annotated[int, typer.Option(help="At most so many, the latest.")] = 50,
    verify: Annotated[bool, typer.Option("--verify", help="Check that nobody changed or removed a line.")] = False,
) -> None:
    """Show what administrators did: when, who, what, to whom. All of them: the record lies in the database too.

    accounts.py -i inventories/local log --account jane@example.org
    accounts.py -i inventories/local log --verify
    """
    with reported(context.obj.inventory, as_json=context.obj.json):
        email = people.check_email(account) if account else ""
        _check_day(since)
    with opened(context) as accounts:
        book, copies = accounts.log, accounts.database.notes()
        if verify:
            _verify(book, copies, as_json=context.obj.json)
            return
        wanted = {"who": who, "action": action}
        lines = [
            line
            for line in (book.of(email, copies) if email else book.read(copies))
            if line["when"] >= since and all(not value or line[key] == value for key, value in wanted.items())
        ][-max(last, 1) :]
        if context.obj.json:
            print_json(lines)
            return
        table = Table()
        for title in ("When (UTC)", "Who", "What", "Account", "Details"):
            table.add_column(title, overflow="fold")
        for line in lines:
            cells = (line["when"][:19].replace("T", " "), line["who"], line["action"], line["account"], _rest(line))
            table.add_row(*(str(cell).replace("[", "\\[") for cell in cells))
        out.print(table)


def _check_day(text: str) -> None:
    try:
        if text:
            date.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(f"{people.shown(text)} is not a day.", "Write it as 2026-11-22.") from error


def _verify(book: Any, copies: list[str], *, as_json: bool) -> None:
    faults, number = book.faults(copies), len(book.read())
    if as_json:
        print_json({"file": str(book.path), "lines": number, "faults": faults})
    elif not faults:
        out.print(f"{book.path}: {number} lines, none changed, removed or put in.", markup=False)
    else:
        for fault in faults:
            out.print(f"{book.path}: {fault}.", markup=False)
        out.print("What the database keeps of it cannot be changed by this script: accounts.py log shows that too.")
    if faults:
        raise typer.Exit(1)


def _rest(line: dict[str, Any]) -> str:
    known = ("when", "who", "action", "account", *MARKS)
    return ", ".join(f"{key} {value}" for key, value in line.items() if key not in known and value not in ("", None))
