"""Makes the scripts' package importable."""

from __future__ import annotations

import sys
from pathlib import Path

# At the end, not through pytest's `pythonpath`: scripts/secrets.py would hide the standard library's module.
sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
