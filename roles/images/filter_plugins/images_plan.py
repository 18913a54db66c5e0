"""Name every image of the site by the content of what it is built from, so that an unchanged image is never rebuilt."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Never part of an image, and written by the tools that developers run beside the sources.
IGNORED = ("node_modules", "dist", "__pycache__", "*.pyc", ".mypy_cache", ".ruff_cache", ".pytest_cache")


class ImagesPlanError(ValueError):
    """An image has no sources to build it from."""


def _context_files(context: Path) -> list[Path]:
    files = []
    for path in sorted(context.rglob("*")):
        parts = path.relative_to(context).parts
        if path.is_file() and not any(fnmatch.fnmatch(part, pattern) for part in parts for pattern in IGNORED):
            files.append(path)
    return files


def content_tag(context: Path, salt: str) -> str:
    """First twelve hexadecimal digits of SHA-256 over names, modes and bytes of the context's files, and the salt."""
    digest = hashlib.sha256(salt.encode())
    for path in _context_files(context):
        digest.update(f"\0{path.relative_to(context)}\0{path.stat().st_mode & 0o111:o}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def images_plan(
    names: Iterable[str],
    images_dir: str,
    prefix: str,
    salt: str,
    arguments: Mapping[str, Mapping[str, str]] | None = None,
) -> list[dict[str, Any]]:
    """One entry per image: `name`, `reference` (repository:tag), `tag`, `context`, `arguments`; the base image first.

    `salt` is what all images depend on beside their contexts: the Debian release, and when it was last refreshed.
    `arguments` are build arguments by image, part of what it is built from.

    A service of the operator's own has its context in its role, `roles/NAME/image` beside `images_dir`.

    Raises ImagesPlanError if the directory of an image lacks its Dockerfile.
    """
    root = Path(images_dir)
    base_tag = content_tag(root / "base", salt)
    plan = [_entry("base", prefix, base_tag, root / "base", {})]
    for name in names:
        own = root.parent / "roles" / name / "image"
        context = own if own.is_dir() else root / name
        if not (context / "Dockerfile").is_file():
            raise ImagesPlanError(f"images_names: {name}: {context / 'Dockerfile'} does not exist")
        given = dict((arguments or {}).get(name, {}))
        tag = content_tag(context, base_tag + (json.dumps(given, sort_keys=True) if given else ""))
        plan.append(_entry(name, prefix, tag, context, given))
    return plan


def _entry(name: str, prefix: str, tag: str, context: Path, arguments: Mapping[str, str]) -> dict[str, Any]:
    repository = f"{prefix}/{name}"
    return {
        "name": name,
        "repository": repository,
        "tag": tag,
        "reference": f"{repository}:{tag}",
        "context": str(context),
        "arguments": arguments,
    }


def images_references(plan: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Image name to the reference that containers are run from."""
    return {entry["name"]: entry["reference"] for entry in plan}


def images_mirrored(references: Mapping[str, str], registry: str) -> dict[str, str]:
    """The references as a mirror has them: below the registry's address and prefix, if there is one."""
    prefix = f"{registry.rstrip('/')}/" if registry else ""
    return {name: f"{prefix}{reference}" for name, reference in references.items()}


def images_base_last(references: Iterable[str]) -> list[str]:
    """The references in an order in which they can be removed: the others stand on the base."""
    return sorted(references, key=lambda reference: "/base:" in reference)


class FilterModule:
    """The filters, by the names that templates use."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {
            "images_plan": images_plan,
            "images_references": images_references,
            "images_mirrored": images_mirrored,
            "images_base_last": images_base_last,
        }
