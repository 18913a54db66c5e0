"""What people and operators see from outside, and the scripts that reach the containers through ssh."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from airgap_lab import CONTROLLER, HOST


def test_accounts_are_made_through_ssh() -> None:
    done = CONTROLLER.run(
        "accounts.py", "--json", "create", "jane@example.org", "--name", "Jane Doe", "--role", "admin"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "password" in Path(json.loads(done.stdout)["letter"]).read_text(encoding="utf-8").lower()
    assert "jane@example.org" in CONTROLLER.run("accounts.py", "list").stdout


def test_all_claims_hold() -> None:
    """Now that there is an administrator: `make deploy` makes the first one, the playbook alone does not."""
    done = CONTROLLER.run("verify.py", "--json")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_bundles_own_project_and_environment_work() -> None:
    inventory = CONTROLLER.bundle / "inventories" / CONTROLLER.inventory.name
    shutil.copytree(CONTROLLER.inventory, inventory, symlinks=True)
    command = [".venv/bin/python", "scripts/accounts.py", "-i", str(inventory), "list"]
    done = subprocess.run(command, cwd=CONTROLLER.bundle, capture_output=True, text=True, check=False)
    assert "jane@example.org" in done.stdout, done.stderr


def test_the_wheels_are_complete_for_debian_13s_python() -> None:
    """The host is the only Python 3.13 here; it has neither pip nor venv, as on a controller without them."""
    subprocess.run(["docker", "exec", HOST, "mkdir", "-p", "/root/controller"], check=True)
    for path in (CONTROLLER.bundle / "bundle" / "wheels", CONTROLLER.bundle / "requirements.txt"):
        subprocess.run(["docker", "cp", str(path), f"{HOST}:/root/controller/"], check=True, capture_output=True)
    install = (
        "install --quiet --dry-run --target /root/target --no-index --find-links wheels --no-deps --require-hashes"
    )
    pip = next((CONTROLLER.bundle / "bundle" / "wheels").glob("pip-*.whl")).name
    command = f"cd /root/controller && python3 wheels/{pip}/pip {install} -r requirements.txt"
    done = subprocess.run(["docker", "exec", HOST, "sh", "-c", command], capture_output=True, text=True, check=False)
    subprocess.run(["docker", "exec", HOST, "rm", "-rf", "/root/controller"], check=True)
    assert done.returncode == 0, done.stderr
