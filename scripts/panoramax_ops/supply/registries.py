"""The newest version of each package, asked through the package managers' own clients.

They know the registries or mirrors of this machine and how to get there; no address is written down here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from panoramax_ops.supply.pins import Pin

SECONDS = 180
# The Python of the images. A release that does not run there is not an update.
PYTHON_VERSION = "3.13"
COPY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


class NotAskedError(Exception):
    """A registry could not be asked; the message says why."""


def run(command: list[str], *, stdin: str = "", cwd: Path | None = None, codes: Iterable[int] = (0,)) -> str:
    """Standard output of a package manager. Raises NotAskedError if it is not there or fails."""
    # What is in the virtual environment comes first.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    program = shutil.which(command[0], path=path)
    if not program:
        raise NotAskedError(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            [program, *command[1:]], input=stdin, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotAskedError(f"{command[0]} did not end within {SECONDS} s") from error
    if done.returncode not in codes:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise NotAskedError(f"{command[0]}: {lines[-1].strip() if lines else f'exit code {done.returncode}'}")
    return done.stdout


def newest(wanted: Iterable[Pin]) -> dict[Pin, str | NotAskedError]:
    """The newest version of each pinned package, or why it is not known."""
    known: dict[Pin, str | NotAskedError] = {}
    by_kind: dict[str, list[Pin]] = {}
    for pin in wanted:
        by_kind.setdefault(pin.kind, []).append(pin)
    python = by_kind.pop("python", [])
    if python:
        known.update(_python(python))
    one_by_one: dict[str, Callable[[str], str]] = {"npm": _npm, "maven": _maven, "go": _go}
    with ThreadPoolExecutor(4) as pool:
        asked = {pin: pool.submit(one_by_one[kind], pin.name) for kind, group in by_kind.items() for pin in group}
        for pin, answer in asked.items():
            try:
                known[pin] = answer.result()
            except NotAskedError as error:
                known[pin] = error
    return known


def _python(group: list[Pin]) -> dict[Pin, str | NotAskedError]:
    command = ["uv", "pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate"]
    names = sorted({pin.name for pin in group})
    try:
        text = run([*command, "--python-version", PYTHON_VERSION, "-"], stdin="\n".join(names))
    except NotAskedError as error:
        return dict.fromkeys(group, error)
    versions = dict(line.split("==", 1) for line in text.split() if "==" in line)
    missing = NotAskedError(f"no release for Python {PYTHON_VERSION}")
    return {pin: versions.get(pin.name, missing) for pin in group}


def _npm(name: str) -> str:
    return str(json.loads(run(["npm", "view", name, "version", "--json"])))


def _maven(name: str) -> str:
    """Maven knows what RELEASE is; the name of the small file that it then fetches tells."""
    artifact = name.split(":")[1]
    with tempfile.TemporaryDirectory() as directory:
        run(
            [
                "mvn",
                "--batch-mode",
                "--quiet",
                COPY_PLUGIN,
                f"-Dartifact={name}:RELEASE:pom",
                f"-DoutputDirectory={directory}",
            ]
        )
        files = [path.stem for path in Path(directory).iterdir()]
    if not files:
        raise NotAskedError(f"mvn fetched nothing for {name}")
    return files[0].removeprefix(f"{artifact}-")


def _go(name: str) -> str:
    """`name` is a command; its module is what is before /cmd/."""
    module = re.sub(r"/cmd/.*", "", name)
    return str(json.loads(run(["go", "list", "-m", "-json", f"{module}@latest"]))["Version"])
