"""Takes jobs from upstream's queue, one at a time, and decides what becomes of those that fail.

Upstream takes them in the order of arrival, tries a failed one again at once, and gives it up within a second
(facts 5.3, 5.4). Here

- the guard says whose turn it is (44_queue.sql);
- a failure of the blurring service is not the picture's: it waits, without limit, and nothing is counted;
- a failure of the picture is counted and tried again after growing pauses; what still fails is broken, with a reason
  that its owner can read, until an administrator has it tried again;
- a picture that took its worker with it counts as failed too: it must not take the next one.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from launcher import blurring
from launcher.breaker import Breaker

log = logging.getLogger("launcher.jobs")

# Who deletes an upload waits for the job that is locked here, while the worker waits for the picture that is locked
# there, on another connection: the database cannot see that, so the worker lets go first (facts 5.7).
_IMPATIENT = "SET lock_timeout = '5s'"
_TURN = "SELECT priv.next_job(%(blurring)s) AS id"
_NEXT = """
SELECT j.id, j.picture_id, j.upload_set_id, j.sequence_id, j.picture_to_delete_id, j.task::text AS task, j.args,
       j.nb_errors, p.metadata, p.exif -> 'Exif.Image.Orientation' AS orientation
FROM public.job_queue j LEFT JOIN public.pictures p ON p.id = j.picture_id WHERE j.id = %(id)s
"""
# Entries of attempts that never came to an end: their worker was killed, or lost the database.
_CUT_SHORT = """
UPDATE public.job_history SET finished_at = now(), error = %(reason)s WHERE job_id = %(job)s AND finished_at IS NULL
"""
_LATER = """
UPDATE public.job_queue SET nb_errors = nb_errors + %(count)s, to_do_after_ts = now() + make_interval(secs => %(pause)s)
WHERE id = %(job)s
"""
_BEHIND = "SELECT priv.queue_behind(%(job)s)"
_ENDED = "UPDATE public.job_history SET finished_at = now(), error = %(reason)s WHERE id = %(entry)s"
_FORGET = "DELETE FROM public.job_history WHERE id = %(entry)s"
_BROKEN = "UPDATE public.pictures SET status = 'broken', preparing_status = 'broken' WHERE id = %(picture)s"
_DONE = "DELETE FROM public.job_queue WHERE id = %(job)s"
_LATER_SAYS_UPSTREAM = "RetryLaterProcessException"
# Upstream raises a plain Exception with this text; there is nothing to try again.
_NO_FILE = "Impossible to find picture file"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a job that failed.

    Attributes:
        reason: In words for the owner.
        counts: Whether the failure is the job's own.
        final: Whether it is given up at once.
        pause: Seconds until it is tried again, where the failure is not its own.
    """

    reason: str
    counts: bool = True
    final: bool = False
    pause: float = 1.0


def cause(error: BaseException | None) -> BaseException | None:
    """Return the error of blurring, time or database that led to ``error``, or ``error`` itself."""
    first = error
    while error is not None:
        if isinstance(error, blurring.BlurringError | TimeoutError | psycopg.OperationalError):
            return error
        error = error.__cause__ or error.__context__
    return first


def judge(error: BaseException, breaker: Breaker) -> Verdict:
    """Return what becomes of a job that failed with ``error``; asks the breaker whether the service works otherwise."""
    found = cause(error)
    if type(error).__name__ == _LATER_SAYS_UPSTREAM:
        return Verdict(str(error), counts=False, pause=10)
    if isinstance(found, blurring.BusyError):
        breaker.rest(found.pause)
        return Verdict(str(found), counts=False, pause=found.pause)
    if isinstance(found, blurring.LostError):
        breaker.test()
        return Verdict(str(found))
    if isinstance(found, blurring.RefusedError):
        works = breaker.test()
        return Verdict(f"the blurring service cannot take this picture: {found}", counts=works, final=works)
    if isinstance(found, blurring.FailedError):
        return Verdict(str(found), counts=breaker.test())
    if isinstance(found, TimeoutError):
        return Verdict("the work on the picture took too long", counts=breaker.test())
    if isinstance(found, psycopg.OperationalError):
        return Verdict("the database was busy with something else", counts=False, pause=5)
    if str(error).startswith(_NO_FILE):
        return Verdict("the picture's file is not there any more", final=True)
    # Upstream wraps what went wrong.
    return Verdict(f"it could not be done ({type(error.__cause__ or error).__name__})")


