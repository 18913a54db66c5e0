"""Reading an inventory as Ansible does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from panoramax_ops.errors import UnableError
from panoramax_ops.inventory import Inventory

HOSTS = """---
all:
  children:
    app:
      hosts:
        here: {ansible_connection: local}
    database:
      hosts:
        far:
          ansible_host: 192.0.2.7
          ansible_port: 2222
          ansible_user: ops
          ansible_ssh_private_key_file: ~/.ssh/id
          ansible_ssh_common_args: -o ProxyJump=jump.example.org
"""
SITE = """---
site_domain: maps.example.org
site_public_url: "https://{{ site_domain }}{{ '' if site_https_port | int == 443 else ':' ~ site_https_port }}"
site_operator: ""
secret_database_ops: abc
broken: "{{ nowhere.at.all }}"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An inventory with a local and a remote host."""
    (tmp_path / "lab" / "group_vars" / "all").mkdir(parents=True)
    (tmp_path / "lab" / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    (tmp_path / "lab" / "group_vars" / "all" / "site.yml").write_text(SITE, encoding="utf-8")
    return tmp_path / "lab"


def test_values_are_evaluated_over_the_roles_defaults(directory: Path) -> None:
    inventory = Inventory(directory)
    assert inventory.require("site_public_url") == "https://maps.example.org"
    assert inventory.require("keycloak_realm") == "panoramax"
    assert inventory.get("nothing", "else") == "else"
    assert (inventory.name, inventory.state.name, inventory.state.parent.name) == ("lab", "lab", "state")


def test_hosts_are_known_by_how_they_are_reached(directory: Path) -> None:
    inventory = Inventory(directory)
    assert inventory.host("app").local
    far = inventory.host("database")
    assert (far.local, far.address, far.port, far.user) == (False, "192.0.2.7", 2222, "ops")
    assert far.arguments == ("-o", "ProxyJump=jump.example.org")
    with pytest.raises(UnableError, match="group workers"):
        inventory.host("workers")


def test_what_is_missing_is_named_with_place_and_remedy(directory: Path, tmp_path: Path) -> None:
    inventory = Inventory(directory)
    with pytest.raises(UnableError, match="site_operator is not set") as missing:
        inventory.require("site_operator")
    assert "site.yml" in missing.value.remedy
    with pytest.raises(UnableError, match="secret_accounts_client") as missing:
        inventory.require("secret_accounts_client")
    assert "scripts/secrets.py" in missing.value.remedy
    with pytest.raises(UnableError, match="broken cannot be evaluated"):
        inventory.get("broken")
    with pytest.raises(UnableError, match="no inventory"):
        Inventory(tmp_path / "nope")


def test_encrypted_values_need_the_password_and_then_work(directory: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("open sesame", encoding="utf-8")
    secrets = directory / "group_vars" / "all" / "secrets.yml"
    secrets.write_text("secret_accounts_client: swordfish\n", encoding="utf-8")
    tool = Path(sys.executable).with_name("ansible-vault")
    environment = os.environ | {"ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
    subprocess.run([str(tool), "encrypt", str(secrets)], env=environment, check=True, capture_output=True)
    code = (
        "import sys; sys.path.append('scripts'); from pathlib import Path; from panoramax_ops.errors import OpsError\n"
        "from panoramax_ops.inventory import Inventory\n"
        "try: print(Inventory(Path(sys.argv[1])).require('secret_accounts_client'))\n"
        "except OpsError as error: print(error.remedy); sys.exit(error.exit_code)\n"
    )
    root = Path(__file__).resolve().parents[3]

    def read(extra: dict[str, str]) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        command = [sys.executable, "-c", code, str(directory)]
        return subprocess.run(command, cwd=root, env=kept | extra, capture_output=True, text=True, check=False)

    closed = read({})
    assert closed.returncode == 2
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in closed.stdout
    assert read({"ANSIBLE_VAULT_PASSWORD_FILE": str(password)}).stdout.strip() == "swordfish"
