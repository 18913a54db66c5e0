"""Letters as PDF, a page each, of the words of their printable HTML: one template says what a letter says.

Typst lays them out; it comes with its fonts inside (Latin, Greek and Cyrillic), so the controller needs neither a
browser nor fonts of its own. What these fonts lack is taken from the machine's, where it has any.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from panoramax_ops.errors import UnableError
from panoramax_ops.files import write_private
from panoramax_ops.inventory import ROOT

LAYOUT = ROOT / "templates" / "account-letter" / "letters.typ"
# Of the tags in letter.html.j2, those that begin a block of their own, a row, or a cell.
BLOCKS = {"h1": "title", "p": "text"}
GROUPS = {"ol": "steps", "ul": "steps", "table": "table"}


class _Reader(HTMLParser):
    """Takes letters apart: {language, blocks}; a block is {kind, parts} or {kind, rows}."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[dict[str, Any]] = []
        self._parts: list[dict[str, Any]] | None = None
        self._code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin what the tag begins."""
        given = dict(attrs)
        if tag == "article":
            self.letters.append({"language": given.get("lang") or "en", "blocks": []})
        elif not self.letters:
            return
        elif tag in BLOCKS:
            kind = "right" if given.get("class") == "date" else BLOCKS[tag]
            self._parts = []
            self._blocks().append({"kind": kind, "parts": self._parts})
        elif tag in GROUPS:
            self._blocks().append({"kind": GROUPS[tag], "rows": []})
        elif tag == "tr":
            self._blocks()[-1]["rows"].append([])
        elif tag in ("th", "td"):
            self._parts = []
            self._code = given.get("class") == "password"
            self._blocks()[-1]["rows"][-1].append(self._parts)
        elif tag == "li":
            self._parts = []
            self._blocks()[-1]["rows"].append(self._parts)
        elif tag == "br" and self._parts is not None:
            self._parts.append({"text": "\n", "code": False})

    def handle_endtag(self, tag: str) -> None:
        """End what the tag ends."""
        if tag in (*BLOCKS, "th", "td", "li"):
            self._parts = None
            self._code = False

    def handle_data(self, data: str) -> None:
        """Keep the words, with single spaces as a browser shows them."""
        words = " ".join(data.split())
        if self._parts is not None and words:
            before = " " if data[0].isspace() and self._parts else ""
            after = " " if data[-1].isspace() else ""
            self._parts.append({"text": f"{before}{words}{after}", "code": self._code})

    def _blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.letters[-1]["blocks"]
        return blocks


def read(html: str) -> list[dict[str, Any]]:
    """The letters of a printable file, as the layout takes them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.letters


def write(pages: Iterable[str], target: Path, title: str) -> None:
    """Write letters (printable HTML) as one PDF, mode 0600. Raises UnableError if it cannot be laid out or written."""
    # A library of 40 MB, which only this needs.
    import typst

    letters = [letter for html in pages for letter in read(html)]
    inputs = {"letters": json.dumps(letters, ensure_ascii=False), "title": title}
    try:
        content = typst.compile(str(LAYOUT), sys_inputs=inputs)
    except (RuntimeError, OSError) as error:
        raise UnableError(f"The letters cannot be laid out as PDF: {error}", f"Is {LAYOUT} as it came?") from error
    write_private(target, content)
