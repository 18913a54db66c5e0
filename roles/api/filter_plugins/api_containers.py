"""Small filters for the containers that role ``api`` declares."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

# Found from here, not through role_path: declarations are evaluated inside role `container`, where that is another one.
FILES = Path(__file__).resolve().parent.parent / "files"


def files(patterns: Iterable[str], home: str) -> list[dict[str, str]]:
    """Return the role's files that match ``patterns``, in their order, as a service's ``files`` below ``home``.

    Raises:
        ValueError: if a pattern matches nothing.
    """
    found = []
    for pattern in patterns:
        matches = sorted(FILES.glob(pattern))
        if not matches:
            raise ValueError(f"role api has no files/{pattern}")
        found += [
            {"path": f"{home}/{match.relative_to(FILES)}", "content": match.read_text(encoding="utf-8")}
            for match in matches
        ]
    return found


def numbered(number: int, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``service`` with ``-number`` behind its name."""
    return {**service, "name": f"{service['name']}-{number}"}


class FilterModule:
    """What Ansible asks a filter plugin for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by their names."""
        return {"api_files": files, "api_numbered": numbered}
