"""Inventories that come and go, for tests and benchmarks: a site of their own beside the others of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from panoramax_ops.inventory import ROOT


def write_inventory(name: str, settings: str) -> Path:
    """Make inventories/`name` of the local one's hosts and wiring and of `settings` (YAML). Returns its directory."""
    inventory = ROOT / "inventories" / name
    local = ROOT / "inventories" / "local"
    variables = inventory / "group_vars" / "all"
    variables.mkdir(parents=True, exist_ok=True)
    shutil.copy(local / "hosts.yml", inventory / "hosts.yml")
    for link in (local / "group_vars" / "all").iterdir():
        if link.is_symlink():
            (variables / link.name).unlink(missing_ok=True)
            (variables / link.name).symlink_to(link.readlink())
    (variables / "site.yml").write_text(settings, encoding="utf-8")
    return inventory
