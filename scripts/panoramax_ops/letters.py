"""The letter that a new person gets: address, e-mail, initial password, what to do. Plain text, and HTML to print."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jinja2
import yaml

from panoramax_ops import letters_pdf
from panoramax_ops.files import write_private
from panoramax_ops.inventory import ROOT

# The forms in which a letter lies there: to read and copy from, to print in a browser, to print.
FORMS = ("txt", "html", "pdf")
TEMPLATES = ROOT / "templates" / "account-letter"


@dataclass(frozen=True)
class Letter:
    """What a letter says. All but the password may be known to anybody."""

    site: str
    url: str
    operator: str
    contact: str
    name: str
    username: str
    email: str
    password: str
    language: str
    role: str
    password_length: int = 12
    days: int = 14
    again: bool = False
    terms: str = ""


def _date(day: date, language: str) -> str:
    return day.isoformat() if language == "en" else f"{day.day:02d}.{day.month:02d}.{day.year}"


def render(letter: Letter, day: date | None = None) -> dict[str, str]:
    """The letter as {"txt": ..., "html": ...}. `day` is the date in it, today by default."""
    day = day or datetime.now(UTC).date()
    dates = {"date": day, "until": day + timedelta(days=letter.days)}
    values = {**asdict(letter), **{name: _date(date, letter.language) for name, date in dates.items()}}
    # The sentences are templates themselves: they name the site and the person.
    sentences = {
        key: [_template(line).render(values) for line in text]
        if isinstance(text, list)
        else _template(text).render(values)
        for key, text in _texts(letter.language).items()
    }
    return {
        kind: _environments()[0].get_template(f"letter.{kind}.j2").render(**values, t=sentences)
        for kind in ("txt", "html")
    }


# Compiled once: an import writes thousands of letters.
@functools.cache
def _environments() -> tuple[jinja2.Environment, jinja2.Environment]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment, environment.overlay(autoescape=False)


@functools.cache
def _template(text: str) -> jinja2.Template:
    return _environments()[1].from_string(text)


@functools.cache
def _texts(language: str) -> dict[str, str | list[str]]:
    texts: dict[str, str | list[str]] = yaml.safe_load((TEMPLATES / f"{language}.yml").read_text(encoding="utf-8"))
    return texts


def path_of(username: str, directory: Path) -> Path:
    """Where the plain letter of somebody lies."""
    return directory / f"{username}.txt"


def write(letter: Letter, directory: Path) -> Path:
    """Write the letter as text and as HTML into the directory, mode 0600; returns the path of the text."""
    for kind, text in render(letter).items():
        write_private(path_of(letter.username, directory).with_suffix(f".{kind}"), text)
    return path_of(letter.username, directory)


def remove(username: str, directory: Path) -> None:
    """Take all forms of somebody's letter away; nothing happens if they are not there."""
    for form in FORMS:
        path_of(username, directory).with_suffix(f".{form}").unlink(missing_ok=True)


def move(before: str, after: str, directory: Path) -> None:
    """Give somebody's letter the name that the person has now."""
    for form in FORMS:
        letter = path_of(before, directory).with_suffix(f".{form}")
        if letter.exists():
            letter.replace(path_of(after, directory).with_suffix(f".{form}"))


def bundle(letters: Iterable[Path], target: Path, title: str) -> int:
    """Write one printable file of several letters (paths of the plain ones), a page each; returns how many there are.

    `target` is the PDF; the same as HTML lies beside it. A letter that somebody has taken away meanwhile is left out.
    """
    head, bodies = "", []
    for path in letters:
        printable = path.with_suffix(".html")
        if not printable.exists():
            continue
        before, mark, body = printable.read_text(encoding="utf-8").partition("<article")
        head = head or before
        bodies.append(f"{mark}{body.partition('</article>')[0]}</article>\n")
    if bodies:
        write_private(target.with_suffix(".html"), f"{head}{''.join(bodies)}</body>\n</html>\n")
        letters_pdf.write(bodies, target, title)
    return len(bodies)
