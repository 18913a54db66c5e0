"""Code of the roles, which Ansible loads by path: what a role knows about its settings is written down there once."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from typing import Any

from panoramax_ops.preflight.settings import ROOT


@cache
def load(role: str, path: str) -> Any:
    """The module at `path` below a role's directory."""
    name = f"preflight_{role}_{path.rpartition('/')[2].removesuffix('.py')}"
    specification = importlib.util.spec_from_file_location(name, ROOT / "roles" / role / path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their own module up.
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module
