"""The letter that a new person gets: address, e-mail, initial password, what to do. Plain text, and HTML to print."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import jinja2
import yaml

from panoramax_ops.files import write_private
from panoramax_ops.inventory import ROOT

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
    again: bool = False


def _date(day: date, language: str) -> str:
    return day.isoformat() if language == "en" else f"{day.day:02d}.{day.month:02d}.{day.year}"


def render(letter: Letter, day: date | None = None) -> dict[str, str]:
    """The letter as {"txt": ..., "html": ...}. `day` is the date in it, today by default."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    texts = yaml.safe_load((TEMPLATES / f"{letter.language}.yml").read_text(encoding="utf-8"))
    values = {**asdict(letter), "date": _date(day or datetime.now(UTC).date(), letter.language)}
    # The sentences are templates themselves: they name the site and the person.
    plain = environment.overlay(autoescape=False)
    sentences = {
        key: [plain.from_string(line).render(values) for line in text]
        if isinstance(text, list)
        else plain.from_string(text).render(values)
        for key, text in texts.items()
    }
    return {
        kind: environment.get_template(f"letter.{kind}.j2").render(**values, t=sentences) for kind in ("txt", "html")
    }


def path_of(username: str, directory: Path) -> Path:
    """Where the plain letter of somebody lies."""
    return directory / f"{username}.txt"


def write(letter: Letter, directory: Path) -> Path:
    """Write both forms into the directory, mode 0600, and return the path of the plain one."""
    for kind, text in render(letter).items():
        write_private(path_of(letter.username, directory).with_suffix(f".{kind}"), text)
    return path_of(letter.username, directory)


def remove(letter: Letter, directory: Path) -> None:
    """Take both forms away; nothing happens if they are not there."""
    for kind in ("txt", "html"):
        path_of(letter.username, directory).with_suffix(f".{kind}").unlink(missing_ok=True)
