"""Give many people accounts: see what would change, then do it, several at a time, and write down what became of each.

Repeating an import changes nothing, and goes on where an interrupted one stopped: what is there already is compared
with the file, never changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from panoramax_ops import people
from panoramax_ops.accounts import Accounts
from panoramax_ops.console import csv_text
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.files import write_private
from panoramax_ops.keycloak import CONNECTIONS
from panoramax_ops.letters import bundle, path_of
from panoramax_ops.people_file import Problem, Row
from panoramax_ops.person import Person

COLUMNS = ("line", "e-mail", "name", "shown as", "role", "group", "result", "note")


@dataclass(frozen=True)
class Step:
    """What is to be done about one person. `action`: create, finish (left half made), or keep (there already).

    `username` is the one that the account has or will have; `new` says that its initial password is still open.
    """

    row: Row
    action: str
    username: str
    note: str = ""
    new: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "line": self.row.line,
            **asdict(self.row.new),
            "username": self.username,
            "action": self.action,
            "note": self.note,
        }


@dataclass(frozen=True)
class Result:
    """What became of one line: created, finished, kept, failed, or not reached."""

    step: Step
    result: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What an import did. `stopped` says why it ended early, or nothing. Paths are None where nothing was written."""

    results: list[Result]
    stopped: str
    table: Path
    letters: Path | None
    letter_count: int

    def count(self, result: str) -> int:
        """How many lines ended so."""
        return sum(found.result == result for found in self.results)


def plan(accounts: Accounts, rows: Iterable[Row]) -> tuple[list[Step], list[Problem]]:
    """What an import would do, and what stands in its way on the site. Changes nothing."""
    everybody = accounts.list()
    by_email = {person.email: person for person in everybody}
    by_username = {person.username: person for person in everybody}
    steps, problems = [], []
    for row in rows:
        person = by_email.get(row.new.email)
        if person is not None:
            action = "finish" if person.state == "incomplete" else "keep"
            note = "" if action == "finish" else _difference(row.new, person)
            steps.append(Step(row, action, person.username, note, person.state in ("new", "incomplete")))
        elif other := by_username.get(row.new.username):
            problems.append(
                Problem(
                    row.line,
                    "name",
                    people.shown(row.new.name),
                    f"Its user name {row.new.username} belongs to {other.email}.",
                    f"Give one in the column username, for example {row.new.username}2.",
                )
            )
        else:
            steps.append(Step(row, "create", row.new.username))
    return steps, problems


def _difference(new: people.NewPerson, person: Person) -> str:
    parts = []
    if new.group and person.group != new.group:
        parts.append(f"is in {person.group or 'no group'}: set-group {person.email} {new.group!r}")
    if person.role != new.role:
        parts.append(f"is {person.role}, not {new.role}: set-role {person.email} {new.role}")
    if person.name != new.name:
        parts.append(f"is called {person.name}: rename {person.email}")
    if person.state == "disabled":
        parts.append(f"is disabled: enable {person.email}")
    return "; ".join(parts)


def run(
    accounts: Accounts,
    steps: list[Step],
    done: Callable[[Result], None],
    skipped: Iterable[Problem] = (),
    workers: int = CONNECTIONS,
    *,
    by_letter: bool = False,
) -> Report:
    """Do the steps, `workers` at a time; `done` is told of each as it ends. `skipped` is only written down.

    `by_letter` wants letters although the site can send mail. A person that Keycloak refuses does not keep the others
    from their accounts. A system that is down, or an interruption, ends the import; what is done is done and stands in
    the report.
    """
    stop = threading.Event()
    ended: dict[int, Result] = {}
    stopped = ""

    def one(step: Step) -> Result:
        if stop.is_set():
            return Result(step, "not reached")
        return _do(accounts, step, by_letter=by_letter)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures: dict[Future[Result], Step] = {pool.submit(one, step): step for step in steps}
        waiting = set(futures)
        while waiting:
            try:
                for future in as_completed(list(waiting)):
                    waiting.discard(future)
                    step = futures[future]
                    try:
                        result = future.result()
                    except UnableError as error:
                        stop.set()
                        stopped = stopped or f"{error.message} {error.remedy}".strip()
                        result = Result(step, "failed", error.message)
                    ended[step.row.line] = result
                    done(result)
            except KeyboardInterrupt:
                stop.set()
                stopped = stopped or "Interrupted."
    results = [ended[step.row.line] for step in steps]
    return _report(accounts, results, skipped, stopped)


def _do(accounts: Accounts, step: Step, *, by_letter: bool) -> Result:
    new = step.row.new
    sent = "a link was sent by mail" if accounts.by_mail(by_letter=by_letter) else ""
    try:
        if step.action == "create":
            accounts.make(new, by_letter=by_letter)
            return Result(step, "created", sent)
        if step.action == "finish":
            accounts.finish(accounts.find(new.email), new, by_letter=by_letter)
            return Result(step, "finished", sent)
    except RefusedError as error:
        return Result(step, "failed", f"{error.message} {error.remedy}".strip())
    return Result(step, "kept", step.note)


def _report(accounts: Accounts, results: list[Result], skipped: Iterable[Problem], stopped: str) -> Report:
    """Write the table of results, and the letters whose passwords are still open as one file, group by group."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    directory = accounts.settings.letters
    table = directory.parent / "imports" / f"{stamp}.csv"
    write_private(table, table_text(results, skipped))
    # Letters of an interrupted run belong to the same errand, as long as their passwords are open.
    made = [found for found in results if found.result in ("created", "finished", "kept") and found.step.new]
    made.sort(key=lambda found: (found.step.row.new.group.casefold(), found.step.row.line))
    target = directory.parent / "imports" / f"{stamp}-letters.pdf"
    count = bundle((path_of(found.step.username, directory) for found in made), target, accounts.settings.site)
    return Report(results, stopped, table, target if count else None, count)


def table_text(results: Iterable[Result], skipped: Iterable[Problem] = ()) -> str:
    """The results as CSV for spreadsheet programs: no passwords, and no cell that they would run as a formula."""
    rows: list[tuple[int, tuple[object, ...]]] = []
    for found in results:
        row, new = found.step.row, found.step.row.new
        cells = (new.email, new.name, found.step.username, new.role, new.group, found.result, found.note)
        rows.append((row.line, (row.line, *cells)))
    for problem in skipped:
        note = f"{problem.column} {problem.value}: {problem.problem} {problem.remedy}".strip()
        rows.append((problem.line, (problem.line, "", "", "", "", "", "skipped", note)))
    return csv_text(COLUMNS, (cells for _, cells in sorted(rows, key=lambda row: row[0])))
