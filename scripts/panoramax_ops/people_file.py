"""Read a list of people from a CSV file, as spreadsheet programs write them, and find everything wrong with it at once.

Nothing here asks a server. Taken as they come: UTF-8 with or without a byte order mark, commas, semicolons or tabs, a
first line `sep=;`, empty lines at the end, headings in any case.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from panoramax_ops import people
from panoramax_ops.errors import RefusedError, UnableError

# Heading as people write it, to the name of the column.
HEADINGS = {
    "e-mail": "e-mail",
    "email": "e-mail",
    "mail": "e-mail",
    "e-mail address": "e-mail",
    "email address": "e-mail",
    "name": "name",
    "display name": "name",
    "role": "role",
    "language": "language",
    "group": "group",
    "username": "username",
    "user name": "username",
}
REQUIRED = ("e-mail", "name")
COLUMNS = ("e-mail", "name", "role", "language", "group", "username")
DELIMITERS = ",;\t"
MOST_BYTES = 10_000_000
MOST_PEOPLE = 20_000
CELL_LENGTH = 300
REMEDY_ENCODING = 'Save it as "CSV UTF-8 (comma delimited)", or in LibreOffice with the character set UTF-8.'


@dataclass(frozen=True)
class Problem:
    """Something that a person has to mend in the file. `line` counts from 1, as editors do."""

    line: int
    column: str
    value: str
    problem: str
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """One person of the file."""

    line: int
    new: people.NewPerson


def read(path: Path, language: str = "en") -> tuple[list[Row], list[Problem]]:
    """The good rows, and all that is wrong with the others.

    `language` counts where the file names none. Raises RefusedError if the file as a whole cannot be used.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    for line, cells, wrong in _cells(_text(path)):
        found = [*wrong, *_too_long(line, cells)]
        if not found:
            row = _row(line, cells, language, found)
            if row is not None:
                rows.append(row)
        problems += found
        if len(rows) + len(problems) > MOST_PEOPLE:
            raise RefusedError(f"{path} has more than {MOST_PEOPLE} lines.", "Split it into several files.")
    if not rows and not problems:
        raise RefusedError(f"{path} names nobody.", f"It needs a heading ({';'.join(REQUIRED)}) and a line per person.")
    twice = list(_duplicates(rows))
    bad = {problem.line for problem in twice}
    return [row for row in rows if row.line not in bad], sorted([*problems, *twice], key=lambda found: found.line)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RefusedError(
                f"{path} is larger than {MOST_BYTES // 1_000_000} MB.", "Is it the right file? Or split it."
            )
        content = path.read_bytes()
    except OSError as error:
        raise UnableError(f"{path} cannot be read: {error.strerror}.", "Give the path of a CSV file.") from error
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RefusedError(f"{path} is a spreadsheet, not a CSV file.", REMEDY_ENCODING)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RefusedError(
            f"{path}, line {line}: the characters are not UTF-8 (byte {content[error.start]:#04x}).", REMEDY_ENCODING
        ) from error
    if "\x00" in text:
        raise RefusedError(f"{path} is not text in UTF-8 (it holds zero bytes).", REMEDY_ENCODING)
    return text


def _cells(text: str) -> Iterator[tuple[int, dict[str, str], list[Problem]]]:
    """(line, cells by column, problems) of each line that holds anything."""
    first, _, rest = text.partition("\n")
    skipped = 0
    delimiter = ""
    if first.lower().startswith("sep=") and len(first.strip("\r")) == 5:
        text, skipped, delimiter = rest, 1, first[4]
    heading = next((line for line in text.splitlines() if any(mark.isalpha() for mark in line)), "")
    if not heading:
        return
    delimiter = delimiter or max(DELIMITERS, key=heading.count)
    csv.field_size_limit(MOST_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    start = 1
    try:
        for cells in reader:
            line, start = start + skipped, reader.line_num + 1
            cells = [" ".join(cell.split()) for cell in cells]
            if not any(cells):
                continue
            if not columns:
                columns = _columns(cells, line)
                continue
            while len(cells) > len(columns) and not cells[-1]:
                cells.pop()
            wrong = []
            if len(cells) > len(columns):
                wrong.append(
                    Problem(
                        line,
                        "",
                        people.shown(delimiter.join(cells)),
                        f"The line has {len(cells)} cells, the heading {len(columns)}.",
                        f"Put a cell that holds {delimiter!r} into double quotes.",
                    )
                )
            yield line, dict(zip(columns, cells + [""] * (len(columns) - len(cells)), strict=False)), wrong
    except csv.Error as error:
        raise RefusedError(
            f"Line {start + skipped}: the quotes do not match ({error}).", "Close the double quotes, or remove them."
        ) from error


def _columns(cells: list[str], line: int) -> list[str]:
    columns = [HEADINGS.get(cell.lower(), "") for cell in cells]
    unknown = [people.shown(cell) for cell, column in zip(cells, columns, strict=True) if not column and cell]
    missing = [column for column in REQUIRED if column not in columns]
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    parts = [f"has no column {column}" for column in missing]
    parts += [f"has an unknown column {name}" for name in unknown]
    parts += [f"has the column {column} twice" for column in twice]
    if parts:
        raise RefusedError(
            f"The heading in line {line} {', '.join(parts)}.",
            f"Columns are: {', '.join(COLUMNS)}; the first two are needed.",
        )
    return columns


def _too_long(line: int, cells: dict[str, str]) -> Iterator[Problem]:
    for column, value in cells.items():
        if len(value) > CELL_LENGTH:
            yield Problem(
                line,
                column,
                people.shown(value),
                f"The cell has {len(value)} characters.",
                "Is a double quote missing somewhere before it?",
            )


def _row(line: int, cells: dict[str, str], language: str, problems: list[Problem]) -> Row | None:
    """The person of a line; None after adding all that is wrong to `problems`."""
    values = {column: cells.get(column, "") for column in COLUMNS}
    values["role"] = values["role"].lower() or "user"
    values["language"] = values["language"].lower() or language
    checks = {
        "e-mail": people.check_new_email,
        "name": people.check_name,
        "role": people.check_role,
        "language": people.check_language,
        "username": lambda text: people.check_username(text) if text else "",
        "group": people.check_group,
    }
    for column, check in checks.items():
        try:
            values[column] = check(values[column])
        except RefusedError as error:
            problems.append(Problem(line, column, people.shown(values[column]), error.message, _in_file(error.remedy)))
    if problems:
        return None
    try:
        new = people.NewPerson.checked(
            values["e-mail"], values["name"], values["role"], values["language"], values["username"], values["group"]
        )
    except RefusedError as error:
        problems.append(
            Problem(line, "name", people.shown(values["name"]), error.message, "Give one in the column username.")
        )
        return None
    return Row(line, new)


def _in_file(remedy: str) -> str:
    """The remedy as it applies to a file: options become columns."""
    return remedy.replace("--", "in the column ") or "Correct the cell."


def _duplicates(rows: Iterable[Row]) -> Iterator[Problem]:
    emails: dict[str, int] = {}
    usernames: dict[str, int] = {}
    for row in rows:
        if first := emails.get(row.new.email):
            yield Problem(
                row.line,
                "e-mail",
                repr(row.new.email),
                f"The same e-mail stands in line {first}.",
                "Remove one of them.",
            )
        elif first := usernames.get(row.new.username):
            yield Problem(
                row.line,
                "name",
                repr(row.new.name),
                f"Its user name {row.new.username} is that of line {first} as well.",
                f"Give one in the column username, for example {row.new.username}2.",
            )
        emails.setdefault(row.new.email, row.line)
        usernames.setdefault(row.new.username, row.line)
