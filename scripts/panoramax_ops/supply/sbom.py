"""Bills of material (CycloneDX) of the images that a site runs, read from the images by Syft.

Syft knows Debian's, Python's, npm's and Java's packages.
It is built from its pinned Go module when it is not installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from panoramax_ops.errors import UnableError
from panoramax_ops.supply.pins import pins

BUILD_SECONDS = 1800
READ_SECONDS = 900


def syft(root: Path) -> Path:
    """The program: as it is installed, or built once into .cache/bin of the project at `root`.

    Raises UnableError if it is neither there nor can be built.
    """
    installed = shutil.which("syft")
    if installed:
        return Path(installed)
    pin = next(pin for pin in pins(root) if pin.kind == "go" and pin.name.endswith("/syft"))
    directory = root / ".cache" / "bin"
    program = directory / f"syft-{pin.version}"
    if program.exists():
        return program
    if not shutil.which("go"):
        raise UnableError("syft is not installed, and without Go it cannot be built.", "Install syft, or Go.")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        environment = {**os.environ, "GOBIN": scratch}
        command = ["go", "install", f"{pin.name}@{pin.version}"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
        if done.returncode:
            raise UnableError(
                f"syft {pin.version} could not be built: {done.stderr.strip()[-400:]}", "Install syft, or mend Go."
            )
        (Path(scratch) / "syft").rename(program)
    return program


def images(engines: Iterable[Any], project: str) -> list[tuple[str, str, Any]]:
    """Service, image id and engine (docker.DockerClient) of each image of the project; workers share the API's."""
    found: dict[str, tuple[str, str, Any]] = {}
    for engine in engines:
        containers = engine.containers.list(all=True, filters={"name": f"^/{project}-"})
        for container in sorted(containers, key=lambda one: str(one.name)):
            service = container.name.removeprefix(f"{project}-")
            found.setdefault(container.image.id, (service, container.image.id, engine))
    return sorted(found.values(), key=lambda entry: entry[0])


def write(engine: Any, image: str, target: Path, program: Path) -> None:
    """Write the bill of material of an image to `target`. Raises UnableError if it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="panoramax-sbom-") as directory:
        archive = Path(directory) / "image.tar"
        with archive.open("wb") as stream:
            stream.writelines(engine.images.get(image).save(named=True))
        _syft(program, f"docker-archive:{archive}", target)


def write_locked(directory: Path, target: Path, program: Path) -> None:
    """The same of what a lock file in `directory` names: what is bundled into scripts leaves no trace in an image."""
    _syft(program, f"dir:{directory}", target)


def _syft(program: Path, source: str, target: Path) -> None:
    # Single files of the packages found would be a hundred times their number, and say nothing more.
    options = ["--quiet", "--select-catalogers", "-file", "--output", f"cyclonedx-json={target}"]
    command = [str(program), "scan", source, *options]
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=READ_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnableError(f"syft did not end within {READ_SECONDS} s.", "Try again on a quieter machine.") from error
    if done.returncode:
        raise UnableError(f"syft could not read {source}: {done.stderr.strip()[-400:]}", "See what syft says.")
