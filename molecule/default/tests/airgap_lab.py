"""The scenario's host and site, as seen from this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HOST = "molecule-default-airgap"
PROJECT = "airgap"
SERVICES = ("database", "keycloak", "blurring", "api", "worker-1", "website", "proxy")


@dataclass(frozen=True)
class Controller:
    """This machine, with the scenario's inventory."""

    inventory: Path = ROOT / "inventories" / "molecule-default"
    state: Path = ROOT / "state" / "molecule-default"
    bundle: Path = ROOT / ".cache" / "molecule" / "default" / "private-panoramax"
    url: str = "https://panoramax.airgap.test"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment or a script of the project, e.g. run("accounts.py", "list")."""
        program, *arguments = command
        start = [sys.executable, f"scripts/{program}"] if program.endswith(".py") else [program]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        return subprocess.run(
            [*start, "-i", str(self.inventory), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**environment, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"},
            check=False,
        )


CONTROLLER = Controller()
