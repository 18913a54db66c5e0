"""`accounts.py import`: accounts for everybody in a CSV file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from panoramax_ops import people
from panoramax_ops.accounts_console import ByLetter, Language, app, opened
from panoramax_ops.console import err, out, print_json
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.importing import Report, Result, Step, plan, run
from panoramax_ops.people_file import Problem, read

PREVIEW = 20
WORDS = {"create": "new account", "finish": "complete", "keep": "there already"}


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="PEOPLE.CSV", help="Columns: e-mail, name, role, language, group.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out instead of refusing all.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    language: Language = "en",
    letter: ByLetter = False,
) -> None:
    """Create accounts for everybody in a CSV file, with one printable file of letters.

    Where the site can send mail, everybody gets a link to set a password instead.

    All lines are checked first. Repeating changes nothing, and goes on where an interrupted import stopped.

    accounts.py -i inventories/local import people.csv
    """
    with opened(context) as accounts:
        people.check_language(language)
        rows, problems = read(file, language)
        steps, taken = plan(accounts, rows)
        problems = sorted([*problems, *taken], key=lambda found: found.line)
        as_json = context.obj.json
        if problems and not as_json:
            _show_problems(problems)
        if problems and not skip_bad:
            if as_json:
                print_json({"error": "Nothing was changed.", "problems": [problem.as_dict() for problem in problems]})
                raise typer.Exit(1)
            raise RefusedError(
                f"{len({problem.line for problem in problems})} of {file}'s lines cannot be used; nothing was changed.",
                "Correct them, or leave them out: --skip-bad",
            )
        if not as_json:
            _show_plan(steps)
        changes = [step for step in steps if step.action != "keep"]
        if dry_run:
            if as_json:
                print_json({"plan": [step.as_dict() for step in steps], "problems": [p.as_dict() for p in problems]})
            return
        if changes and not yes:
            if as_json:
                raise RefusedError("Nothing was changed: nobody was asked.", "Add --yes, or --dry-run to see the plan.")
            if not typer.confirm(f"Create {len(changes)} accounts?"):
                raise typer.Exit(1)
        report = _run(accounts, steps, problems, quiet=as_json, by_letter=letter)
        _finish(report, problems, as_json=as_json)


def _show_problems(problems: list[Problem]) -> None:
    table = Table(title="What has to be corrected")
    for title in ("Line", "Column", "Problem", "Remedy"):
        table.add_column(title, overflow="fold")
    for problem in problems:
        table.add_row(str(problem.line), problem.column, _plain(problem.problem), _plain(problem.remedy))
    err.print(table)


def _show_plan(steps: list[Step]) -> None:
    shown = [step for step in steps if step.action != "keep" or step.note]
    if shown:
        table = Table()
        for title in ("Line", "E-mail", "Name", "Shown as", "Role", "Group", "What"):
            table.add_column(title, overflow="fold")
        for step in shown[:PREVIEW]:
            new = step.row.new
            what = WORDS[step.action] + (f"; {step.note}" if step.note else "")
            cells = (str(step.row.line), new.email, new.name, step.username, new.role, new.group, what)
            table.add_row(*(_plain(cell) for cell in cells))
        out.print(table)
    if len(shown) > PREVIEW:
        out.print(f"... and {len(shown) - PREVIEW} more.")
    counted = Counter(step.action for step in steps)
    out.print(", ".join(f"{WORDS[action]}: {counted[action]}" for action in WORDS if counted[action]))


def _run(accounts: Any, steps: list[Step], problems: list[Problem], *, quiet: bool, by_letter: bool) -> Report:
    columns = (TextColumn("Accounts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet, transient=True) as progress:
        task = progress.add_task("", total=len(steps))

        def done(_: Result) -> None:
            progress.advance(task)

        return run(accounts, steps, done, problems, by_letter=by_letter)


def _finish(report: Report, problems: list[Problem], *, as_json: bool) -> None:
    counted = Counter(result.result for result in report.results)
    if as_json:
        print_json(
            {
                "counts": dict(counted),
                "stopped": report.stopped,
                "results": str(report.table),
                "letters": str(report.letters) if report.letters else None,
                "letter_count": report.letter_count,
                "failed": [
                    {**found.step.as_dict(), "note": found.note} for found in report.results if found.result == "failed"
                ],
                "skipped": [asdict(problem) for problem in problems],
            }
        )
    else:
        out.print(", ".join(f"{result}: {number}" for result, number in sorted(counted.items())) or "Nothing to do.")
        for found in report.results:
            if found.result == "failed":
                out.print(f"  line {found.step.row.line}, {found.step.row.new.email}: {found.note}", markup=False)
        out.print(f"Results: {report.table}", markup=False)
        if report.letters:
            out.print(
                f"Letters: {report.letters} ({report.letter_count}, a page each; also as .html; print, then delete)",
                markup=False,
            )
    if report.stopped:
        if not as_json:
            raise UnableError(
                f"Stopped early: {report.stopped}", "Then run the same import again: it goes on where it stopped."
            )
        raise typer.Exit(2)
    if counted["failed"] or problems:
        raise typer.Exit(1)


def _plain(text: str) -> str:
    """Text that a table shows as it is."""
    return text.replace("[", "\\[")
