"""Which scenarios of molecule/ have to run again: those whose inputs are not what they last passed with.

A scenario takes minutes. molecule/scenarios.yml names for each the files that decide how it ends; a run that passes
writes the digest of them to molecule/NAME/passed, which is committed with the change.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from panoramax_ops.errors import UnableError

PASSED = "passed"


@dataclass(frozen=True)
class Scenario:
    """A scenario: its name, whether it runs in any case, the paths (below the project) that it depends on.

    One `on_request` runs by its name, or with all, but is never due.
    """

    name: str
    always: bool
    inputs: tuple[str, ...]
    on_request: bool = False


def load_scenarios(root: Path) -> dict[str, Scenario]:
    """The scenarios of molecule/scenarios.yml, by name, in the order of the file.

    Raises UnableError if the file and the directories of molecule/ do not name the same scenarios.
    """
    path = root / "molecule" / "scenarios.yml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    there = {entry.parent.name for entry in (root / "molecule").glob("*/molecule.yml")}
    if odd := sorted(there ^ set(declared["scenarios"])):
        raise UnableError(f"{path}: {', '.join(odd)}: declared without a directory, or not declared.", "Mend it.")
    return {
        name: Scenario(
            name=name,
            always=bool(entry.get("always", False)),
            on_request=bool(entry.get("on_request", False)),
            inputs=(*declared["inputs_of_all"], f"molecule/{name}", *entry.get("inputs", [])),
        )
        for name, entry in declared["scenarios"].items()
    }


def _files(root: Path, paths: tuple[str, ...]) -> list[str]:
    """Files below the paths that git knows, or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnableError(f"git does not list the inputs: {done.stderr.strip()}", "Run this in a clone of the project.")
    return sorted(set(filter(None, done.stdout.split("\0"))))


def digest(root: Path, scenario: Scenario) -> str:
    """SHA-256 over names, kinds and bytes of the scenario's inputs as they are now.

    Raises UnableError if one of its inputs names no file.
    """
    for path in scenario.inputs:
        if not (root / path).exists():
            raise UnableError(f"molecule/scenarios.yml: {scenario.name}: there is no {path}.", "Name what is there.")
    found = hashlib.sha256()
    for name in _files(root, scenario.inputs):
        file = root / name
        if name == f"molecule/{scenario.name}/{PASSED}" or not (file.is_symlink() or file.exists()):
            continue
        body = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
        kind = "link" if file.is_symlink() else f"{file.stat().st_mode & 0o100:o}"
        found.update(f"{name}\0{kind}\0{hashlib.sha256(body).hexdigest()}\n".encode())
    return found.hexdigest()


def is_due(root: Path, scenario: Scenario) -> bool:
    """Whether it has to run: always, or because its inputs differ from those of its last pass."""
    passed = root / "molecule" / scenario.name / PASSED
    if scenario.on_request:
        return False
    if scenario.always or not passed.is_file():
        return True
    return passed.read_text(encoding="ascii").strip() != digest(root, scenario)


def record_pass(root: Path, scenario: Scenario, passed_with: str) -> None:
    """Note the digest that the scenario's inputs had when its run began, unless it runs in any case."""
    if not scenario.always:
        (root / "molecule" / scenario.name / PASSED).write_text(f"{passed_with}\n", encoding="ascii")
