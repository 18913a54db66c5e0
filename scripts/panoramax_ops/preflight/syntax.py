"""Files of an inventory that are not YAML, or set the same name twice: Ansible says so late, or only warns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import relative
from panoramax_ops.secret_store import VAULT_MARK


def syntax_problems(directory: Path) -> Iterator[Problem]:
    """What keeps a file of the inventory from being read, with its line."""
    for path in sorted(directory.rglob("*.yml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            yield Problem(relative(path), f"the file cannot be read ({error})", "make it a readable text file in UTF-8")
            continue
        if text.startswith(VAULT_MARK):
            continue
        try:
            # Nodes only: values with tags of Ansible's own (!vault) need no constructor.
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"{relative(path)}:{mark.line + 1}" if mark else relative(path)
            yield Problem(
                place, f"this is not YAML ({error.problem or error.context})", "mend this line or one above it"
            )
            continue
        yield from _doubles(node, path)


def _doubles(node: yaml.Node | None, path: Path) -> Iterator[Problem]:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if isinstance(key.value, str) and key.value in lines and key.value != "<<":
            first = lines[key.value]
            yield Problem(
                f"{relative(path)}:{line}", f"{key.value} stands here and on line {first}", "keep one of the two"
            )
        lines.setdefault(str(key.value), line)
        yield from _doubles(value, path)
