"""How the scripts talk: tables for people, JSON for machines, errors with their remedy, exit codes 0, 1 and 2."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from panoramax_ops.errors import OpsError

# Tables that go into a file or a pipe are not to be squeezed into the 80 columns of no terminal.
WIDE = 180
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else WIDE)


def print_json(value: Any) -> None:
    """One JSON document on standard output, and nothing else."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


# What a spreadsheet program would take for a formula (or for the start of one after a line end).
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """The cell of a table with an apostrophe before what a spreadsheet program would run."""
    return f"'{cell}" if cell.startswith(FORMULA_MARKS) else cell


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as CSV for spreadsheet programs, with no cell that they would run as a formula."""
    stream = io.StringIO()
    # A byte order mark, without which Excel takes UTF-8 for something else.
    stream.write("\ufeff")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([harmless(str(cell)) for cell in row] for row in rows)
    return stream.getvalue()


def print_csv(rows: list[dict[str, Any]]) -> None:
    """One table on standard output, and nothing else."""
    if rows:
        sys.stdout.write(csv_text(rows[0].keys(), (row.values() for row in rows)))


@contextlib.contextmanager
def reported(inventory: Path | None = None, *, as_json: bool) -> Iterator[None]:
    """End with the exit code of an OpsError raised inside, after having said what is wrong and what to do.

    INVENTORY in a remedy becomes the inventory at hand, so that the command can be copied.
    """
    try:
        yield
    except OpsError as error:
        remedy = error.remedy.replace("INVENTORY", str(inventory or "INVENTORY"))
        if as_json:
            print_json({"error": error.message, "remedy": remedy})
        else:
            err.print(f"[red]{'Refused' if error.exit_code == 1 else 'Failed'}:[/red]", end=" ")
            err.print(error.message, markup=False)
            if remedy:
                err.print(f"  {remedy}", markup=False)
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt as error:
        err.print("Interrupted. Run the same command again: it goes on where it stopped.")
        raise SystemExit(2) from error
