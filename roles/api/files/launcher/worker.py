"""The loop that processes pictures.

Upstream's own loop finishes the whole queue when told to stop, ends for good at the first failure of any picture, and
waits for the blurring service without limit (facts 5.3 to 5.6). This one takes the same steps, one job at a time:

- SIGTERM and SIGINT wait until the current job is done, then end the process with status 0;
- a job that takes too long is broken off, and tried again later (`jobs.py`);
- several failures in a row that are no job's (the database is gone) end the process with status 1, and a round that
  does not come to an end, whatever it hangs in, ends it too: Docker starts a fresh one;
- no picture is taken while the blurring does not do its work (`breaker.py`); other jobs go on.
"""

import faulthandler
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from launcher.health import HEARTBEAT

log = logging.getLogger("launcher.worker")

_FAILURES_IN_A_ROW = 5
# Seconds between a job that should have been broken off and the end of the process that could not be reached.
GRACE = 30
FORGOTTEN_SECONDS = 300


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


def beat(heartbeat: Path = HEARTBEAT) -> None:
    """Tell the health check that the loop goes round."""
    heartbeat.touch()


def too_long(_signal: int, _frame: FrameType | None) -> None:
    """Handler of SIGALRM. Raises TimeoutError, in the middle of whatever the process does."""
    raise TimeoutError("the job took too long")


def loop(step: Callable[[], bool], stop: Stop, job_timeout: int) -> int:
    """Call ``step`` until told to stop; it does one job and returns whether there was one.

    Returns the exit status of the process.
    """
    failures = 0
    pause = 0.0
    while not stop.after(pause):
        signal.alarm(job_timeout)
        # The alarm reaches Python code only. This ends a process that hangs in anything else.
        faulthandler.dump_traceback_later(job_timeout + GRACE, exit=True)
        try:
            # Idle: upstream's pace. Busy: no pause.
            pause = 0.0 if step() else 1.0
            failures = 0
            beat()
        except Exception:
            failures += 1
            log.exception("A round failed (%d in a row)", failures)
            if failures >= _FAILURES_IN_A_ROW:
                log.error("Giving up: the next process starts afresh")
                return 1
            pause = float(failures)
        finally:
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
    log.info("Told to stop: the current job is done")
    return 0


def run(job_timeout: int, patience: int, pauses: list[float]) -> int:
    """Process pictures until told to stop; 1 if the database is not fit, or after several failures in a row.

    Args:
        job_timeout: Seconds that one job may take.
        patience: Seconds that the blurring may take for a picture.
        pauses: Seconds before each further try of a job that failed.
    """
    from geovisio import create_app
    from geovisio.workers import runner_pictures

    from launcher import database, privacy, sweep
    from launcher.pipeline import Pipeline

    privacy.remove_originals_too()
    beat()
    if not database.is_fit():
        return 1
    database.checked_connections()
    app: Any = create_app()
    if not app.config["API_BLUR_URL"]:
        log.error("API_BLUR_URL is not set: this worker would publish pictures as they came")
        return 1
    pipeline = Pipeline(app, patience, pauses)
    processor = runner_pictures.PictureProcessor(app=app, stop=False)
    sweeper = sweep.Sweeper(sweep.ORIGINALS, sweep.waiting)
    stop = Stop()
    # Not earlier: upstream's processor has just put its own handlers there.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGALRM, too_long)
    looked = float("-inf")

    def step() -> bool:
        nonlocal looked
        with app.app_context():
            processor.check_periodic_tasks()
            sweeper.when_due()
            if time.monotonic() - looked > FORGOTTEN_SECONDS:
                pipeline.look_for_forgotten()
                looked = time.monotonic()
            return bool(runner_pictures.process_next_job(app))

    started = time.monotonic()
    status = loop(step, stop, job_timeout)
    log.info("Worker %d ends after %.0f s", os.getpid(), time.monotonic() - started)
    return status
