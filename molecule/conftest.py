"""The scenarios' tests use the project's own code."""

import sys
from pathlib import Path

# Last, because a script there has the name of a standard module (secrets).
sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
