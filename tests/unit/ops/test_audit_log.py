"""The record of what administrators did: whole lines, one after the other, and nobody takes any back unseen."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from panoramax_ops.audit import AuditLog
from panoramax_ops.errors import UnableError


@pytest.fixture
def copies() -> list[str]:
    """What the database keeps."""
    return []


@pytest.fixture
def log(tmp_path: Path, copies: list[str]) -> AuditLog:
    """A record with three lines."""
    book = AuditLog(tmp_path / "state" / "accounts.log", copies.append)
    for name in ("ann", "bob", "cyd"):
        book.write("create", f"{name}@example.org", role="user")
    return book


def lines(log: AuditLog) -> list[str]:
    return log.path.read_text(encoding="utf-8").splitlines()


def put(log: AuditLog, changed: list[str]) -> None:
    log.path.write_text("".join(f"{line}\n" for line in changed), encoding="utf-8")


def test_a_record_that_nobody_touched_is_whole(log: AuditLog, copies: list[str]) -> None:
    assert log.faults(copies) == []
    assert copies == lines(log)
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_changed_line_shows(log: AuditLog, copies: list[str]) -> None:
    put(log, [line.replace("bob@", "eve@") for line in lines(log)])
    assert any("line 2 does not follow" in fault for fault in log.faults(copies))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_removed_line_shows(log: AuditLog, copies: list[str], number: int) -> None:
    left = lines(log)
    del left[number]
    put(log, left)
    assert log.faults(copies), "the last one is missed by the database's copy alone"


def test_a_removed_file_shows(log: AuditLog, copies: list[str]) -> None:
    log.path.unlink()
    assert "3 lines that the database keeps are not in it" in log.faults(copies)[0]


def test_a_line_put_in_by_hand_shows(log: AuditLog, copies: list[str]) -> None:
    forged = json.dumps({"when": "2026-01-01", "who": "x", "action": "enable", "account": "x"})
    put(log, [*lines(log), forged])
    assert log.faults(copies) == ["line 4 was not written by this script"]


def test_a_record_from_before_and_a_torn_line_are_part_of_it(tmp_path: Path) -> None:
    book = AuditLog(tmp_path / "accounts.log")
    old = json.dumps({"when": "2026-01-01", "who": "x", "action": "create", "account": "old@example.org"})
    book.path.write_text(f'{old}\n{{"when": "20', encoding="utf-8")
    book.write("create", "new@example.org")
    book.write("disable", "new@example.org")
    assert [line["account"] for line in book.read()] == ["old@example.org", "new@example.org", "new@example.org"]
    assert book.faults([]) == []
    put(book, [line.replace("old@", "eve@") for line in lines(book)])
    assert book.faults([]) == ["line 3 does not follow from the one before it"]


def test_the_record_of_others_is_read_from_the_database(log: AuditLog, tmp_path: Path, copies: list[str]) -> None:
    other = AuditLog(tmp_path / "other" / "accounts.log", copies.append, me="ops@example.org")
    other.write("disable", "bob@example.org")
    assert [line["action"] for line in log.of("bob@example.org", copies)] == ["create", "disable"]
    assert other.read()[0]["who"].endswith("(ops@example.org)")
    assert log.faults(copies) == other.faults(copies) == []


def test_a_database_that_is_down_does_not_undo_the_line(tmp_path: Path) -> None:
    def down(_: str) -> None:
        raise UnableError("The database is down.")

    book = AuditLog(tmp_path / "accounts.log", down)
    book.write("disable", "bob@example.org")
    assert [line["action"] for line in book.read()] == ["disable"]
    assert book.faults([]) == []


def test_lines_of_many_at_once_follow_each_other(tmp_path: Path) -> None:
    def write(number: int) -> None:
        AuditLog(tmp_path / "accounts.log").write("create", f"p{number}@example.org", why="x" * 500)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(200)))
    book = AuditLog(tmp_path / "accounts.log")
    assert len(book.read()) == 200
    assert book.faults([]) == []
