"""Ansible module: run commands of this machine at their times, by systemd's timers or by cron, whichever is there."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: schedule_jobs
short_description: Keep the jobs of a project scheduled as declared
description:
  - Writes a timer and a service per job where systemd runs, else one file in C(/etc/cron.d) where Debian's cron runs.
    Jobs of the project that are no longer declared are removed, as is what was scheduled by the other of the two.
  - Where neither is there, or the rights are missing, nothing is changed; RV(reason) says what is missing.
options:
  project:
    description: Prefix of the names, by which the project's jobs are found again.
    type: str
    required: true
  jobs:
    description: What to run; see the role's specification. A job with an empty O(jobs[].calendar) is not scheduled.
    type: list
    elements: dict
    required: true
  user:
    description: Who runs the jobs that name nobody else.
    type: str
    required: true
  directory:
    description: Directory in which the jobs run.
    type: path
    default: /
  environment:
    description: Environment variables of the jobs.
    type: dict
    default: {}
  log_directory:
    description: Where cron leaves what each job printed at its last run; systemd keeps it in the journal.
    type: path
    required: true
  required:
    description: Whether to fail, with what is missing, where nothing can be scheduled.
    type: bool
    default: false
author: Private Panoramax
"""

UNITS, CRON = Path("etc/systemd/system"), Path("etc/cron.d")
# Where cron jobs find programs; cron itself knows /usr/bin and /bin only.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_TIME = re.compile(r"(?:(?P<days>[A-Z][a-z]{2}(?:,[A-Z][a-z]{2})*) )?(?P<hour>\d\d|\*):(?P<minute>\d\d)")
NEITHER = "neither systemd nor cron runs here (Debian: apt-get install cron)"
GRAMMAR = "give hourly, daily, weekly, HH:MM, Mon HH:MM, Mon,Thu HH:MM or *:MM, or nothing to switch it off"
JOB_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str", "required": True},
    "calendar": {"type": "str", "required": True},
    "user": {"type": "str"},
    "minutes": {"type": "int", "default": 60},
}


@dataclass(frozen=True)
class Calendar:
    """When: local time of the machine. No hour means each hour; no days means every day (0 is Monday)."""

    minute: int
    hour: int | None
    days: tuple[int, ...] = ()

    def systemd(self) -> str:
        """As OnCalendar= has it."""
        days = ",".join(DAYS[day] for day in self.days)
        hour = "*" if self.hour is None else f"{self.hour:02}"
        return f"{days} *-*-* {hour}:{self.minute:02}:00".strip()

    def cron(self) -> str:
        """As the first five fields of a line of crontab(5) have it."""
        days = ",".join(str((day + 1) % 7) for day in self.days) or "*"
        return f"{self.minute} {'*' if self.hour is None else self.hour} * * {days}"


def parse(text: str, seed: str) -> Calendar:
    """The calendar that a text means. Where it leaves the time open, `seed` decides it, the same at each run.

    Raises ValueError, with what may be given.
    """
    # Sites of one machine, and jobs of one site, do not all begin in the same minute; nobody works from 1 to 5.
    spread = crc32(seed.encode())
    minute, hour = spread % 60, 1 + spread // 60 % 4
    words = {"hourly": Calendar(minute, None), "daily": Calendar(minute, hour), "weekly": Calendar(minute, hour, (6,))}
    if text in words:
        return words[text]
    match = _TIME.fullmatch(text)
    days = match["days"].split(",") if match and match["days"] else []
    if not match or not set(days) <= set(DAYS) or int(match["minute"]) > 59:
        raise ValueError(f"calendar is {text!r}: {GRAMMAR}")
    if match["hour"] != "*" and int(match["hour"]) > 23:
        raise ValueError(f"calendar is {text!r}: {GRAMMAR}")
    return Calendar(
        int(match["minute"]),
        None if match["hour"] == "*" else int(match["hour"]),
        tuple(sorted({DAYS.index(day) for day in days})),
    )


