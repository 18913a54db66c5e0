"""The account letters, in all languages and both forms."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from panoramax_ops import letters_pdf
from panoramax_ops.inventory import ROOT
from panoramax_ops.letters import TEMPLATES, Letter, remove, render, write
from panoramax_ops.people import LANGUAGES

LETTER = Letter(
    site="Panoramax <Musterstadt>",
    url="https://panoramax.example.org",
    operator="Stadt Musterstadt",
    contact="maps@example.org",
    name="Anna {{ 7 * 7 }}",
    username="anna",
    email="anna@example.org",
    password="abcde-fghjk-mnpqr-stuvw",
    language="en",
    role="user",
    password_length=14,
)
DAY = date(2026, 11, 22)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["txt", "html"])
def test_every_letter_says_what_somebody_needs_to_sign_in(language: str, kind: str) -> None:
    text = render(replace(LETTER, language=language), DAY)[kind]
    for needed in (LETTER.url, LETTER.email, LETTER.password, LETTER.contact, LETTER.operator, "14", "“anna”"[1:-1]):
        assert needed in text
    assert text.count(LETTER.password) == 1
    assert "{{ 7 * 7 }}" in text, "a name is text, never a template"
    assert "{%" not in text


def test_every_language_says_the_same_things() -> None:
    import yaml

    texts = {
        language: yaml.safe_load((TEMPLATES / f"{language}.yml").read_text(encoding="utf-8")) for language in LANGUAGES
    }
    assert all(text.keys() == texts["en"].keys() for text in texts.values())
    assert all(len(text["steps"]) == len(texts["en"]["steps"]) for text in texts.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_names_the_button_as_the_website_does(language: str) -> None:
    website = json.loads((ROOT / f"images/website/src/locales/{language}.json").read_text(encoding="utf-8"))
    quoted = re.findall(r"[“„«]\s?([^”“»]+?)\s?[”“»]", render(replace(LETTER, language=language), DAY)["txt"])
    assert website["nav.login"] in quoted


def test_the_printable_letter_escapes_and_loads_nothing() -> None:
    html = render(LETTER, DAY)["html"]
    assert "Panoramax &lt;Musterstadt&gt;" in html
    assert "src=" not in html
    assert "url(" not in html


def test_roles_and_resets_read_differently() -> None:
    assert "administrators" in render(replace(LETTER, role="admin"), DAY)["txt"]
    assert "administrators" not in render(LETTER, DAY)["txt"]
    assert "new initial password" in render(replace(LETTER, again=True), DAY)["txt"]


def test_dates_are_written_as_the_readers_write_them() -> None:
    assert "2026-11-22" in render(LETTER, DAY)["txt"]
    assert "22.11.2026" in render(replace(LETTER, language="de"), DAY)["txt"]


def test_letters_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    path = write(LETTER, tmp_path / "letters")
    assert path == tmp_path / "letters" / "anna.txt"
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    remove(LETTER.username, path.parent)
    remove(LETTER.username, path.parent)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_what_the_letter_says(language: str, tmp_path: Path) -> None:
    letter = replace(LETTER, language=language, name="Anna #let *x* [Иван] $y$")
    html = render(letter, DAY)["html"]
    target = tmp_path / "letters.pdf"
    letters_pdf.write([html, render(replace(LETTER, password="other-passw-ordxx"), DAY)["html"]], target, "Letters")
    first, second = (page.extract_text() for page in PdfReader(target).pages)
    words = " ".join(first.split())
    wanted = (letter.name, letter.site, letter.url, letter.email, letter.password, letter.contact, letter.operator)
    for needed in wanted:
        assert needed in words
    assert (LETTER.password in second, "other-passw-ordxx" in second) == (False, True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    shown = " ".join(part["text"] for block in letters_pdf.read(html)[0]["blocks"] for part in parts(block))
    assert len(shown.split()) == len(re.sub(r"<[^>]+>", " ", html.partition("<article")[2].partition(">")[2]).split())


def parts(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts of a block, whatever it holds them in."""
    if block["kind"] == "table":
        return [part for row in block["rows"] for cell in row for part in cell]
    return [part for row in block["rows"] for part in row] if "rows" in block else block["parts"]


def test_the_terms_of_use_are_named_or_said() -> None:
    assert "Terms of use: https://terms.example" in render(replace(LETTER, terms="https://terms.example"), DAY)["txt"]
    assert "Please keep to yourself" in render(LETTER, DAY)["txt"]
