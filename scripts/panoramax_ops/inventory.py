"""Read an inventory as Ansible does: group variables, templates, vault, and the defaults of the roles.

All that an operator passes to a script is the inventory; addresses, names and credentials come from here.
Written against ansible-core 2.19, whose templates must be marked as trusted to be evaluated.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panoramax_ops.errors import UnableError
from panoramax_ops.vault import REMEDY, configured_secrets

ROOT = Path(__file__).resolve().parents[2]
# Roles whose defaults belong to the public settings of a site.
ROLES_WITH_SETTINGS = ("site", "keycloak")


@dataclass(frozen=True)
class Host:
    """How Ansible reaches a host."""

    name: str
    local: bool
    address: str
    port: int | None = None
    user: str | None = None
    key_file: str | None = None
    arguments: tuple[str, ...] = field(default=())


class Inventory:
    """An inventory directory, opened. Values are evaluated when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Load the inventory at `path` (a directory).

        Raises UnableError if it is not there, cannot be parsed, or is encrypted without a password at hand.
        """
        self.directory = path.resolve()
        self.name = self.directory.name
        self.state = ROOT / "state" / self.name
        if not self.directory.is_dir():
            known = ", ".join(sorted(str(entry.parent) for entry in Path("inventories").glob("*/hosts.yml")))
            raise UnableError(f"There is no inventory {path}.", f"Give -i one of: {known or 'inventories/NAME'}.")
        os.environ.setdefault("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
        self._open()

    def _open(self) -> None:
        # Ansible reads its configuration when it is imported, so not before the environment is set.
        from ansible.errors import AnsibleError
        from ansible.inventory.manager import InventoryManager
        from ansible.parsing.dataloader import DataLoader
        from ansible.vars.manager import VariableManager

        self._loader = DataLoader()
        self._loader.set_basedir(str(ROOT))
        try:
            self._loader.set_vault_secrets(configured_secrets(self._loader))
            self._hosts = InventoryManager(loader=self._loader, sources=[str(self.directory)])
            self._variables = VariableManager(loader=self._loader, inventory=self._hosts)
            self._defaults: dict[str, Any] = {}
            for role in ROLES_WITH_SETTINGS:
                defaults = ROOT / "roles" / role / "defaults" / "main.yml"
                self._defaults |= self._loader.load_from_file(str(defaults), trusted_as_template=True) or {}
            self._values = self._evaluator("app")
        except AnsibleError as error:
            raise UnableError(f"{self.directory}: {_first_line(error)}", _vault_remedy(error)) from error

    def _evaluator(self, group: str) -> dict[str, Any]:
        hosts = self._hosts.get_hosts(group)
        if not hosts:
            raise UnableError(
                f"{self.directory}: no host is in the group {group}.", f"Name one under [{group}] in the hosts file."
            )
        host = hosts[0]
        found = self._variables.get_vars(host=host, include_hostvars=False)
        return {**self._defaults, **found, "inventory_dir": str(self.directory), "inventory_hostname": host.name}

    def get(self, name: str, default: Any = None) -> Any:
        """Value of a variable for the hosts of group `app`, or `default` where nobody sets it.

        Raises UnableError if it cannot be evaluated.
        """
        return self._evaluate(self._values, name, default)

    def require(self, name: str) -> Any:
        """Value of a variable that must be set and not empty. Raises UnableError with a remedy otherwise."""
        value = self.get(name)
        if value is None or value == "":
            remedy = (
                f"Run: scripts/secrets.py -i inventories/{self.name}"
                if name.startswith("secret_")
                else f"Set it in {self.directory}/group_vars/all/site.yml."
            )
            raise UnableError(f"{self.directory}: {name} is not set.", remedy)
        return value

    def names(self, prefix: str) -> list[str]:
        """Names of all variables that begin so."""
        return sorted(name for name in self._values if name.startswith(prefix))

    def _evaluate(self, values: dict[str, Any], name: str, default: Any = None) -> Any:
        from ansible.errors import AnsibleError
        from ansible.template import Templar

        if name not in values:
            return default
        try:
            return Templar(loader=self._loader, variables=values).template(values[name])
        except AnsibleError as error:
            raise UnableError(
                f"{self.directory}: {name} cannot be evaluated: {_first_line(error)}", _vault_remedy(error)
            ) from error

    def host(self, group: str) -> Host:
        """The first host of a group. Raises UnableError if it has none."""
        return self._host(self._evaluator(group))

    def hosts(self) -> list[Host]:
        """All hosts of the site, in the order of the inventory."""
        names = [host.name for host in self._hosts.get_hosts("all")]
        return [self._host(self._evaluator(name)) for name in names]

    @property
    def services_authority(self) -> Path | None:
        """File of who vouches for the services, where they talk TLS among themselves. Made by role certificate."""
        return self.state / "certificate" / "services" / "ca.crt" if self.get("site_internal_tls") else None

    def keycloak_port(self) -> int:
        """Where Keycloak answers its peers (role keycloak)."""
        return 8443 if self.services_authority else 8080

    def _host(self, values: dict[str, Any]) -> Host:

        def value(key: str) -> Any:
            return self._evaluate(values, key)

        name = values["inventory_hostname"]
        address = str(value("ansible_host") or name)
        connection = value("ansible_connection") or ("local" if address in {"localhost", "127.0.0.1"} else "ssh")
        arguments = " ".join(str(value(key) or "") for key in ("ansible_ssh_common_args", "ansible_ssh_extra_args"))
        port = value("ansible_port")
        return Host(
            name=name,
            local=connection == "local",
            address=address,
            port=int(port) if port else None,
            user=value("ansible_user"),
            key_file=value("ansible_ssh_private_key_file"),
            arguments=tuple(arguments.split()),
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _vault_remedy(error: Exception) -> str:
    if "vault" in str(error).lower():
        return REMEDY
    return ""
