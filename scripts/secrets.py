#!/usr/bin/env python3
"""Make the secrets of a site that are missing: secrets.py -i inventories/NAME."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # This file has the name of a standard module, which libraries want: its directory must not come first.
    sys.path.append(sys.path.pop(0))

    from panoramax_ops.secrets_cli import app

    app()
else:
    # Somebody wants the standard module and found this file, because a path leads here first. Hand that one over.
    import importlib.util
    import sysconfig
    from pathlib import Path

    _spec = importlib.util.spec_from_file_location(__name__, Path(sysconfig.get_path("stdlib")) / "secrets.py")
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules[__name__] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[__name__])
