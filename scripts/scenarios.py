#!/usr/bin/env python3
"""Run the scenarios of molecule/: scenarios.py COMMAND."""

from __future__ import annotations

import sys

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

from panoramax_ops.scenarios_cli import app

if __name__ == "__main__":
    app()
