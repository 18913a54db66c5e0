"""What becomes of a job that failed: whose fault it was, and whether it is tried again."""

from __future__ import annotations

import psycopg
import pytest
from launcher import blurring, jobs
from launcher.breaker import Breaker

# As upstream's is called.
Later = type("RetryLaterProcessException", (Exception,), {})


def wrapped(error: BaseException) -> BaseException:
    """The error as upstream's function for pictures hands it on."""
    outer = RuntimeError("Blur API failure: ...")
    outer.__cause__ = error
    return outer


WORKS, DOWN = "", "no"


@pytest.mark.parametrize(
    ("error", "test", "counts", "final"),
    [
        (blurring.FailedError("x"), WORKS, True, False),
        (blurring.FailedError("x"), DOWN, False, False),
        (blurring.LostError("x"), WORKS, True, False),
        (blurring.LostError("x"), DOWN, True, False),
        (blurring.RefusedError("x"), WORKS, True, True),
        (blurring.RefusedError("x"), DOWN, False, False),
        (blurring.BusyError(7), WORKS, False, False),
        (TimeoutError(), WORKS, True, False),
        (TimeoutError(), DOWN, False, False),
        (psycopg.errors.LockNotAvailable("x"), WORKS, False, False),
        (ValueError("x"), WORKS, True, False),
        (OSError("disk full"), WORKS, True, False),
    ],
)
def test_whose_fault_it_was(error: BaseException, test: str, counts: bool, final: bool) -> None:
    verdict = jobs.judge(wrapped(error), Breaker(lambda: test))
    assert (verdict.counts, verdict.final) == (counts, final)
    assert verdict.reason
    assert "Blur API" not in verdict.reason


def test_a_file_that_is_gone_is_not_tried_again() -> None:
    verdict = jobs.judge(Exception("Impossible to find picture file: ab/cd.jpg"), Breaker(lambda: WORKS))
    assert verdict.final
    assert "ab/cd" not in verdict.reason


def test_what_upstream_puts_off_is_put_off() -> None:
    verdict = jobs.judge(Later("in work"), Breaker(lambda: WORKS))
    assert (verdict.counts, verdict.final, verdict.pause) == (False, False, 10)


def test_a_busy_service_is_left_alone_for_a_while() -> None:
    now = [0.0]
    breaker = Breaker(lambda: WORKS, lambda: now[0])
    assert breaker.passes()
    assert jobs.judge(blurring.BusyError(7), breaker).pause == 7
    assert not breaker.passes()
    now[0] = 7
    assert breaker.passes()
