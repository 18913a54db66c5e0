"""Claims, checks and verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CLAIMS = {
    "C1": "Pictures are available to the project's people and to nobody else",
    "C2": "Every upload is limited to the instance by default",
    "C3": "Nobody can register; administrators create accounts",
    "C4": "The instance is not in the federation",
    "C5": "Faces and licence plates are blurred before anybody else can see a picture",
    "H": "The host's containers are confined",
}


class ClaimBrokenError(Exception):
    """A claim does not hold; the message is the evidence."""


class Verdict(StrEnum):
    """What a check found."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "could not check"


@dataclass(frozen=True)
class Target:
    """The site to check, as its inventory describes it."""

    url: str
    ca: Path | None
    project: str
    realm: str
    policy: Path


@dataclass(frozen=True)
class Check:
    """One thing to prove. `run` returns the evidence, or raises ClaimBrokenError with it."""

    claim: str
    title: str
    run: Callable[[Target], str]


@dataclass(frozen=True)
class Result:
    """What came of a check. `seconds` is its duration."""

    claim: str
    title: str
    verdict: Verdict
    evidence: str
    seconds: float


def run_checks(checks: Iterable[Check], target: Target, tell: Callable[[Check], None]) -> list[Result]:
    """Run all checks, each of which may fail without keeping the others from running.

    `tell` is called before each check. Anything but ClaimBrokenError that a check raises means that it could not be
    made, which is never a pass.
    """
    results = []
    for check in checks:
        tell(check)
        started = time.monotonic()
        try:
            verdict, evidence = Verdict.HOLDS, check.run(target)
        except ClaimBrokenError as broken:
            verdict, evidence = Verdict.BROKEN, str(broken)
        except Exception as error:
            verdict, evidence = Verdict.UNKNOWN, f"{type(error).__name__}: {error}"
        results.append(Result(check.claim, check.title, verdict, evidence, round(time.monotonic() - started, 2)))
    return results


def exit_code(results: Iterable[Result]) -> int:
    """0 all hold, 1 a claim is broken, 2 something could not be checked (and nothing is known to be broken)."""
    verdicts = {result.verdict for result in results}
    if Verdict.BROKEN in verdicts:
        return 1
    return 2 if Verdict.UNKNOWN in verdicts or not verdicts else 0