class Queue:
    """Upstream's queue, as one worker sees it."""

    def __init__(self, breaker: Breaker, pauses: Sequence[float]) -> None:
        """`pauses`: seconds before each further try of a job that failed."""
        self._breaker, self._pauses = breaker, pauses
        self.job: Any = None

    @contextmanager
    def next(self, app: Any) -> Iterator[Any]:
        """Give the next job, or None; what happens inside decides what becomes of it. Stands in for upstream's own."""
        passes = self._breaker.passes()
        with app.pool.connection() as locking, locking.transaction():
            cursor = locking.cursor(row_factory=dict_row)
            turn = cursor.execute(_TURN, {"blurring": passes}).fetchone()
            row = cursor.execute(_NEXT, turn).fetchone() if turn and turn["id"] else None
            if row is None:
                yield None
                return
            with app.pool.connection() as reporting:
                reporting.execute(_IMPATIENT)
                cut_short = reporting.execute(
                    _CUT_SHORT, {"job": row["id"], "reason": "the worker ended in the middle of it"}
                ).rowcount
                job = _begin(reporting, row)
                self.job = job
                try:
                    if cut_short:
                        raise CutShortError
                    yield job
                    _finish(locking, job)
                except CutShortError:
                    verdict = Verdict("the worker ended in the middle of it")
                    self._failed(locking, job, row["nb_errors"], verdict)
                    yield None
                except Exception as error:
                    # Without the database nothing can be written down; the job is anybody's again once this
                    # connection is gone.
                    if locking.broken or reporting.broken:
                        raise
                    if not isinstance(cause(error), blurring.BlurringError):
                        log.error("%s failed", _label(job), exc_info=True)
                    self._failed(locking, job, row["nb_errors"], judge(error, self._breaker))
                finally:
                    self.job = None

    def _failed(self, locking: Any, job: Any, errors: int, verdict: Verdict) -> None:
        entry = {"entry": job.job_history_id}
        if not verdict.counts:
            log.info("%s waits: %s", _label(job), verdict.reason)
            job.reporting_conn.execute(_FORGET, entry)
            self._later(locking, job, 0, verdict.pause)
            return
        final = verdict.final or errors >= len(self._pauses)
        tries = errors + 1
        if final:
            reason = verdict.reason if verdict.final else f"{verdict.reason} (given up after {tries} tries)"
        else:
            pause = self._pauses[errors]
            reason = f"{verdict.reason} (try {tries} of {len(self._pauses) + 1}; the next one in {pause:.0f} s)"
        log.warning("%s: %s", _label(job), reason)
        job.reporting_conn.execute(_ENDED, entry | {"reason": reason})
        if not final:
            self._later(locking, job, 1, pause)
            return
        if job.task.value == "prepare" and job.pic:
            job.reporting_conn.execute(_BROKEN, {"picture": job.pic.id})
        locking.execute(_DONE, {"job": job.job_queue_id})

    @staticmethod
    def _later(locking: Any, job: Any, count: int, pause: float) -> None:
        locking.execute(_LATER, {"job": job.job_queue_id, "count": count, "pause": pause})
        locking.execute(_BEHIND, {"job": job.job_queue_id})


class CutShortError(Exception):
    """The job was begun before and never ended."""


def _label(job: Any) -> str:
    named = job.pic or job.seq or job.upload_set
    return f"{job.task.value} {named.id}"


def _begin(reporting: Any, row: dict[str, Any]) -> Any:
    from geovisio.workers import runner_pictures as upstream

    picture = row["picture_id"] or row["picture_to_delete_id"]
    return upstream._initialize_job(
        reporting,
        job_queue_id=row["id"],
        db_pic=upstream.DbPicture(
            id=picture,
            metadata=row["metadata"],
            skip_blurring=(row["args"] or {}).get("skip_blurring", False),
            orientation=row["orientation"],
        )
        if picture
        else None,
        db_seq=upstream.DbSequence(id=row["sequence_id"]) if row["sequence_id"] else None,
        db_upload_set=upstream.DbUploadSet(id=row["upload_set_id"]) if row["upload_set_id"] else None,
        task=upstream.ProcessTask(row["task"]),
        args=row["args"],
    )


def _finish(locking: Any, job: Any) -> None:
    from geovisio.workers import runner_pictures as upstream

    upstream._finalize_job(locking, job)
