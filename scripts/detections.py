#!/usr/bin/env python3
"""How far the operator's own detectors are, and running them again: detections.py -i inventories/NAME COMMAND."""

from __future__ import annotations

import sys

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

from panoramax_ops.detections_cli import app

if __name__ == "__main__":
    app()
