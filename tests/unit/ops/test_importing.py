"""Imports: planned first, repeated without harm, stopped without loss, and written down safely."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest

from ops_lab import Lab
from panoramax_ops.console import harmless
from panoramax_ops.errors import UnableError
from panoramax_ops.importing import Report, Result, Step, plan, run, table_text
from panoramax_ops.people import NewPerson
from panoramax_ops.people_file import Problem, Row


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An empty site."""
    return Lab(tmp_path)


def rows(*names: str) -> list[Row]:
    return [
        Row(line, NewPerson.checked(f"{name.lower()}@example.org", f"{name} Doe", "user", "en", "", f"G{line % 2}"))
        for line, name in enumerate(names, start=2)
    ]


def do(lab: Lab, wanted: list[Row]) -> Report:
    steps, problems = plan(lab.accounts, wanted)
    assert problems == []
    told: list[Result] = []
    report = run(lab.accounts, steps, told.append)
    assert len(told) == len(steps)
    return report


def test_everybody_gets_an_account_and_one_file_holds_the_letters_by_group(lab: Lab) -> None:
    report = do(lab, rows("Ann", "Bob", "Cyd"))
    assert (report.count("created"), report.stopped, report.letter_count) == (3, "", 3)
    assert report.letters is not None
    assert report.letters.read_bytes().startswith(b"%PDF-")
    text = report.letters.with_suffix(".html").read_text(encoding="utf-8")
    assert text.count("<article") == text.count("</article>") == 3
    assert text.count("<html>") == text.count("</html>") == 1
    assert [text.index(name) for name in ("Ann Doe", "Cyd Doe", "Bob Doe")] == sorted(
        text.index(name) for name in ("Ann Doe", "Cyd Doe", "Bob Doe")
    )
    assert stat.S_IMODE(report.letters.stat().st_mode) == stat.S_IMODE(report.table.stat().st_mode) == 0o600
    passwords = [user["credentials"][0]["value"] for user in lab.keycloak.people.values()]
    assert all(password in text for password in passwords)
    assert not any(password in report.table.read_text(encoding="utf-8") for password in passwords)


def test_repeating_changes_nothing_and_prints_what_is_still_open(lab: Lab) -> None:
    do(lab, rows("Ann", "Bob"))
    lab.keycloak.calls.clear()
    next(iter(lab.keycloak.people.values()))["requiredActions"] = []
    report = do(lab, rows("Ann", "Bob"))
    assert (report.count("kept"), report.letter_count) == (2, 1)
    assert lab.keycloak.calls == []


def test_what_is_there_already_is_compared_and_never_changed(lab: Lab) -> None:
    lab.add("Ann", "admin")
    steps, _ = plan(lab.accounts, rows("Ann"))
    assert (steps[0].action, "set-role ann@example.org user" in steps[0].note) == ("keep", True)


def test_a_name_of_somebody_else_is_found_before_anything_changes(lab: Lab) -> None:
    lab.accounts.create("other@example.org", "Ann Doe", "user", "en")
    steps, problems = plan(lab.accounts, rows("Ann", "Bob"))
    assert [step.row.new.name for step in steps] == ["Bob Doe"]
    assert "other@example.org" in problems[0].problem
    assert "ann.doe2" in problems[0].remedy


def test_a_system_that_goes_down_stops_the_import_and_the_next_one_goes_on(lab: Lab) -> None:
    wanted = rows(*(f"P{number}x" for number in range(20)))
    lab.database.down_after = 5
    report = do(lab, wanted)
    assert "database is down" in report.stopped
    assert report.count("created") == 5
    assert report.count("not reached") > 0
    assert len(lab.keycloak.people) == len(lab.database.rows) == 5, "nothing half done is left"
    lab.database.down_after = None
    again = do(lab, wanted)
    assert (again.count("created"), again.count("kept"), again.letter_count) == (15, 5, 20)


def test_half_an_account_is_finished(lab: Lab) -> None:
    do(lab, rows("Ann"))
    lab.database.rows.clear()
    report = do(lab, rows("Ann"))
    assert (report.count("finished"), report.letter_count) == (1, 1)
    assert len(lab.database.rows) == 1


def test_one_refused_person_does_not_keep_the_others_out(lab: Lab) -> None:
    steps, _ = plan(lab.accounts, rows("Ann", "Bob"))
    lab.accounts.create("quick@example.org", "Ann Doe", "user", "en")  # another administrator, meanwhile
    report = run(lab.accounts, steps, lambda _: None)
    assert (report.count("created"), report.count("failed"), report.stopped) == (1, 1, "")


def test_an_unwritable_directory_for_letters_leaves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise UnableError("The disk is full.")

    monkeypatch.setattr("panoramax_ops.accounts.write", full)
    report = do(lab, rows("Ann"))
    assert "disk is full" in report.stopped
    assert lab.keycloak.people == {}


@pytest.mark.parametrize("cell", ["=cmd()", "+1", "-1", "@x", "\tx", "\r=x"])
def test_no_cell_of_the_results_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless("Jane =x") == "Jane =x"
    row = Row(2, NewPerson("jane@example.org", cell, "jane", "user", "en", cell))
    skipped = Problem(3, "name", repr(cell), "bad", "Correct the cell.")
    text = table_text([Result(Step(row, "create", "jane"), "failed", cell)], [skipped])
    _, cells, left_out = csv.reader(io.StringIO(text, newline=""))
    assert (left_out[0], left_out[6], "bad" in left_out[7]) == ("3", "skipped", True)
    assert [value[:1] for value in (cells[2], cells[5], cells[7])] == ["'"] * 3
