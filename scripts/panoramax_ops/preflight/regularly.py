"""What is due regularly, and where its figures go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.role_code import load
from panoramax_ops.preflight.settings import Settings

# site_schedule itself says where, not when.
CALENDAR = re.compile(r"site_[a-z]\w*_schedule")


def calendars(settings: Settings) -> Iterator[Problem]:
    """Settings that say when something is done."""
    schedule = load("schedule", "library/schedule_jobs.py")
    for name in sorted(name for name in settings.values if CALENDAR.fullmatch(name)):
        calendar = settings.text(name)
        if not calendar:
            continue
        try:
            schedule.parse(calendar, "")
        except ValueError:
            yield settings.problem(name, schedule.GRAMMAR)


def figures(settings: Settings) -> Iterator[Problem]:
    """Where figures are written on the host."""
    directory = settings.text("site_metrics_directory")
    if directory and not directory.startswith("/"):
        yield settings.problem(
            "site_metrics_directory", "give the directory's whole path on the host, beginning with /"
        )


RULES = (calendars, figures)
