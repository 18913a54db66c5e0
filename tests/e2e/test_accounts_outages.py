"""Provisioning people while Keycloak or the database goes away in the middle, or the script itself is killed.

Nobody gets half an account, the script says where it stopped, and the same command goes on.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from conftest import ROOT, Site, password_in
from panoramax_ops import database, deletion, importing, keycloak
from panoramax_ops.errors import OpsError, UnableError
from panoramax_ops.opening import open_accounts
from panoramax_ops.people_file import read
from signing_in import sign_in

pytestmark = pytest.mark.e2e

PATIENCE = 8


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a minute for a system that is known to hang."""
    monkeypatch.setattr(keycloak, "ANSWER_SECONDS", PATIENCE)
    monkeypatch.setattr(database, "QUERY_SECONDS", PATIENCE)
    monkeypatch.setattr(database, "DELETE_SECONDS", PATIENCE)


def name_of(email: str) -> str:
    return f"Outage {email[8:16]}"


@contextmanager
def paused(engine: docker.DockerClient, site: Site, service: str) -> Iterator[Callable[[], None]]:
    """Gives what pauses a container; it runs on at the end of the block."""
    container = engine.containers.get(f"{site.project}-{service}")
    yield container.pause
    container.reload()
    if container.status == "paused":
        container.unpause()


def before(target: object, method: str, act: Callable[[], None], times: int = 1) -> None:
    """Act just before the method is called for the so-manieth time."""
    real = getattr(target, method)
    calls: list[None] = []

    def wrapped(*arguments: Any) -> Any:
        calls.append(None)
        if len(calls) == times:
            act()
        return real(*arguments)

    setattr(target, method, wrapped)


def wait_until_up(site: Site) -> None:
    """Everything answers again, and lets people in."""
    until = time.monotonic() + 180
    while True:
        try:
            with open_accounts(site.inventory) as opened:
                opened.accounts.list()
            with httpx.Client(verify=False) as anybody:
                assert anybody.get(f"{site.url}/api/auth/login", follow_redirects=True, timeout=30).is_success
        except (OpsError, AssertionError, httpx.HTTPError):
            assert time.monotonic() < until, "the site did not come back"
            time.sleep(1)
        else:
            return


def signs_in(site: Site, letter: str, email: str) -> None:
    with closing(sign_in(site.url, site.ca, email, password_in(Path(letter)), secrets.token_urlsafe(18))) as session:
        assert session.get("/api/users/me").status_code == 200


def test_a_database_that_stops_in_the_middle_of_a_creation(
    site: Site, engine: docker.DockerClient, run: Callable[..., Any], email: str
) -> None:
    container = engine.containers.get(f"{site.project}-database")
    create = ("create", email, "--name", name_of(email))
    try:
        with open_accounts(site.inventory) as opened:
            before(opened.accounts.database, "create", lambda: container.stop(timeout=30))
            # Keycloak stores in the same server, and cannot take the person back either.
            with pytest.raises(
                UnableError, match=r"Half of the account .* is left, which nobody can log in to"
            ) as unable:
                opened.accounts.create(email, name_of(email), "user", "en")
        assert "same command again" in unable.value.remedy
        assert not list((site.state / "letters").glob(f"{name_of(email).lower().replace(' ', '.')}*"))
        refused = run(*create, code=2)
        assert "docker" in refused["remedy"]
    finally:
        container.start()
        wait_until_up(site)
    assert email in [finding["account"] for finding in run("audit", code=1)["findings"] if finding["wrong"]]
    signs_in(site, run(*create)["letter"], email)
    assert run("show", email)["state"] == "active"


def test_a_keycloak_that_hangs_in_the_middle_of_an_import(
    site: Site, engine: docker.DockerClient, run: Callable[..., Any], tmp_path: Path
) -> None:
    mark = secrets.token_hex(4)
    emails = [f"outage-{mark}-{number}@example.org" for number in range(8)]
    file = tmp_path / "people.csv"
    lines = "".join(f"{email},Outage {mark} {number}\n" for number, email in enumerate(emails))
    file.write_text(f"e-mail,name\n{lines}", encoding="utf-8")
    try:
        with paused(engine, site, "keycloak") as pause, open_accounts(site.inventory) as opened:
            steps, _ = importing.plan(opened.accounts, read(file)[0])
            before(opened.accounts.database, "create", pause, times=3)
            report = importing.run(opened.accounts, steps, lambda _: None, workers=2)
            assert "Keycloak does not answer" in report.stopped
            assert report.count("not reached") > 0
            assert 0 < report.count("created") < len(emails)
        wait_until_up(site)
        again = run("import", str(file), "--yes")
        assert sum(again["counts"].get(result, 0) for result in ("created", "finished", "kept")) == len(emails)
        assert again["letter_count"] == len(emails), "the letters of both runs"
        assert {person["state"] for person in run("list", "--like", mark)} == {"new"}
        signs_in(site, str(site.state / "letters" / f"outage.{mark}.7.txt"), emails[7])
    finally:
        for email in emails:
            site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


def test_a_database_that_hangs_in_the_middle_of_a_deletion(
    site: Site, engine: docker.DockerClient, run: Callable[..., Any], email: str
) -> None:
    run("create", email, "--name", name_of(email))
    with paused(engine, site, "database") as pause, open_accounts(site.inventory) as opened:
        planned = deletion.prepare(opened.accounts, email, "delete")
        before(opened.accounts.database, "delete", pause)
        started = time.monotonic()
        with pytest.raises(UnableError) as unable:
            deletion.delete(opened.accounts, planned, opened.files.remove_originals)
        assert time.monotonic() - started < 10 * PATIENCE
        assert "same command again" in unable.value.remedy
    wait_until_up(site)
    run("delete", email, "--pictures", "delete", "--yes")
    run("show", email, code=1)


def test_a_deletion_that_is_killed_goes_on(
    site: Site,
    engine: docker.DockerClient,
    run: Callable[..., Any],
    email: str,
    database_sql: Callable[..., list[list[str]]],
) -> None:
    username = run("create", email, "--name", name_of(email))["username"]
    command = [sys.executable, "scripts/accounts.py", "-i", str(site.inventory), "delete", email, "--pictures", "keep"]
    blocked = (
        f"SELECT 1 FROM priv.blocked_accounts b JOIN accounts a ON a.id = b.account_id WHERE a.name = '{username}'"
    )
    with (
        paused(engine, site, "keycloak") as pause,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running,
    ):
        assert running.stdout is not None
        assert running.stdin is not None
        shown = "".join(iter(lambda: running.stdout.read(1) if running.stdout else "", "?"))
        assert "keep its 0 pictures" in shown, "it says what it will do before it asks"
        pause()
        running.stdin.write("y\n")
        running.stdin.flush()
        until = time.monotonic() + 30
        while not database_sql(blocked):
            assert time.monotonic() < until
            time.sleep(0.1)
        running.kill()
    wait_until_up(site)
    assert run("show", email)["state"] == "disabled", "cut off, and everything else is there"
    run("delete", email, "--pictures", "keep", "--yes")
    run("show", email, code=1)
    assert database_sql(blocked) == []
