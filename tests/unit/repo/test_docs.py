"""The documentation keeps step: generated pages are current, and what pages name (files, targets, options) exists."""

from __future__ import annotations

import functools
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from panoramax_ops.variables_docs import markdown, render

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`|^ {4}[^\n]+$", re.DOTALL | re.MULTILINE)
SCRIPT = re.compile(r"scripts/(\w+)\.py((?: +[^\s`|;&]+)*)")
# Files that a page may name in code, by where they begin. A name with one of these marks stands for many.
PATH = re.compile(r"(?<![\w/.-])(?:docs|images|playbooks|roles|scripts|templates|tests)/[\w./-]+\w(?![\w*<{])")


def _code(page: Path) -> Iterator[str]:
    for match in CODE.finditer(page.read_text(encoding="utf-8")):
        yield match.group()


def _options_of(command: Any) -> set[str]:
    return {"--help", *(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))}


@functools.cache
def _known_options(script: str) -> dict[str, set[str]]:
    """The options of a script by its commands; those that stand before the command under ""."""
    try:
        module = importlib.import_module(f"panoramax_ops.{script}_cli")
    except ModuleNotFoundError:
        environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
        command = [sys.executable, f"scripts/{script}.py", "--help"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=True)
        return {"": set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", done.stdout))}
    program: Any = typer.main.get_command(module.app)
    known = {"": _options_of(program)}
    for name, command in getattr(program, "commands", {}).items():
        parts = [command, *getattr(command, "commands", {}).values()]
        known[name] = set().union(*map(_options_of, parts))
    return known


def test_the_page_of_variables_is_current() -> None:
    assert (ROOT / "docs" / "variables.md").read_text(encoding="utf-8") == render(ROOT), "run scripts/variables.py docs"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C(a.pem) and O(site_x)", "`a.pem` and `site_x`"),
        ("V(acme) (HTTP-01), B(never)", "`acme` (HTTP-01), **never**"),
        ("O(x=f(1)), E(HOME\\))", "`x=f(1)`, `HOME)`"),
        ("GPS (WGS 84) stays", "GPS (WGS 84) stays"),
    ],
)
def test_markup_of_specifications_becomes_markdown(text: str, expected: str) -> None:
    assert markdown(text) == expected


def _anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes it of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_files_that_pages_name_exist(page: Path) -> None:
    # The worked example of a new service names the files that it makes.
    named = {path for code in _code(page) for path in PATH.findall(code) if "hello" not in Path(path).parts}
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_targets_that_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        named = {name for code in _code(page) for name in re.findall(r"\bmake ([a-z][a-z0-9-]*)", code)}
        assert named <= targets, page


def test_options_that_pages_name_are_in_the_scripts_help() -> None:
    for page in PAGES:
        for script, rest in (match for code in _code(page) for match in SCRIPT.findall(code)):
            assert (ROOT / "scripts" / f"{script}.py").exists(), f"{page.name}: {script}"
            words = rest.split()
            options = {word.partition("=")[0] for word in words if word.startswith("-")}
            if not options:
                continue
            known = _known_options(script)
            command = next((word for word in words if word in known), "")
            assert options <= known[""] | known[command], f"{page.name}: scripts/{script}.py{rest}"
