#!/usr/bin/env python3
"""Make the virtual environment that everything else runs in. Needs nothing but Python's standard library."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

MINIMUM = (3, 11)
# Where a bundle, unpacked, has the wheels; with them nothing is downloaded.
WHEELS = Path(__file__).resolve().parents[1] / "bundle" / "wheels"


def fail(message: str) -> None:
    """Say what is wrong and how to mend it, and end with 2 (could not be done)."""
    print(f"bootstrap: {message}", file=sys.stderr)
    raise SystemExit(2)


def ensure_venv_module() -> None:
    """Debian splits `venv` off Python: install it where that is allowed, else say how."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        apt = shutil.which("apt-get")
        if (
            apt is None
            or subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0"
        ):
            fail(f"Python's venv module is missing; install it as root: apt-get install {package}")
        subprocess.run([str(apt), "update", "-qq"], check=True)
        subprocess.run([str(apt), "install", "-y", "-qq", package], check=True, stdout=subprocess.DEVNULL)


def pip(python: Path) -> list[str]:
    """How pip is called for the environment: out of the bundle where there is one, so that Debian's venv suffices."""
    if not WHEELS.is_dir():
        return [str(python), "-m", "pip", "install"]
    wheel = next(WHEELS.glob("pip-*.whl"), None)
    if wheel is None:
        fail(f"{WHEELS} lacks pip's own wheel; unpack the bundle again")
    return [str(python), f"{wheel}/pip", "install", "--no-index", "--find-links", str(WHEELS)]


def main() -> None:
    """Make or update the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--requirements", type=Path, required=True)
    arguments = parser.parse_args()
    if sys.version_info < MINIMUM:
        fail(f"this is Python {sys.version.split()[0]}; use 3.11 or newer, e.g. make PYTHON=python3.11 deploy")
    started = time.monotonic()
    print(f"Python environment from {arguments.requirements} ...", flush=True)
    if not (arguments.venv / "bin" / "python").exists():
        if not WHEELS.is_dir():
            ensure_venv_module()
        venv.EnvBuilder(with_pip=not WHEELS.is_dir(), clear=arguments.venv.exists()).create(arguments.venv)
    command = [*pip(arguments.venv / "bin" / "python"), "--quiet", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-deps", "-r", str(arguments.requirements)]
    if subprocess.run(command, check=False).returncode != 0:
        fail(
            f"{arguments.requirements} could not be installed; see pip's message above, then run the same command again"
        )
    print(f"Python environment ready after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
