"""Makes the role's filters and its launcher importable."""

from __future__ import annotations

import sys
from pathlib import Path

_ROLE = Path(__file__).resolve().parents[3] / "roles" / "api"
for _folder in ("filter_plugins", "files"):
    sys.path.append(str(_ROLE / _folder))
