"""Find settings of an inventory that no role knows, so that a misspelt one is refused and not silently ignored."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

# An operator's own variables may stand beside ours under this prefix; Ansible's own begin with the others.
FREE_PREFIXES = ("custom_", "ansible_", "molecule_")
MAGIC = frozenset(
    [
        "environment",
        "gather_subset",
        "group_names",
        "groups",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "module_setup",
        "omit",
        "play_hosts",
        "playbook_dir",
        "role_name",
        "vars",
    ]
)


def known_variables(roles_dir: str) -> set[str]:
    """Names of all options of all roles, from their argument specifications."""
    names: set[str] = set()
    for path in Path(roles_dir).glob("*/meta/argument_specs.yml"):
        for entry_point in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            names.update(entry_point.get("options", {}))
    return names


def site_specifications(roles_dir: str) -> list[dict[str, Any]]:
    """Entry points of all other roles that a deployment runs: `name` (role, entry point) and `options`."""
    found = []
    for path in sorted(Path(roles_dir).glob("*/meta/argument_specs.yml")):
        role = path.parents[1].name
        for entry_point, spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].items():
            if role != "site" and entry_point != "uninstall":
                found.append({"name": f"{role} {entry_point}", "options": spec.get("options", {})})
    return found


def site_unknown_variables(names: Iterable[str], roles_dir: str) -> list[str]:
    """One sentence per variable that nothing knows, with the nearest known name."""
    known = known_variables(roles_dir)
    findings = []
    for name in sorted(names):
        if name in known or name in MAGIC or name.startswith(FREE_PREFIXES):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else "variables of your own begin with custom_"
        findings.append(f"{name} is not a setting; {hint}")
    return findings


class FilterModule:
    """The filters, by the names that templates use."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {"site_unknown_variables": site_unknown_variables, "site_specifications": site_specifications}
