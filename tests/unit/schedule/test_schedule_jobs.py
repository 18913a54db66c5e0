"""Module schedule_jobs: what a calendar means to systemd and to cron, how commands are quoted, what is removed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from schedule_jobs import CRON, UNITS, changes, crontab, manager, parse, problems, units

LOGS = Path("/var/log/site")


def job(**other: Any) -> dict[str, Any]:
    return {
        "name": "verify",
        "description": "Verify the site",
        "command": ["/usr/bin/true"],
        "calendar": "03:30",
        "user": "root",
        "directory": "/srv/panoramax",
        "environment": {},
        "minutes": 60,
        **other,
    }


@pytest.mark.parametrize(
    ("text", "systemd", "cron"),
    [
        ("03:30", "*-*-* 03:30:00", "30 3 * * *"),
        ("*:05", "*-*-* *:05:00", "5 * * * *"),
        ("Sun 00:00", "Sun *-*-* 00:00:00", "0 0 * * 0"),
        ("Thu,Mon 23:59", "Mon,Thu *-*-* 23:59:00", "59 23 * * 1,4"),
    ],
)
def test_a_calendar_says_the_same_to_both(text: str, systemd: str, cron: str) -> None:
    calendar = parse(text, "")
    assert (calendar.systemd(), calendar.cron()) == (systemd, cron)


def test_daily_is_at_night_always_at_the_same_time_and_not_for_all_at_once() -> None:
    found = [parse("daily", f"site {name}") for name in ("verify", "accounts", "backup", "a", "b", "c")]
    assert {calendar.hour in range(1, 5) for calendar in found} == {True}
    assert len(set(found)) > 3
    assert parse("daily", "site verify") == found[0]
    assert parse("weekly", "site verify").systemd().startswith("Sun ")
    assert parse("hourly", "site verify").cron().endswith(" * * * *")


@pytest.mark.parametrize("text", ["nightly", "24:00", "3:30", "03:60", "Mo 03:30", "@daily", "*-*-* 03:30", "03:30\n"])
def test_another_calendar_is_refused_with_what_may_be_given(text: str) -> None:
    (problem,) = problems(job(calendar=text), lambda _: True)
    assert problem.startswith("schedule_jobs, verify: calendar is ")
    assert "give hourly, daily, weekly, HH:MM" in problem


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "Verify it"}, "name: "),
        ({"command": ["true"]}, "absolute path"),
        ({"command": ["/bin/sh", "-c", "a\nb"]}, "line breaks"),
        ({"environment": {"A": "x\r"}}, "line breaks"),
        ({"minutes": 0}, "minutes: "),
    ],
)
def test_what_cannot_be_scheduled_is_refused(change: dict[str, Any], word: str) -> None:
    (problem,) = problems(job(**change), lambda _: True)
    assert word in problem


def test_a_user_who_is_not_there_is_refused() -> None:
    assert "there is no 'nobody-here'" in problems(job(user="nobody-here"), lambda _: False)[0]


def test_words_of_a_command_stay_what_they_are() -> None:
    words = ["/bin/echo", "50 %", 'a "b" \\c', "$HOME", "it's"]
    project = "site"
    service = units(project, [job(command=words)])[UNITS / "private-panoramax.site.verify.service"]
    assert r'ExecStart=:"/bin/echo" "50 %%" "a \"b\" \\c" "$HOME" "it' in service
    (text,) = crontab(project, [job(command=words)], LOGS).values()
    line = text.splitlines()[-1]
    assert line.startswith("30 3 * * * root cd /srv/panoramax && ")
    command = line.partition("&& ")[2].partition(" > ")[0].replace("\\%", "%")
    assert shlex.split(command)[-5:] == words


def test_what_is_no_longer_declared_goes_and_other_projects_stay(tmp_path: Path) -> None:
    for folder in (UNITS, CRON):
        (tmp_path / folder).mkdir(parents=True)
    for project in ("site", "site-two"):
        for path, text in {**units(project, [job()]), **crontab(project, [job()], LOGS)}.items():
            (tmp_path / path).write_text(text)
    (tmp_path / CRON / "private-panoramax-by-hand").write_text("# mine\n")
    assert {Path(diff["after_header"]).name for diff in changes(tmp_path, "site", {})} == {
        "private-panoramax.site.verify.service",
        "private-panoramax.site.verify.timer",
        "private-panoramax-site",
    }
    assert {d["after"] for d in changes(tmp_path, "site", {})} == {""}


def test_nothing_changes_where_all_is_as_declared(tmp_path: Path) -> None:
    (tmp_path / UNITS).mkdir(parents=True)
    wanted = units("site", [job()])
    assert len(changes(tmp_path, "site", wanted)) == 2
    for path, text in wanted.items():
        (tmp_path / path).write_text(text)
    assert changes(tmp_path, "site", wanted) == []


def test_what_runs_timers_is_found(tmp_path: Path) -> None:
    assert manager(tmp_path) is None
    (tmp_path / CRON).mkdir(parents=True)
    assert manager(tmp_path) is None
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/cron").touch()
    assert manager(tmp_path) == "cron"
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert manager(tmp_path) == "systemd"
