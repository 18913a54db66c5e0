"""Known vulnerabilities in what the lock files pin, as the package managers' own audits tell."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panoramax_ops.supply.registries import NotAskedError, run


@dataclass
class Audit:
    """What was found in one lock file: `findings` to mend, `unknown` when (part of) it could not be checked."""

    file: str
    packages: int = 0
    findings: list[str] = field(default_factory=list)
    unknown: str = ""


def lock_files(root: Path) -> list[Path]:
    """The lock files of the project at `root`."""
    python = [*root.glob("requirements*.txt"), *root.glob("images/*/requirements*.txt")]
    return sorted(path for path in [*python, *root.glob("images/*/package-lock.json")] if "--hash" in _text(path))


def _text(path: Path) -> str:
    """npm's locks hold their hashes as `integrity`."""
    return path.read_text(encoding="utf-8").replace('"integrity"', "--hash")


def audit(path: Path, root: Path) -> Audit:
    """Audit one lock file."""
    result = Audit(path.relative_to(root).as_posix())
    try:
        if path.suffix == ".json":
            read_npm(json.loads(run(["npm", "audit", "--json"], cwd=path.parent, codes=(0, 1))), result)
        else:
            # pip-audit ends with 1 for findings; what it could not look up, it says in its answer.
            command = ["pip-audit", "--requirement", str(path), "--no-deps"]
            options = ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
            read_python(json.loads(run([*command, *options], codes=(0, 1)) or "{}"), result)
    except NotAskedError as error:
        result.unknown = str(error)
    except json.JSONDecodeError as error:
        result.unknown = f"the answer is not JSON ({error})"
    return result


def read_python(answer: dict[str, Any], result: Audit) -> None:
    """Read pip-audit's JSON into `result`."""
    packages = answer.get("dependencies", [])
    result.packages = len(packages)
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    for package in packages:
        for found in package.get("vulns", []):
            fixed = ", ".join(found.get("fix_versions") or []) or "nothing yet"
            result.findings.append(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    if unknown or not packages:
        result.unknown = f"no data about {len(unknown)} of {len(packages)} packages from the package registry"


def read_npm(answer: dict[str, Any], result: Audit) -> None:
    """Read npm's JSON into `result`. An audit that the registry refused has a `message` or an `error`."""
    if "vulnerabilities" not in answer:
        error = answer.get("error", {})
        said = answer.get("message") or error.get("summary") or error.get("detail") or "no answer"
        result.unknown = str(said)
        return
    result.packages = int(answer.get("metadata", {}).get("dependencies", {}).get("total", 0))
    for name, found in answer["vulnerabilities"].items():
        titles = [via["title"] for via in found["via"] if isinstance(via, dict)]
        if titles:
            result.findings.append(f"{name} {found['range']}: {'; '.join(titles)} ({found['severity']})")
