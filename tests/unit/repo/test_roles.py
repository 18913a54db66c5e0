"""What every role must keep: specifications that agree with defaults, one caller of Docker, private names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if (path / "tasks").is_dir())


def _load(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def _options(role: str) -> dict[str, dict[str, Any]]:
    specs = _load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    merged: dict[str, dict[str, Any]] = {}
    for entry_point in specs.values():
        merged.update(entry_point.get("options", {}))
    return merged


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_specification_agree(role: str) -> None:
    defaults = _load(ROOT / "roles" / role / "defaults" / "main.yml")
    documented = {name: option["default"] for name, option in _options(role).items() if "default" in option}
    assert documented == defaults


@pytest.mark.parametrize("role", ROLES)
def test_options_carry_the_roles_name_and_a_description(role: str) -> None:
    allowed = (f"{role}_", "secret_") if role == "site" else (f"{role}_",)
    for name, option in _options(role).items():
        assert name.startswith(allowed), name
        assert option.get("description"), name


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reads_another_roles_variables(role: str) -> None:
    # What a role hands to role `container` is the one thing that it may name of another.
    others = {name for other in ROLES if other not in {role, "container"} for name in _options(other)}
    for path in (ROOT / "roles" / role).rglob("*"):
        if path.suffix not in {".yml", ".j2"} or path.parent.name == "meta":
            continue
        text = path.read_text(encoding="utf-8")
        words = set(re.findall(r"(?<![\w.\[])[a-z]+_[a-z_]+\b(?!\.(?:yml|py|sql|j2))", text))
        assert not words & others, f"{path.relative_to(ROOT)}: {sorted(words & others)}"


def test_only_one_role_runs_containers() -> None:
    pattern = re.compile(r"community\.docker\.docker_(container|network|volume):")
    callers = {
        path.relative_to(ROOT).parts[1]
        for path in (ROOT / "roles").rglob("tasks/*.yml")
        if pattern.search(path.read_text(encoding="utf-8"))
    }
    assert callers == {"container"}


@pytest.mark.parametrize("inventory", ["local", "example", "cluster"])
def test_inventories_wire_only_what_roles_know(inventory: str) -> None:
    known = {name for role in ROLES for name in _options(role)} | {"site_networks", "site_addresses"}
    for path in (ROOT / "inventories" / inventory / "group_vars" / "all").glob("*.yml"):
        if path.name != "secrets.yml":
            # What begins with an underscore is a step of the wiring itself.
            assert {name for name in _load(path) if not name.startswith("_")} <= known, path
