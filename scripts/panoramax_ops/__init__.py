"""What the scripts in `scripts/` share: the inventory, the way to the containers, Keycloak, the database, letters."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_SCRIPTS = Path(__file__).resolve().parents[1]


def _enter_environment() -> None:
    """Go on in the project's virtual environment where a script runs in a Python without the packages it needs."""
    if Path(sys.argv[0]).resolve().parent != _SCRIPTS or all(
        find_spec(name) for name in ("ansible", "docker", "typer")
    ):
        return
    python = _SCRIPTS.parent / ".venv" / "bin" / "python"
    if not python.exists() or Path(sys.executable) == python:
        print(f"The Python environment is missing in {python.parents[1]}; make it with: make deploy", file=sys.stderr)
        raise SystemExit(2)
    os.execv(python, [str(python), *sys.argv])


_enter_environment()
