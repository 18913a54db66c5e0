"""Claims, checks and verdicts."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from panoramax_ops.errors import OpsError

if TYPE_CHECKING:
    from panoramax_ops.verify.site import Site

PARALLEL = 4

CLAIMS = {
    "C1": "Pictures are available to the project's people and to nobody else",
    "C2": "Every upload is limited to the instance by default",
    "C3": "Nobody can register; administrators create accounts; the initial password is changed at the first sign-in",
    "C4": "The instance is not in the federation",
    "C5": "Faces and licence plates are blurred before anybody else can see a picture",
    "C6": "A reported picture is hidden at once, until its owner or an administrator has dealt with the report",
    "C7": "Photos are uploaded in the browser, and each rejected file is told with its reason",
    "C8": "Everybody finds their own sequences, with number, dates and visibility",
    "C9": "Sequences are renamed, and single photos hidden, by their owner",
    "C10": "Map and pictures are explored without any third party",
    "C11": "Signed-in clients and API tokens get open standards: STAC and OGC API Features",
    "C12": "Operators run detection models of their own and search what they found",
    "C13": "Everything belongs to the operator: it can be backed up, restored, moved and upgraded",
    "H": "The host's containers are confined, and what they keep is readable by nobody else",
}


class ClaimBrokenError(Exception):
    """A claim does not hold; the message is the evidence."""


class NotCoveredError(Exception):
    """Nothing checks this yet; the message says what is missing. Never a pass, and no fault of the site either."""


class Verdict(StrEnum):
    """What a check found."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "could not check"
    NOT_COVERED = "not covered"
    # Of a claim only: what was checked of it holds, and something of it is not covered.
    PARTLY = "holds in part"


# From worst to best.
GRAVITY = (Verdict.BROKEN, Verdict.UNKNOWN, Verdict.HOLDS, Verdict.NOT_COVERED)


@dataclass(frozen=True)
class Check:
    """One thing to prove. `run` returns the evidence, or raises ClaimBrokenError with it."""

    claim: str
    title: str
    run: Callable[[Site], str]

    @property
    def tries(self) -> str:
        """What is tried, in a sentence for the report: the first paragraph of the function's documentation."""
        return " ".join((inspect.getdoc(self.run) or self.title).partition("\n\n")[0].split())


@dataclass(frozen=True)
class Result:
    """What came of a check. `when` is its start in UTC (ISO 8601), `seconds` its duration."""

    claim: str
    title: str
    verdict: Verdict
    evidence: str
    tries: str
    when: str
    seconds: float


def _verdict(check: Check, site: Site) -> tuple[Verdict, str]:
    try:
        return Verdict.HOLDS, check.run(site)
    except ClaimBrokenError as broken:
        return Verdict.BROKEN, str(broken)
    except NotCoveredError as missing:
        return Verdict.NOT_COVERED, str(missing)
    except OpsError as error:
        return Verdict.UNKNOWN, f"{error.message} {error.remedy}".strip()
    except Exception as error:
        return Verdict.UNKNOWN, f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Stage:
    """Checks that belong together. `side_by_side`: none of them needs what another one does."""

    checks: tuple[Check, ...]
    side_by_side: bool = False


def _run(check: Check, site: Site, tell: Callable[[Check], None]) -> Result:
    tell(check)
    when, started = datetime.now(UTC), time.monotonic()
    verdict, evidence = _verdict(check, site)
    seconds = round(time.monotonic() - started, 2)
    stamp = when.isoformat(timespec="milliseconds")
    return Result(check.claim, check.title, verdict, evidence, check.tries, stamp, seconds)


def run_stages(stages: Iterable[Stage], site: Site, tell: Callable[[Check], None]) -> list[Result]:
    """Run all checks, stage after stage; each may fail without keeping the others from running.

    `tell` is called before each check. Anything that a check raises, but ClaimBrokenError and NotCoveredError, means
    that it could not be made, which is never a pass.
    """
    results: list[Result] = []
    for stage in stages:
        with ThreadPoolExecutor(max_workers=PARALLEL if stage.side_by_side else 1) as pool:
            results += pool.map(lambda check: _run(check, site, tell), stage.checks)
    return results


def claim_verdict(results: Iterable[Result]) -> Verdict:
    """The verdict on a claim, of what its checks came to: the worst of them; in part, if not all of it is covered."""
    verdicts = {result.verdict for result in results}
    if verdicts >= {Verdict.HOLDS, Verdict.NOT_COVERED} and not verdicts & {Verdict.BROKEN, Verdict.UNKNOWN}:
        return Verdict.PARTLY
    return next(verdict for verdict in GRAVITY if verdict in verdicts)


def left_out(check: Check, why: str) -> Check:
    """The check's place in the report, where it is not made."""

    def not_made(site: Site) -> str:
        del site
        raise NotCoveredError(why)

    not_made.__doc__ = check.tries
    return Check(check.claim, check.title, not_made)


def exit_code(results: Iterable[Result]) -> int:
    """0 all that was checked holds, 1 a claim is broken, 2 something could not be checked (and nothing is broken).

    What is not covered changes nothing about it, unless it is all that there is.
    """
    verdicts = {result.verdict for result in results}
    if Verdict.BROKEN in verdicts:
        return 1
    return 2 if Verdict.UNKNOWN in verdicts or Verdict.HOLDS not in verdicts else 0
