"""The record of what administrators did: one line of JSON per action, appended, without secrets."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def actor() -> str:
    """Who runs the script: the person behind sudo, if there is one."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


class AuditLog:
    """`accounts.log` of an inventory. Two scripts may write at once: each line is written whole, under a lock."""

    def __init__(self, path: Path) -> None:
        """The file is made with mode 0600 at the first line."""
        self.path = path

    def write(self, action: str, email: str, **details: str | int | bool) -> None:
        """Append one action on the account of `email`. `details` must hold no secret."""
        line = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "who": actor(),
            "action": action,
            "account": email,
            **details,
        }
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """All lines, oldest first. A line that an interruption cut off is left out."""
        if not self.path.exists():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(text))
        return lines

    def of(self, email: str) -> list[dict[str, Any]]:
        """All lines on one person, also those from when the person had another e-mail."""
        lines = self.read()
        names = {email}
        for line in reversed(lines):
            if line["action"] == "set-email" and line.get("new") in names:
                names.add(line["account"])
        return [line for line in lines if line["account"] in names]
