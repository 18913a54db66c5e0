"""Accounts on a site that can send mail: a link takes the place of the letter."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_lab import Lab
from panoramax_ops import findings
from panoramax_ops.errors import UnableError
from panoramax_ops.importing import plan, run
from panoramax_ops.people import NewPerson
from panoramax_ops.people_file import Row
from panoramax_ops.person import UPDATE_PASSWORD

FORTNIGHT = 14 * 86400


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An empty site that can send mail."""
    return Lab(tmp_path, mail=True)


def test_a_new_person_gets_a_link_and_no_password(lab: Lab) -> None:
    created = lab.accounts.create("jane@example.org", "Jane Doe", "user", "fr", group="North")
    user = next(iter(lab.keycloak.people.values()))
    assert (created.letter, created.mailed, created.person.state) == (None, True, "new")
    assert (user["credentials"], user["requiredActions"]) == ([], [UPDATE_PASSWORD])
    assert lab.keycloak.links == [("jane@example.org", FORTNIGHT)]
    assert not lab.letters.exists()
    assert json.loads(lab.log.read_text(encoding="utf-8"))["by"] == "mail"


def test_a_letter_can_be_had_all_the_same(lab: Lab) -> None:
    created = lab.accounts.create("jane@example.org", "Jane Doe", "user", "en", by_letter=True)
    assert created.letter is not None
    assert created.letter.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    assert (created.mailed, lab.keycloak.links) == (False, [])


def test_nothing_is_left_where_no_mail_can_be_sent(lab: Lab) -> None:
    lab.keycloak.mail_is_down = True
    with pytest.raises(UnableError, match="No mail could be sent"):
        lab.accounts.create("jane@example.org", "Jane Doe", "user", "en")
    assert (lab.keycloak.people, lab.database.rows) == ({}, {})
    lab.keycloak.mail_is_down = False
    assert lab.accounts.create("jane@example.org", "Jane Doe", "user", "en").mailed


def test_a_forgotten_password_is_replaced_by_a_link(lab: Lab) -> None:
    lab.accounts.create("jane@example.org", "Jane Doe", "user", "en", by_letter=True)
    lab.keycloak.calls.clear()
    person, letter = lab.accounts.reset_password("jane@example.org")
    assert (letter, person.state, lab.keycloak.links) == (None, "new", [("jane@example.org", FORTNIGHT)])
    assert lab.keycloak.calls == ["remove second step", "sign out", "remove password"]
    assert list(lab.letters.iterdir()) == [], "the old letter opens nothing any more"


def test_a_mail_server_that_is_down_locks_nobody_out(lab: Lab) -> None:
    lab.accounts.create("jane@example.org", "Jane Doe", "user", "en", by_letter=True)
    lab.keycloak.mail_is_down = True
    with pytest.raises(UnableError, match="No mail could be sent"):
        lab.accounts.reset_password("jane@example.org")
    assert "remove password" not in lab.keycloak.calls


def test_an_import_sends_links_and_stops_where_the_mail_server_does(lab: Lab) -> None:
    rows = [Row(2, NewPerson.checked("ann@example.org", "Ann Doe", "user", "en"))]
    lab.keycloak.mail_is_down = True
    report = run(lab.accounts, plan(lab.accounts, rows)[0], lambda _: None)
    assert "No mail could be sent" in report.stopped
    assert lab.keycloak.people == {}
    lab.keycloak.mail_is_down = False
    report = run(lab.accounts, plan(lab.accounts, rows)[0], lambda _: None)
    assert (report.count("created"), report.letters, report.letter_count) == (1, None, 0)
    assert "a link was sent by mail" in report.table.read_text(encoding="utf-8")
    assert lab.keycloak.links == [("ann@example.org", FORTNIGHT)]


def test_half_an_account_is_finished_with_a_link(lab: Lab) -> None:
    lab.accounts.create("jane@example.org", "Jane Doe", "user", "en")
    lab.database.rows.clear()
    finished = lab.accounts.create("jane@example.org", "Jane Doe", "admin", "en")
    assert (finished.made, finished.mailed, finished.person.role) == (True, True, "admin")
    assert len(lab.keycloak.links) == 2


def test_an_audit_tells_links_that_work_from_those_that_expired(lab: Lab) -> None:
    lab.accounts.create("jane@example.org", "Jane Doe", "user", "en")
    now = datetime.now(UTC)
    kinds = [
        [finding.kind for finding in findings.audit(lab.accounts, 14, now + timedelta(days=days))] for days in (1, 15)
    ]
    assert kinds == [["link-open"], ["link-expired"]]
    assert findings.expire(lab.accounts, 14, now + timedelta(days=15)) == [], "the link dies by itself"
