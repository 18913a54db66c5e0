"""Ansible module: keep a list of files and directories as declared, in one call.

One call for a whole list costs as much as one `ansible.builtin.copy`; a site has some thirty such files.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: container_files
short_description: Keep configuration files and directories as declared
description:
  - Writes each file atomically, sets owner and mode, and removes files that are no longer declared from the directories
    named in O(prune). Bodies given as O(files[].secret) never appear in a result, a diff or a log.
options:
  directories:
    description: Directories to keep, each with C(path), C(uid), C(gid) and C(mode). Parents are made as C(0711) root.
    type: list
    elements: dict
  files:
    description: Files to keep, each with C(path), C(uid), C(gid), C(mode), and C(content) or C(secret).
    type: list
    elements: dict
  prune:
    description: Directories that may hold nothing but the files declared.
    type: list
    elements: str
author: Private Panoramax
"""

FILE_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "uid": {"type": "int", "default": 0},
    "gid": {"type": "int", "default": 0},
    "mode": {"type": "str", "default": "0440"},
    "target": {"type": "str"},
}
DIRECTORY_SPEC: dict[str, Any] = {key: FILE_SPEC[key] for key in ("path", "uid", "gid", "mode")}


def _attributes_differ(path: Path, entry: dict[str, Any]) -> bool:
    status = path.lstat()
    return (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) != (
        entry["uid"],
        entry["gid"],
        int(entry["mode"], 8),
    )


def _set_attributes(path: Path, entry: dict[str, Any]) -> None:
    os.chown(path, entry["uid"], entry["gid"])
    path.chmod(int(entry["mode"], 8))


def keep_directory(entry: dict[str, Any], *, check: bool) -> bool:
    """Make the directory, or mend its owner and mode. Returns whether something changed (or would)."""
    path = Path(entry["path"])
    if path.is_dir() and not _attributes_differ(path, entry):
        return False
    if not check:
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir(mode=0o711)
        path.mkdir(exist_ok=True)
        _set_attributes(path, entry)
    return True


def keep_file(entry: dict[str, Any], *, check: bool) -> dict[str, Any] | None:
    """Write the file if body, owner or mode differ. Returns a diff without a secret's body, or None if none did."""
    path = Path(entry["path"])
    secret = entry["secret"] is not None
    body = entry["secret"] if secret else entry["content"] or ""
    # Docker makes a directory where a bind mount's source was missing.
    if path.is_dir() and not check:
        path.rmdir()
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if before == body and not _attributes_differ(path, entry):
        return None
    if not check:
        if before == body:
            _set_attributes(path, entry)
        else:
            _write(path, body, entry)
    name = str(path)
    if secret:
        return {"before_header": name, "after_header": name, "before": "(secret)\n", "after": "(secret, changed)\n"}
    return {"before_header": name, "after_header": name, "before": before or "", "after": body}


def _write(path: Path, body: str, entry: dict[str, Any]) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(body)
        _set_attributes(Path(temporary), entry)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def prune(directory: str, declared: set[str], *, check: bool) -> list[str]:
    """Remove files of the directory that are not declared. Returns their paths."""
    path = Path(directory)
    if not path.is_dir():
        return []
    gone = [entry for entry in path.iterdir() if entry.is_file() and str(entry) not in declared]
    if not check:
        for entry in gone:
            entry.unlink()
    return [str(entry) for entry in gone]


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "list", "elements": "dict", "options": DIRECTORY_SPEC, "default": []},
            "files": {"type": "list", "elements": "dict", "options": FILE_SPEC, "default": []},
            "prune": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    check = bool(module.check_mode)
    try:
        made = [entry["path"] for entry in module.params["directories"] if keep_directory(entry, check=check)]
        diffs = [diff for entry in module.params["files"] if (diff := keep_file(entry, check=check)) is not None]
        declared = {entry["path"] for entry in module.params["files"]}
        removed = [path for directory in module.params["prune"] for path in prune(directory, declared, check=check)]
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}; is the disk full or read-only?")
    module.exit_json(
        changed=bool(made or diffs or removed),
        diff=diffs,
        directories_changed=made,
        files_changed=[diff["after_header"] for diff in diffs],
        files_removed=removed,
    )


if __name__ == "__main__":
    main()
