"""The loop that processes pictures.

Upstream's own loop finishes the whole queue when told to stop, ends for good at the first failure of any picture, and
waits for the blurring service without limit (facts 5.3 to 5.6). This one takes the same steps, one job at a time:

- SIGTERM and SIGINT wait until the current job is done, then end the process with status 0;
- a job that takes too long fails like one that the blurring service refused, and is tried again a few times;
- a job that fails does not end the process; several in a row do, with status 1, so that Docker starts a fresh one;
- no job is taken while nothing listens at the blurring service: a restart there must not break the whole queue.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from launcher.health import HEARTBEAT

log = logging.getLogger("launcher.worker")

_FAILURES_IN_A_ROW = 5


class Stop:
    """Handler of SIGTERM and SIGINT that only remembers: the job at hand goes on, and the loop asks after it."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Remember that the process is to end."""
        self.requested = True

    def after(self, seconds: float) -> bool:
        """Wait ``seconds`` (a signal may shorten that, or not) and return whether the process is to end."""
        if seconds and not self.requested:
            time.sleep(seconds)
        return self.requested


def listens(url: str, timeout: float = 2.0) -> bool:
    """Whether something accepts connections at the host and port of ``url``."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=timeout):
            return True
    except OSError:
        return False


def beat(heartbeat: Path = HEARTBEAT) -> None:
    """Tell the health check that the loop goes round."""
    heartbeat.touch()


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("the job took too long")


def loop(step: Callable[[], bool], stop: Stop, blur_url: str, job_timeout: int) -> int:
    """Call ``step`` until told to stop; it does one job and returns whether there was one.

    Returns the exit status of the process.
    """
    failures = 0
    waiting = False
    pause = 0.0
    while not stop.after(pause):
        beat()
        if not listens(blur_url):
            if not waiting:
                log.warning("Nothing listens at %s: waiting with all pictures", blur_url)
            waiting, pause = True, 2.0
            continue
        waiting = False
        signal.alarm(job_timeout)
        try:
            # Idle: upstream's pace. Busy: no pause.
            pause = 0.0 if step() else 1.0
            failures = 0
        except Exception:
            failures += 1
            log.exception("A job failed (%d in a row)", failures)
            if failures >= _FAILURES_IN_A_ROW:
                log.error("Giving up: the next process starts afresh")
                return 1
            pause = float(failures)
        finally:
            signal.alarm(0)
    log.info("Told to stop: the current job is done")
    return 0


def run(job_timeout: int) -> int:
    """Process pictures until told to stop; 1 if the database is not fit, or after several failures in a row."""
    from geovisio import create_app
    from geovisio.workers import runner_pictures

    from launcher import database, privacy, sweep

    privacy.remove_originals_too()
    beat()
    try:
        with database.connect() as connection:
            database.check(connection)
    except database.NotReadyError as error:
        log.error("%s", error)
        return 1
    app: Any = create_app()
    blur_url = app.config["API_BLUR_URL"]
    if not blur_url:
        log.error("API_BLUR_URL is not set: this worker would publish pictures as they came")
        return 1
    processor = runner_pictures.PictureProcessor(app=app, stop=False)
    sweeper = sweep.Sweeper(sweep.ORIGINALS, sweep.waiting)
    stop = Stop()
    # Not earlier: upstream's processor has just put its own handlers there.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGALRM, _too_long)

    def step() -> bool:
        with app.app_context():
            processor.check_periodic_tasks()
            sweeper.when_due()
            return bool(runner_pictures.process_next_job(app))

    started = time.monotonic()
    status = loop(step, stop, blur_url, job_timeout)
    log.info("Worker %d ends after %.0f s", os.getpid(), time.monotonic() - started)
    return status