def problems(job: dict[str, Any], user_exists: Callable[[str], bool]) -> list[str]:
    """What is wrong with a job, each in a sentence that names it."""
    found = []
    name = job["name"]
    if not NAME.fullmatch(name):
        found.append("name: use lower-case letters, digits and dashes, beginning with a letter")
    if not job["command"] or not Path(job["command"][0]).is_absolute():
        found.append("command: give a list that begins with the absolute path of a program")
    words = [*job["command"], job["description"], *map(str, job["environment"].values())]
    if any(re.search(r"[\x00-\x1f]", word) for word in words):
        found.append("command, description and environment must not hold line breaks or control characters")
    if not user_exists(job["user"]):
        found.append(f"user: there is no {job['user']!r} on this machine")
    if job["minutes"] < 1:
        found.append("minutes: give 1 or more")
    try:
        parse(job["calendar"], name)
    except ValueError as error:
        found.append(str(error))
    return [f"schedule_jobs, {name}: {text}" for text in found]


def _mark(project: str) -> str:
    return f"# Kept by Ansible (private-panoramax, {project}): changes are overwritten."


def _quoted(word: str) -> str:
    """A word for ExecStart= and Environment= (systemd.syntax(7)): specifiers and escapes taken as they are."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def units(project: str, jobs: Iterable[dict[str, Any]]) -> dict[Path, str]:
    """Path and text of the units."""
    found = {}
    for job in jobs:
        stem = f"private-panoramax.{project}.{job['name']}"
        environment = "".join(f"Environment={_quoted(f'{key}={value}')}\n" for key, value in job["environment"].items())
        # The colon keeps systemd from filling in variables.
        command = " ".join(_quoted(word) for word in job["command"])
        description = f"{job['description']} ({project})".replace("%", "%%")
        found[UNITS / f"{stem}.service"] = (
            f"{_mark(project)}\n[Unit]\nDescription={description}\n\n"
            f"[Service]\nType=oneshot\nUser={job['user']}\nWorkingDirectory={job['directory']}\n{environment}"
            f"ExecStart=:{command}\nTimeoutStartSec={job['minutes']}min\nNice=5\n"
        )
        when = parse(job["calendar"], f"{project} {job['name']}").systemd()
        # Persistent: a machine that was off at the time makes up for it.
        found[UNITS / f"{stem}.timer"] = (
            f"{_mark(project)}\n[Unit]\nDescription={description}\n\n"
            f"[Timer]\nOnCalendar={when}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
        )
    return found


def crontab(project: str, jobs: Iterable[dict[str, Any]], logs: Path) -> dict[Path, str]:
    """Path and text of the file for cron; empty without jobs."""
    lines = []
    for job in jobs:
        when = parse(job["calendar"], f"{project} {job['name']}").cron()
        settings = [f"{key}={value}" for key, value in job["environment"].items()]
        # As a timer does: never twice at a time, and not without end.
        words = ["flock", "--nonblock", str(logs / f"{job['name']}.lock"), "timeout", f"{job['minutes']}m",
                 "nice", "-n", "5", "env", *settings, *job["command"]]  # fmt: skip
        line = f"cd {shlex.quote(job['directory'])} && {shlex.join(words)} > {logs / job['name']}.log 2>&1"
        # A bare % would be the end of the line to cron.
        lines.append(f"# {job['description']}\n{when} {job['user']} {line}".replace("%", "\\%"))
    if not lines:
        return {}
    head = f'{_mark(project)}\nSHELL=/bin/sh\nPATH={SEARCH_PATH}\nMAILTO=""\n'
    return {CRON / f"private-panoramax-{project}": head + "\n".join(lines) + "\n"}


def kept(root: Path, project: str) -> set[Path]:
    """Files of the project that are there, relative to `root`, of either kind."""
    patterns = ((UNITS, "private-panoramax.*"), (CRON, "private-panoramax-*"))
    files = (path for folder, pattern in patterns for path in (root / folder).glob(pattern) if path.is_file())
    return {path.relative_to(root) for path in files if path.read_text(encoding="utf-8").startswith(_mark(project))}


def manager(root: Path = Path("/")) -> str | None:
    """`systemd` or `cron`, whichever this machine runs its timers by, or None."""
    # The documented way to ask: sd_booted(3).
    if (root / "run/systemd/system").is_dir():
        return "systemd"
    daemon = any((root / "usr/sbin" / name).is_file() for name in ("cron", "crond"))
    return "cron" if daemon and (root / CRON).is_dir() else None


def changes(root: Path, project: str, wanted: dict[Path, str]) -> list[dict[str, str]]:
    """Differences to what is there, as Ansible shows them."""
    found = []
    for path in sorted({*wanted, *kept(root, project)}):
        file = root / path
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        if before != (after := wanted.get(path, "")):
            found.append({"before_header": str(file), "after_header": str(file), "before": before, "after": after})
    return found


def _write(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".private-panoramax")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _log_directory(path: Path, jobs: Iterable[dict[str, Any]]) -> None:
    """Make the directory and each job's log, which belong to who runs it."""
    users = {job["name"]: pwd.getpwnam(job["user"]) for job in jobs}
    if not users:
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, user in users.items():
        for file in (path / f"{name}.log", path / f"{name}.lock"):
            file.touch(mode=0o600)
            os.chown(file, user.pw_uid, user.pw_gid)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _is_on(unit: str) -> bool:
    """Whether a timer is running and comes back after a reboot."""
    asked = (["systemctl", "is-active", "--quiet", unit], ["systemctl", "is-enabled", "--quiet", unit])
    return all(subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0 for command in asked)


