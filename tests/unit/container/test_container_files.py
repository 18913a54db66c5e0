"""Module container_files: writes, owners, pruning, and silence about secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from container_files import keep_directory, keep_file, prune

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners can be set by root only")


def _entry(path: Path, **changes: Any) -> dict[str, Any]:
    return {"path": str(path), "content": "a\n", "secret": None, "uid": 0, "gid": 0, "mode": "0440", **changes}


def test_a_file_is_written_once(tmp_path: Path) -> None:
    entry = _entry(tmp_path / "f", uid=101, mode="0400")
    assert keep_file(entry, check=False) is not None
    status = (tmp_path / "f").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (101, 0o400)
    assert keep_file(entry, check=False) is None


def test_a_changed_mode_is_mended(tmp_path: Path) -> None:
    entry = _entry(tmp_path / "f")
    keep_file(entry, check=False)
    (tmp_path / "f").chmod(0o644)
    assert keep_file(entry, check=False) is not None
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o440


def test_check_mode_changes_nothing(tmp_path: Path) -> None:
    assert keep_file(_entry(tmp_path / "f"), check=True) is not None
    assert keep_directory({"path": str(tmp_path / "d"), "uid": 0, "gid": 0, "mode": "0750"}, check=True)
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_not_in_the_diff(tmp_path: Path) -> None:
    diff = keep_file(_entry(tmp_path / "f", content=None, secret="hunter2"), check=False)
    assert "hunter2" not in str(diff)
    assert (tmp_path / "f").read_text() == "hunter2"


def test_the_directory_that_docker_left_for_a_missing_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    keep_file(_entry(tmp_path / "f"), check=False)
    assert (tmp_path / "f").is_file()


def test_undeclared_files_go(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("x")
    keep_file(_entry(tmp_path / "f"), check=False)
    assert prune(str(tmp_path), {str(tmp_path / "f")}, check=False) == [str(tmp_path / "old")]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
