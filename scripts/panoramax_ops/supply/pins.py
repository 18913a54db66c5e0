"""The versions that this project pins, read from the files that pin them.

What a lock file pins beside these is chosen by the package managers (`make lock`, npm) and not listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PYTHON = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s\\]+)", re.MULTILINE)
MAVEN = re.compile(r"-Dartifact=(?P<name>[\w.-]+:[\w.-]+):(?P<version>[^:\s]+):")
MAVEN_ARGUMENT = re.compile(r"\$\{?(\w+)\}?$")
GO = re.compile(r"^(?P<name>\S+)@(?P<version>v\S+)$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Pin:
    """One version of one package, and the file (relative to the project's root) that pins it.

    `kind` is the package manager: python, npm, maven or go.
    """

    kind: str
    name: str
    version: str
    file: str


def pins(root: Path) -> list[Pin]:
    """All pins of the project at `root`, sorted."""
    return sorted({*_python(root), *_npm(root), *_maven(root), *_go(root)})


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _python(root: Path) -> Iterator[Pin]:
    files = [*root.glob("requirements*.in"), *root.glob("images/*/requirements*.in")]
    # Files of which every line is written by hand, with hashes, because only some of what they fetch is used.
    files += root.glob("images/*/requirements-models.txt")
    for path in files:
        for found in PYTHON.finditer(path.read_text(encoding="utf-8")):
            yield Pin("python", found["name"].lower().replace("_", "-"), found["version"], _relative(path, root))


def _npm(root: Path) -> Iterator[Pin]:
    for path in root.glob("images/*/package.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        for group in ("dependencies", "devDependencies"):
            for name, version in manifest.get(group, {}).items():
                # A range pins nothing: the lock file does.
                if version[0].isdigit():
                    yield Pin("npm", name, version, _relative(path, root))
    # The viewer is taken from its package as it is, so npm's manifest does not name it.
    viewer = root / "images" / "website" / "tools" / "viewer.json"
    pinned = json.loads(viewer.read_text(encoding="utf-8"))
    yield Pin("npm", pinned["package"], pinned["version"], _relative(viewer, root))


def _maven(root: Path) -> Iterator[Pin]:
    for path in root.glob("images/*/Dockerfile"):
        text = path.read_text(encoding="utf-8")
        for found in MAVEN.finditer(text):
            version = found["version"]
            argument = MAVEN_ARGUMENT.match(version)
            declared = re.search(rf"^ARG {argument[1]}=(\S+)$", text, re.MULTILINE) if argument else None
            yield Pin("maven", found["name"], declared[1] if declared else version, _relative(path, root))


def _go(root: Path) -> Iterator[Pin]:
    path = root / "requirements-go.txt"
    if path.exists():
        for found in GO.finditer(path.read_text(encoding="utf-8")):
            yield Pin("go", found["name"], found["version"], _relative(path, root))
