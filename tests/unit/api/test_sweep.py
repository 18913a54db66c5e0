"""Originals that nobody will blur."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import UUID

import pytest
from launcher import sweep

WAITING, GONE = UUID("11111111-2222-4333-8444-555555555555"), UUID("66666666-7777-4888-9999-000000000000")


def original(folder: Path, picture: UUID, age: float) -> Path:
    """A file where geovisio puts the original of a picture."""
    text = str(picture)
    path = folder / text[:2] / text[2:4] / text[4:6] / text[6:8] / f"{text[9:]}.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"unblurred")
    os.utime(path, (time.time() - age,) * 2)
    return path


def ask(ids: list[UUID]) -> set[UUID]:
    """A database in which one of them waits."""
    return {picture for picture in ids if picture == WAITING}


def test_what_waits_for_nothing_goes(tmp_path: Path) -> None:
    kept, removed = original(tmp_path, WAITING, 5000), original(tmp_path, GONE, 5000)
    odd = tmp_path / "odd.jpg"
    odd.touch()
    os.utime(odd, (0, 0))
    assert sweep.sweep(tmp_path, ask) == 2
    assert kept.exists()
    assert not removed.exists()
    assert not odd.exists()


def test_an_upload_at_work_is_left_alone(tmp_path: Path) -> None:
    young = original(tmp_path, GONE, 60)
    assert sweep.sweep(tmp_path, ask) == 0
    assert young.exists()


def test_a_failure_stops_nobody_and_is_not_repeated_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    original(tmp_path, GONE, 5000)
    asked = []

    def fails(ids: list[UUID]) -> set[UUID]:
        asked.append(ids)
        raise ConnectionError("no database")

    sweeper = sweep.Sweeper(tmp_path, fails)
    sweeper.when_due()
    sweeper.when_due()
    assert asked == [[GONE]]
    assert "could not be swept" in caplog.text


def test_no_folder_yet(tmp_path: Path) -> None:
    assert sweep.sweep(tmp_path / "none", ask) == 0
