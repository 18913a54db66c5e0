"""Check an inventory as it lies on disk, before Ansible is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.run import check
from panoramax_ops.preflight.settings import ROOT
from panoramax_ops.preflight.syntax import syntax_problems
from panoramax_ops.vault import REMEDY, configured_secrets


def problems(path: Path) -> list[Problem]:
    """Everything that is wrong with the inventory at `path`. Secrets may be missing: a deployment makes them.

    Raises:
        RefusedError: Ansible cannot read it as an inventory.
        UnableError: there is no such inventory, or it is encrypted without a password at hand.
    """
    directory = path.resolve()
    if not directory.is_dir():
        known = ", ".join(sorted(str(entry.parent) for entry in Path("inventories").glob("*/hosts.yml")))
        raise UnableError(f"There is no inventory {path}.", f"Give -i one of: {known or 'inventories/NAME'}.")
    if found := list(syntax_problems(directory)):
        return found
    os.environ.setdefault("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
    # Ansible reads its configuration when it is imported, so not before the environment is set.
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    from ansible.vars.manager import VariableManager

    loader = DataLoader()
    loader.set_basedir(str(ROOT))
    try:
        loader.set_vault_secrets(configured_secrets(loader))
        inventory = InventoryManager(loader=loader, sources=[str(directory)])
        manager = VariableManager(loader=loader, inventory=inventory)
        hosts = {
            host.name: {
                **manager.get_vars(host=host, include_hostvars=False),
                "inventory_dir": str(directory),
                "inventory_hostname": host.name,
            }
            for host in inventory.get_hosts("all")
        }
        groups = {name: [host.name for host in group.get_hosts()] for name, group in inventory.groups.items()}
    except AnsibleError as error:
        sentence = str(error).strip().splitlines()[0]
        if "vault" in sentence.lower():
            raise UnableError(f"{path}: {sentence}", REMEDY) from error
        raise RefusedError(f"{path}: {sentence}", "Mend the file; nothing was changed.") from error

    def template(values: Mapping[str, Any], value: Any) -> Any:
        return Templar(loader=loader, variables=values).template(value)

    return check(hosts, groups, template, directory, secrets_are_made=False)


def refuse(path: Path) -> None:
    """Raises RefusedError with everything that is wrong with the inventory at `path`, if anything is."""
    found = problems(path)
    if found:
        lines = "\n".join(f"  {problem}" for problem in found)
        raise RefusedError(f"{path} cannot be deployed; nothing was changed.\n{lines}")
