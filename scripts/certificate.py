#!/usr/bin/env python3
"""Show and renew the site's certificate: certificate.py COMMAND."""

from __future__ import annotations

import sys

# This directory holds a script of the name of a standard module (secrets): it must not come first.
sys.path.append(sys.path.pop(0))

import panoramax_ops  # noqa: F401  (enters the virtual environment)

# isort: split
from panoramax_ops.certificate_cli import app

if __name__ == "__main__":
    app()
