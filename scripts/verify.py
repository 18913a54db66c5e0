#!/usr/bin/env python3
"""Prove that a deployed site keeps what is promised to its people, from outside and from inside."""

from __future__ import annotations

import sys

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

import panoramax_ops  # noqa: F401  (enters the virtual environment)

# isort: split
import typer

from panoramax_ops.verify.cli import verify

if __name__ == "__main__":
    typer.run(verify)
