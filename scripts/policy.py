#!/usr/bin/env python3
"""Look at the policy of the gate: policy.py COMMAND."""

from __future__ import annotations

import sys

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

from panoramax_ops.policy_cli import app

if __name__ == "__main__":
    app()
