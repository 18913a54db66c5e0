"""The loop that has the operator's own detectors look at published pictures, and stores what they find.

The database says which picture is next (guard, 78_detections.sql) and remembers how far each detector is: this process
may end at any time. It stands back while pictures wait to be blurred, which people wait for. A detector that cannot be
reached waits, the others go on; a picture that a detector fails at is tried again after growing pauses, and given up
after the last one.
"""

import json
import logging
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from PIL import Image

from launcher import detector, worker

log = logging.getLogger("launcher.detecting")

DETECTORS = Path("/etc/private-panoramax/detectors.json")
PICTURES = Path("/data/geovisio/permanent")
# Seconds: before each further try of a picture; until a detector that is away is asked again; between two looks for
# new pictures, and between two for any that were forgotten.
PAUSES = (10.0, 60.0, 600.0, 3600.0)
AWAY_SECONDS = 15.0
NEW_SECONDS, FORGOTTEN_SECONDS = 2.0, 600.0

_NEXT = "SELECT picture, detector, version, tries FROM priv.next_detection(%(among)s)"
_STORE = "SELECT priv.store_detections(%(picture)s, %(detector)s, %(version)s, %(found)s)"
_QUEUE = "SELECT priv.queue_detections(%(everything)s)"
_BUSY = "SELECT priv.blurring_is_busy()"
_GIVE_BACK = """
UPDATE priv.detections SET tries = greatest(tries - 1, 0), due = now()
WHERE picture_id = %(picture)s AND detector = %(detector)s
"""
_LATER = """
UPDATE priv.detections SET reason = %(reason)s, due = now() + make_interval(secs => %(pause)s),
  state = CASE WHEN %(final)s THEN 'failed' ELSE 'waiting' END
WHERE picture_id = %(picture)s AND detector = %(detector)s
"""
_REASONS = {True: "the picture's file cannot be read", False: "what it found could not be stored"}
# Deletions and re-blurring hold a picture for a moment: this process lets go first.
_IMPATIENT = "SET lock_timeout = '5s'"


@dataclass(frozen=True)
class Turn:
    """A picture that a detector is to look at; `tries` counts this time."""

    picture: UUID
    detector: str
    version: str
    tries: int

    @property
    def key(self) -> dict[str, Any]:
        """What the database knows it by."""
        return {"picture": self.picture, "detector": self.detector}


def declared(path: Path = DETECTORS) -> dict[str, str]:
    """By the name of each detector that the inventory declares, what this process is told of it: where it is asked."""
    entries: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def picture_file(picture: UUID, folder: Path = PICTURES) -> Path:
    """Where upstream keeps the blurred picture (geovisio 2.15.1): ab/cd/ef/01/<rest>.jpg."""
    first, _, rest = str(picture).partition("-")
    return folder / first[:2] / first[2:4] / first[4:6] / first[6:] / f"{rest}.jpg"


class Detecting:
    """One step at a time, on a connection of its own that is made anew when it was lost."""

    def __init__(self, urls: dict[str, str], patience: float) -> None:
        """`urls` by the names of the detectors; `patience`: seconds that one may take for a picture."""
        self._urls, self._patience = urls, patience
        self._away: dict[str, float] = {}
        self._connection: psycopg.Connection[Any] | None = None
        self._new = self._forgotten = float("-inf")

    def step(self) -> bool:
        """Have one detector look at one picture. Returns whether there was one.

        Raises:
            psycopg.Error, NotReadyError: the database is not there.
        """
        connection = self._connected()
        self._look_for_pictures(connection)
        now = time.monotonic()
        among = [name for name in self._urls if self._away.get(name, now) <= now]
        if not among or self._ask(connection, _BUSY):
            return False
        row = connection.execute(_NEXT, {"among": among}).fetchone()
        if row is None:
            return False
        turn = Turn(*row)
        try:
            self._look(connection, turn)
        except psycopg.errors.LockNotAvailable:
            connection.execute(_GIVE_BACK, turn.key)
        except detector.AwayError as error:
            log.info("Detector %s waits: %s", turn.detector, error)
            self._away[turn.detector] = time.monotonic() + AWAY_SECONDS
            connection.execute(_GIVE_BACK, turn.key)
        except psycopg.OperationalError:
            raise
        except (detector.DetectorError, OSError, psycopg.Error) as error:
            self._failed(connection, turn, error)
        return True

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            # It knows upstream's program, which is slow to import.
            from launcher import database

            self._connection = database.connect()
            self._connection.execute(_IMPATIENT)
        return self._connection

    @staticmethod
    def _ask(connection: "psycopg.Connection[Any]", statement: str, parameters: dict[str, Any] | None = None) -> Any:
        row = connection.execute(statement, parameters).fetchone()
        return row[0] if row else None

    def _look_for_pictures(self, connection: "psycopg.Connection[Any]") -> None:
        now = time.monotonic()
        everything = now - self._forgotten > FORGOTTEN_SECONDS
        if everything or now - self._new > NEW_SECONDS:
            self._ask(connection, _QUEUE, {"everything": everything})
            self._new = now
            self._forgotten = now if everything else self._forgotten

    def _look(self, connection: "psycopg.Connection[Any]", turn: Turn) -> None:
        file = picture_file(turn.picture)
        data = file.read_bytes()
        with Image.open(file) as image:
            size = image.size
        found = detector.ask(self._urls[turn.detector], data, size, self._patience)
        stored = self._ask(connection, _STORE, turn.key | {"version": turn.version, "found": detector.as_json(found)})
        log.info(
            "Picture %s: %s/%s found %d%s",
            turn.picture, turn.detector, turn.version, len(found), "" if stored else "; it was removed meanwhile",
        )  # fmt: skip

    @staticmethod
    def _failed(connection: "psycopg.Connection[Any]", turn: Turn, error: Exception) -> None:
        reason = str(error) if isinstance(error, detector.DetectorError) else _REASONS[isinstance(error, OSError)]
        if isinstance(error, psycopg.Error):
            log.error("Picture %s: %s", turn.picture, error)
        final = isinstance(error, detector.RefusedError) or turn.tries > len(PAUSES)
        pause = PAUSES[min(turn.tries, len(PAUSES)) - 1]
        log.warning(
            "Picture %s: %s: %s (try %d%s)", turn.picture, turn.detector, reason, turn.tries, ", given up" * final
        )
        connection.execute(_LATER, turn.key | {"reason": reason, "pause": pause, "final": final})


def run(patience: int) -> int:
    """Go on until told to stop; 1 if the database is not fit, or after several failures in a row."""
    from launcher import database

    worker.beat()
    if not database.is_fit():
        return 1
    detecting = Detecting(declared(), patience)
    stop = worker.Stop()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # A step asks with a limit of its own; this one is for what has none.
    signal.signal(signal.SIGALRM, worker.too_long)
    return worker.loop(detecting.step, stop, patience + 30)
