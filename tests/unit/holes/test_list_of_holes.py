"""The list of holes in the documentation is the list that is attacked."""

from __future__ import annotations

import re
from pathlib import Path

from holes import all_holes, table

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "security.md"
LAYERS = ("identity", "settings", "gate", "database", "API", "blurring", "network")


def test_the_document_shows_all_holes() -> None:
    match = re.search(r"<!-- holes: .*?-->\n(.*?)\n<!-- end of holes -->", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert match
    assert match.group(1).strip() == table(), "put the output of `python tests/e2e/holes.py` between the markers"


def test_every_hole_says_what_closes_it() -> None:
    for hole in all_holes():
        assert hole.closed_by.split(":")[0] in LAYERS, hole.id
        assert hole.second.split(":")[0] in (*LAYERS, "none"), hole.id
        assert "|" not in hole.title + hole.exposed + hole.closed_by + hole.second


def test_there_are_as_many_as_were_measured() -> None:
    holes = all_holes()
    assert len(holes) >= 32
    assert len({hole.attack.__name__ for hole in holes}) == len(holes)
