"""Lists of people as spreadsheet programs write them, and everything that can be wrong with them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.people_file import COLUMNS, Problem, Row, read

HEAD = "e-mail;name;role;language;group;username\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Where the file lies."""
    return tmp_path / "people.csv"


def given(path: Path, text: str | bytes) -> tuple[list[Row], list[Problem]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


@pytest.mark.parametrize(
    "text",
    [
        "e-mail,name\njane@example.org,Jane Doe\n",
        "e-mail;name\njane@example.org;Jane Doe",
        "E-Mail\tName\r\njane@example.org\tJane Doe\r\n",
        "\ufeffE-Mail;Display Name;Role\r\n Jane@Example.org ; Jane\u00a0 Doe ;\r\n;;\r\n;;\r\n",
        'sep=;\r\n"email";"name"\r\n"jane@example.org";"Jane Doe";;\r\n',
        '\n\nname,mail\n"Jane Doe",jane@example.org\n',
    ],
)
def test_files_are_taken_as_spreadsheets_write_them(people: Path, text: str) -> None:
    rows, problems = given(people, text)
    assert problems == []
    assert [(row.new.email, row.new.name, row.new.username, row.new.role) for row in rows] == [
        ("jane@example.org", "Jane Doe", "jane.doe", "user")
    ]


def test_all_columns_count(people: Path) -> None:
    rows, _ = given(people, HEAD + "anna@example.org;Anna Müller;ADMIN;de;Field team;\nx@example.org;李明;;;;li.x\n")
    assert [(row.line, row.new.username, row.new.role, row.new.language, row.new.group) for row in rows] == [
        (2, "anna.mueller", "admin", "de", "Field team"),
        (3, "li.x", "user", "en", ""),
    ]


@pytest.mark.parametrize(
    ("line", "column", "part"),
    [
        ("jane;Jane Doe", "e-mail", "'jane'"),
        (";Jane Doe", "e-mail", "''"),
        ("jane@mailinator.com;Jane Doe", "e-mail", "throw-away"),
        ("jane@sub.yopmail.com;Jane Doe", "e-mail", "throw-away"),
        ("jane@example.org;", "name", "between 2 and 80"),
        ("jane@example.org;jane@example.org", "name", "looks like an e-mail"),
        ("jane@example.org;=cmd()", "name", "'='"),
        ("jane@example.org;Иван", "name", "No user name"),
        ("jane@example.org;Jane Doe;root", "role", "'root'"),
        ("jane@example.org;Jane Doe;user;it", "language", "'it'"),
        ("jane@example.org;Jane Doe;user;en;" + "g" * 81, "group", "80"),
        ("jane@example.org;Jane Doe;user;en;;Jane Doe", "username", "'Jane Doe'"),
        ("jane@example.org;Jane; Doe", "role", "'doe'"),
        ("jane@example.org;Jane Doe;user;en;;;rest", "", "7 cells"),
        ("jane@example.org;" + "x" * 1_000_000, "name", "1000000 characters"),
    ],
)
def test_a_bad_line_is_named_with_value_and_remedy(people: Path, line: str, column: str, part: str) -> None:
    rows, problems = given(people, f"{HEAD}bob@example.org;Bob Roe\n{line}\n")
    assert [row.new.email for row in rows] == ["bob@example.org"]
    assert [(problem.line, problem.column) for problem in problems] == [(3, column)]
    assert part in problems[0].problem
    assert problems[0].remedy
    assert len(problems[0].problem) + len(problems[0].value) < 300


def test_every_problem_is_found_at_once(people: Path) -> None:
    _, problems = given(people, f"{HEAD}jane;=x;boss;xx\n\nbob;Bob Roe\n")
    assert [(problem.line, problem.column) for problem in problems] == [
        (2, "e-mail"),
        (2, "name"),
        (2, "role"),
        (2, "language"),
        (4, "e-mail"),
    ]


def test_the_same_person_twice_is_a_problem_of_the_second_line(people: Path) -> None:
    rows, problems = given(
        people, HEAD + "jane@example.org;Jane Doe\n JANE@example.org ;Janet Doe\nj2@example.org;Jane  DOE\n"
    )
    assert [row.line for row in rows] == [2]
    assert [(problem.line, problem.column) for problem in problems] == [(3, "e-mail"), (4, "name")]
    assert "jane.doe2" in problems[1].remedy


def test_lines_are_counted_as_editors_do(people: Path) -> None:
    _, problems = given(people, 'sep=;\ne-mail;name\n"jane@example.org";"Jane\nDoe"\nbad;Bob Roe\n')
    assert [problem.line for problem in problems] == [5]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "names nobody"),
        (b"\r\n;;\r\n", "names nobody"),
        (b"e-mail;name\r\n", "names nobody"),
        (b"jane@example.org;Jane Doe\n", "no column e-mail"),
        (b"e-mail;full name\n", "unknown column 'full name'"),
        (b"e-mail;name;Name\n", "column name twice"),
        ("e-mail;name\nanna@example.org;Anna Müller\n".encode("latin-1"), "line 2"),
        ("e-mail;name\n".encode("utf-16"), "not UTF-8"),
        (b"e-mail;name\x00\n", "zero bytes"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b'e-mail;name\n"jane@example.org;Jane Doe\n', "quotes"),
        (b"e-mail;name\n" + b"x" * 10_000_001, "10 MB"),
    ],
)
def test_a_file_of_no_use_is_refused_with_a_remedy(people: Path, content: bytes, part: str) -> None:
    with pytest.raises(RefusedError) as refused:
        given(people, content)
    assert part in refused.value.message
    assert refused.value.remedy


def test_a_missing_file_is_said(people: Path) -> None:
    with pytest.raises(UnableError, match="cannot be read"):
        read(people)


def test_ten_thousand_lines_are_read_in_a_second_or_two(people: Path) -> None:
    lines = "".join(f"p{number}@example.org;Person {number}\n" for number in range(10_000))
    started = time.monotonic()
    rows, problems = given(people, HEAD + lines)
    assert (len(rows), problems) == (10_000, [])
    assert time.monotonic() - started < 10
    assert len(COLUMNS) == 6
