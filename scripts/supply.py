#!/usr/bin/env python3
"""Look after what the site is made of: supply.py newer | audit | sbom."""

from __future__ import annotations

import sys

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

import panoramax_ops  # noqa: F401  (enters the virtual environment)

# isort: split
from panoramax_ops.supply.cli import app

if __name__ == "__main__":
    app()
