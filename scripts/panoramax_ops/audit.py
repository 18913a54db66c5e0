"""The record of what administrators did: one line of JSON per action, appended, without secrets.

Each line carries the digest of the line before (`chain`), so that a line that was changed, taken out or put in between
shows. A copy of each goes to the database, where the scripts can add lines and nobody of them can remove any: it holds
the lines of all administrators, and shows if the end of a file was cut off.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from panoramax_ops.errors import OpsError

# What a line says about itself, and not about the action.
MARKS = ("log", "chain")
# More than the longest line, in bytes.
TAIL = 65536


def actor() -> str:
    """Who runs the script: the person behind sudo, if there is one."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def person_at_work() -> str:
    """The login name of a person here; empty where root itself is logged in, which is nobody in particular."""
    return "" if actor() == "root" else actor().lower()


def _digest(previous: str, line: dict[str, Any]) -> str:
    body = {key: value for key, value in line.items() if key != "chain"}
    return hashlib.sha256((previous + json.dumps(body, ensure_ascii=False, sort_keys=True)).encode()).hexdigest()


def _parsed(text: bytes | str) -> dict[str, Any] | None:
    """A line of the record, or None for one that an interruption cut off."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "when" in found else None


class AuditLog:
    """`accounts.log` of an inventory. Two scripts may write at once: each line is written whole, under a lock."""

    def __init__(self, path: Path, copy: Callable[[str], None] | None = None, me: str = "") -> None:
        """The file is made with mode 0600 at the first line. `copy` keeps each line elsewhere as well.

        `me` is the e-mail of the account of who runs the script, if it was given.
        """
        self.path = path
        self._copy = copy
        self._me = me

    def write(self, action: str, email: str, **details: str | int | bool) -> None:
        """Append one action on the account of `email`. `details` must hold no secret."""
        line: dict[str, Any] = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "who": f"{actor()} ({self._me})" if self._me else actor(),
            "action": action,
            "account": email,
            **details,
        }
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(max(stream.seek(0, os.SEEK_END) - TAIL, 0))
            before = stream.read()
            last = _parsed(before.rstrip(b"\n").rpartition(b"\n")[2]) or {}
            # What an interruption left of a line stays what it is, on a line of its own.
            torn = b"\n" if before and not before.endswith(b"\n") else b""
            line["log"] = last.get("log") or secrets.token_hex(4)
            if not (previous := last.get("chain")):
                stream.seek(0)
                previous = hashlib.sha256(stream.read() + torn).hexdigest()
            line["chain"] = _digest(previous, line)
            text = json.dumps(line, ensure_ascii=False)
            stream.write(torn + text.encode() + b"\n")
        if self._copy is not None:
            # The action is done and stands in the file: a copy that fails is no reason to say otherwise.
            with contextlib.suppress(OpsError):
                self._copy(text)

    def read(self, copies: Iterable[str] = ()) -> list[dict[str, Any]]:
        """All lines, oldest first, with those of `copies` that are not in the file. Torn lines are left out."""
        own = self.path.read_text(encoding="utf-8").split("\n") if self.path.exists() else []
        texts = dict.fromkeys([*copies, *own])
        lines = [line for text in texts if (line := _parsed(text)) is not None]
        return sorted(lines, key=lambda line: str(line["when"]))

    def of(self, email: str, copies: Iterable[str] = ()) -> list[dict[str, Any]]:
        """All lines on one person, also those from when the person had another e-mail."""
        lines = self.read(copies)
        names = {email}
        for line in reversed(lines):
            if line["action"] == "set-email" and line.get("new") in names:
                names.add(line["account"])
        return [line for line in lines if line["account"] in names]

    def faults(self, copies: Iterable[str]) -> list[str]:
        """What is wrong with the file: lines that were changed, taken out, put in or cut off. None if it is whole."""
        content = self.path.read_bytes() if self.path.exists() else b""
        found: list[str] = []
        seen = set()
        whole = hashlib.sha256()
        previous = ""
        for number, raw in enumerate(content.splitlines(keepends=True), start=1):
            line = _parsed(raw)
            if line is not None and line.get("chain"):
                if line["chain"] != _digest(previous or whole.hexdigest(), line):
                    found.append(f"line {number} does not follow from the one before it")
                previous = str(line["chain"])
                seen.add(previous)
            else:
                if line is not None and previous:
                    found.append(f"line {number} was not written by this script")
                previous = ""
            whole.update(raw)
        logs = {line.get("log") for line in self.read()} - {None}
        lost = [
            line
            for text in copies
            if (line := _parsed(text)) is not None
            and (line.get("log") in logs or not logs)
            and line.get("chain") not in seen
        ]
        if lost:
            found.append(f"{len(lost)} lines that the database keeps are not in it, the first of {lost[0]['when']}")
        return found
