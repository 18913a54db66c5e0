"""Originals that nobody will blur: removed wherever they come from.

An original waits in tmp/ from its upload until it was blurred. One whose picture is not in the database, or is there
and was blurred, was left behind: by an upload that failed after the file was written, by a process that was killed, by
a deletion that upstream does not follow up (facts 5.5), by a database that was restored. Pictures that could not be
blurred yet keep theirs.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

log = logging.getLogger("launcher.sweep")

ORIGINALS = Path("/data/geovisio/tmp")
# A file is there before the transaction that names it is done: what is younger, in seconds, is left alone.
_YOUNG = 900.0
_BATCH = 500
# In seconds; and at most a hundredth of the time, however many files there are.
_INTERVAL = 20.0

Waiting = Callable[[list[UUID]], set[UUID]]

_WAITING = "SELECT id FROM pictures WHERE id = ANY(%(ids)s) AND preparing_status <> 'prepared'"


def waiting(ids: list[UUID]) -> set[UUID]:
    """Return which of the pictures ``ids`` wait for their blurring; within an application context."""
    from flask import current_app
    from geovisio.utils import db

    return {row[0] for row in db.fetchall(current_app, _WAITING, {"ids": ids})}


def picture_of(path: Path) -> UUID | None:
    """Return the picture whose original lies there: .../ab/cd/ef/01/<rest>.jpg (geovisio 2.15.1), if there is one."""
    try:
        return UUID(f"{''.join(path.parts[-5:-1])}-{path.stem}")
    except ValueError:
        return None


def old_files(folder: Path, youngest: float) -> Iterator[Path]:
    """Yield the files below ``folder`` that were last written before ``youngest``, a time of the clock."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            try:
                if path.stat().st_mtime < youngest:
                    yield path
            except FileNotFoundError:
                continue


def sweep(folder: Path, ask: Waiting) -> int:
    """Remove the originals below ``folder`` that wait for nothing, and return how many there were."""
    files = list(old_files(folder, time.time() - _YOUNG))
    removed = 0
    for start in range(0, len(files), _BATCH):
        batch = {path: picture_of(path) for path in files[start : start + _BATCH]}
        kept = ask([picture for picture in batch.values() if picture])
        for path, picture in batch.items():
            if picture not in kept:
                path.unlink(missing_ok=True)
                removed += 1
    if removed:
        log.warning("Removed %d originals that waited for nothing", removed)
    return removed


class Sweeper:
    """Sweeps now and then, between the jobs of a worker; a failure is noted, and no reason to stop the worker."""

    def __init__(self, folder: Path, ask: Waiting) -> None:
        """Due at once."""
        self._folder = folder
        self._ask = ask
        self._due = 0.0

    def when_due(self) -> None:
        """Sweep, if it is time to."""
        begun = time.monotonic()
        if begun < self._due:
            return
        try:
            sweep(self._folder, self._ask)
        except Exception:
            log.exception("Originals could not be swept")
        took = time.monotonic() - begun
        self._due = begun + max(_INTERVAL, 100 * took)