def _systemctl(module: AnsibleModule, *arguments: str) -> None:
    module.run_command(["systemctl", *arguments], check_rc=True)


def _cron_runs() -> bool:
    processes = (path / "comm" for path in Path("/proc").iterdir() if path.name.isdigit())
    for process in processes:
        with contextlib.suppress(OSError):
            if process.read_text().strip() in {"cron", "crond"}:
                return True
    return False


def apply(module: AnsibleModule, kind: str | None, wanted: dict[Path, str], diffs: list[dict[str, str]]) -> bool:
    """Make it so. Returns whether something besides the files had to be changed (or would have to be)."""
    root, check = Path("/"), bool(module.check_mode)
    gone = [Path(diff["after_header"]) for diff in diffs if not diff["after"]]
    timers = [path.name for path in wanted if path.suffix == ".timer"]
    changed = {Path(diff["after_header"]).name for diff in diffs}
    late = [timer for timer in timers if timer in changed or not _is_on(timer)]
    asleep = kind == "cron" and bool(wanted) and not _cron_runs()
    if check:
        return bool(late) or asleep
    for path in gone:
        if path.suffix == ".timer" and kind == "systemd":
            _systemctl(module, "disable", "--now", path.name)
        path.unlink(missing_ok=True)
    for path, text in wanted.items():
        if path.name in changed:
            _write(root / path, text)
    if kind == "systemd" and diffs:
        _systemctl(module, "daemon-reload")
    for timer in late:
        _systemctl(module, "enable", timer)
        _systemctl(module, "restart", timer)
    if asleep:
        # Nothing supervises services here: the daemon is started as it is.
        module.run_command(["start-stop-daemon", "--start", "--oknodo", "--exec", "/usr/sbin/cron"], check_rc=True)
    return bool(late) or asleep


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "jobs": {"type": "list", "elements": "dict", "options": JOB_SPEC, "required": True},
            "user": {"type": "str", "required": True},
            "directory": {"type": "path", "default": "/"},
            "environment": {"type": "dict", "default": {}},
            "log_directory": {"type": "path", "required": True},
            "required": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    project, logs = module.params["project"], Path(module.params["log_directory"])
    common = {key: module.params[key] for key in ("directory", "environment")}
    jobs = [
        {**job, **common, "user": job["user"] or module.params["user"]}
        for job in module.params["jobs"]
        if job["calendar"]
    ]
    if found := [text for job in jobs for text in problems(job, _exists)]:
        module.fail_json(msg="; ".join(found))
    kind = manager()
    reason = ""
    if kind is None:
        reason = NEITHER
    elif os.geteuid() != 0:
        reason = f"{kind} takes jobs from root only (schedule_become: true asks sudo)"
    if reason and module.params["required"]:
        module.fail_json(msg=f"The jobs cannot be scheduled on this machine: {reason}; or schedule none")
    if reason:
        module.exit_json(changed=False, manager=kind, reason=reason, jobs=[])
    wanted = units(project, jobs) if kind == "systemd" else crontab(project, jobs, logs)
    diffs = changes(Path("/"), project, wanted)
    if kind == "cron" and diffs and not module.check_mode:
        _log_directory(logs, jobs)
    more = apply(module, kind, wanted, diffs)
    module.exit_json(changed=bool(diffs) or more, diff=diffs, manager=kind, reason="", jobs=[j["name"] for j in jobs])


if __name__ == "__main__":
    main()
