"""The settings of one host: their values, and where each of them stands.

Written against ansible-core 2.19, which knows file, line and column of every value it read from YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from panoramax_ops.preflight.model import Problem

ROOT = Path(__file__).resolve().parents[3]
# The file that joins the roles: what stands there is derived from other settings, which are judged instead.
WIRING = ROOT / "inventories" / "common" / "wiring.yml"
_PRIVATE = re.compile(r"^secret_|^database_password_|(^|[._])password$|_secret(_key)?$")


class SettingUndefinedError(LookupError):
    """A value names a variable that nobody sets, or cannot be evaluated for another reason."""


def relative(path: Path | str) -> str:
    """A path as one types it in the repository."""
    resolved = Path(path)
    return str(resolved.relative_to(ROOT)) if resolved.is_relative_to(ROOT) else str(resolved)


def is_private(name: str) -> bool:
    """Whether the value of a setting must never be shown."""
    return bool(_PRIVATE.search(name))


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: "***" if is_private(str(key)) else _masked(entry) for key, entry in value.items()}
    return [_masked(entry) for entry in value] if isinstance(value, list) else value


def shown(value: Any) -> str:
    """A value as an operator would write it, short, with passwords in it masked."""
    text = json.dumps(_masked(value), ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _line(path: Path, name: str, last: int | None = None) -> int | None:
    """The last line, up to `last`, on which a file sets the variable; None if none does."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[:last]
    except (OSError, UnicodeDecodeError):
        return None
    return max((number for number, line in enumerate(lines, start=1) if line.startswith(f"{name}:")), default=None)


class Settings:
    """What an inventory and the roles' defaults say for one host."""

    def __init__(
        self,
        host: str,
        values: Mapping[str, Any],
        template: Callable[[Any], Any],
        defaults: Mapping[str, Any],
        directory: Path,
    ) -> None:
        """`values` as Ansible loaded them, `template` evaluates one, `defaults` are of the roles' specifications."""
        self.host = host
        self.values = values
        self.directory = directory
        self._template = template
        self.defaults = defaults
        self._known: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        """Whether anybody but the roles' defaults sets it."""
        return name in self.values

    def value(self, name: str) -> Any:
        """Value of a setting; the role's default where nobody sets it, None where there is no default either.

        Raises SettingUndefinedError if it cannot be evaluated.
        """
        if name not in self._known:
            raw = self.values[name] if name in self.values else self.defaults.get(name)
            try:
                self._known[name] = self._template(raw)
            except Exception as error:
                # Ansible has many classes for what may go wrong in a template; the first line says it.
                raise SettingUndefinedError(str(error).strip().splitlines()[0]) from error
        return self._known[name]

    def usable(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """Value of a setting if it is of the given type, else None: rules judge only what has its type."""
        try:
            value = self.value(name)
        except SettingUndefinedError:
            return None
        if isinstance(value, str) and kind is int and re.fullmatch(r"-?\d+", value):
            return int(value)
        if isinstance(value, bool) and kind is not bool:
            return None
        return value if isinstance(value, kind) else None

    def text(self, name: str) -> str:
        """Value of a setting as text; empty if it is none."""
        return str(self.usable(name, str) or "")

    def _origin(self, name: str) -> tuple[Path, int] | None:
        """File and line of a setting. Ansible does not know them for true, false and nothing: the files tell."""
        from ansible._internal._datatag._tags import Origin  # the only way to a value's file and line

        origin = Origin.get_tag(self.values.get(name))
        if origin is not None and origin.path is not None:
            path = Path(origin.path)
            # A list or mapping begins below its name.
            return path, _line(path, name, origin.line_num) or origin.line_num or 0
        files = [
            path for kind in ("host_vars", "group_vars") for path in sorted(self.directory.rglob(f"{kind}/**/*.yml"))
        ]
        for path in reversed(files):
            if line := _line(path, name):
                return path, line
        return None

    def place(self, name: str) -> str:
        """File and line where a setting stands; the inventory's directory where it stands nowhere."""
        origin = self._origin(name)
        if origin is None:
            return relative(self.directory)
        path, line = origin
        return f"{relative(path)}:{line}" if line else relative(path)

    def is_wired(self, name: str) -> bool:
        """Whether the value is derived from other settings."""
        origin = self._origin(name)
        return origin is not None and origin[0].resolve() == WIRING

    def problem(self, name: str, remedy: str) -> Problem:
        """What to say about the value of a setting. A secret's value is not shown."""
        if is_private(name):
            return Problem(self.place(name), name, remedy)
        try:
            value = shown(self.value(name))
        except SettingUndefinedError:
            value = shown(self.values.get(name))
        return Problem(self.place(name), f"{name} is {value}", remedy)
