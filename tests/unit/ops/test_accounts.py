"""What administrators do, on systems made of dictionaries: order, repetition, failures in the middle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops_lab import Lab
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.person import UPDATE_PASSWORD


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An empty site."""
    return Lab(tmp_path)


def test_a_person_is_made_in_both_systems_with_a_letter(lab: Lab) -> None:
    created = lab.accounts.create(" Jane@Example.org", "Jane Doe", "admin", "fr")
    user = lab.keycloak.people[next(iter(lab.keycloak.people))]
    assert (created.person.username, created.person.role, created.person.state) == ("jane.doe", "admin", "new")
    assert (user["email"], user["emailVerified"], user["requiredActions"]) == (
        "jane@example.org",
        True,
        [UPDATE_PASSWORD],
    )
    assert user["credentials"][0]["temporary"] is True
    assert created.letter is not None
    assert user["credentials"][0]["value"] in created.letter.read_text(encoding="utf-8")
    assert user["credentials"][0]["value"] not in lab.log.read_text(encoding="utf-8")


def test_repeating_is_refused_or_changes_nothing(lab: Lab) -> None:
    email = lab.add("Jane")
    letter = (lab.letters / "jane.doe.txt").read_text(encoding="utf-8")
    with pytest.raises(RefusedError, match="account already") as refused:
        lab.accounts.create(email.upper(), "Jane Doe", "user", "en")
    assert "reset-password" in refused.value.remedy
    again = lab.accounts.create(email, "Jane Doe", "user", "en", if_missing=True)
    assert (again.made, again.letter) == (False, lab.letters / "jane.doe.txt")
    assert (lab.letters / "jane.doe.txt").read_text(encoding="utf-8") == letter
    assert lab.keycloak.calls == []


def test_a_letter_whose_password_is_used_up_is_not_offered(lab: Lab) -> None:
    email = lab.add("Jane")
    next(iter(lab.keycloak.people.values()))["requiredActions"] = []
    assert lab.accounts.create(email, "Jane Doe", "user", "en", if_missing=True).letter is None


def test_a_taken_name_is_refused_with_a_way_out(lab: Lab) -> None:
    lab.add("Jane")
    with pytest.raises(RefusedError, match=r"jane\.doe") as refused:
        lab.accounts.create("other@example.org", "Jane Doe", "user", "en")
    assert "--username jane.doe2" in refused.value.remedy
    assert lab.accounts.create("other@example.org", "Jane Doe", "user", "en", "jane.doe2").made


def test_nothing_is_left_of_half_an_account(lab: Lab) -> None:
    lab.database.down = True
    with pytest.raises(UnableError):
        lab.accounts.create("jane@example.org", "Jane Doe", "user", "en")
    assert lab.keycloak.people == {}
    assert list(lab.letters.iterdir()) == []
    assert not lab.log.exists()


def test_half_an_account_of_a_killed_run_is_finished(lab: Lab) -> None:
    email = lab.add("Jane")
    lab.database.rows.clear()
    (lab.letters / "jane.doe.txt").unlink()
    assert lab.accounts.show(email).state == "incomplete"
    with pytest.raises(RefusedError, match="not yet in Panoramax"):
        lab.accounts.disable(email)
    finished = lab.accounts.create(email, "Jane Doe", "admin", "en", if_missing=True)
    assert (finished.made, finished.person.role, finished.person.state) == (True, "admin", "new")
    assert finished.letter is not None
    assert lab.keycloak.calls == ["password"]
    assert lab.accounts.show(email).state == "new"


def test_access_is_cut_before_it_is_tidied(lab: Lab) -> None:
    email = lab.add("Jane")
    person = lab.accounts.disable(email, "left")
    assert lab.keycloak.calls == ["block left", "update {'enabled': False}", "sign out"]
    assert (person.state, person.tokens) == ("disabled", 0)
    lab.keycloak.calls.clear()
    assert lab.accounts.enable(email).state == "new"
    assert lab.keycloak.calls == ["update {'enabled': True}", "unblock"]


def test_the_last_administrator_stays(lab: Lab) -> None:
    first = lab.add("Jane", "admin")
    with pytest.raises(RefusedError, match="last administrator"):
        lab.accounts.disable(first)
    with pytest.raises(RefusedError, match="last administrator"):
        lab.accounts.set_role(first, "user")
    second = lab.add("Bob", "admin")
    assert lab.accounts.set_role(first, "user").role == "user"
    with pytest.raises(RefusedError, match="last administrator"):
        lab.accounts.disable(second)


def test_a_new_initial_password_ends_logins_and_the_old_letter(lab: Lab) -> None:
    email = lab.add("Jane")
    before = (lab.letters / "jane.doe.txt").read_text(encoding="utf-8")
    _, letter = lab.accounts.reset_password(email)
    assert letter is not None
    assert lab.keycloak.calls == ["password", "remove second step", "sign out"]
    assert letter.read_text(encoding="utf-8") != before
    lab.accounts.disable(email)
    with pytest.raises(RefusedError, match="is disabled"):
        lab.accounts.reset_password(email)
    with pytest.raises(RefusedError, match="is disabled"):
        lab.accounts.set_role(email, "admin")


def test_strangers_are_refused(lab: Lab) -> None:
    for action in (lab.accounts.disable, lab.accounts.enable, lab.accounts.show, lab.accounts.sign_out):
        with pytest.raises(RefusedError, match=r"Nobody has the e-mail who@example\.org"):
            action("who@example.org")


def test_every_action_is_logged_with_who_what_when_and_to_whom(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ops")
    email = lab.add("Jane")
    lab.accounts.disable(email, "left")
    lab.accounts.enable(email)
    lines = [json.loads(line) for line in lab.log.read_text(encoding="utf-8").splitlines()]
    assert [(line["who"], line["action"], line["account"]) for line in lines] == [
        ("ops", action, email) for action in ("create", "disable", "enable")
    ]
    assert all(line["when"].endswith("+00:00") for line in lines)
    assert lab.log.stat().st_mode & 0o777 == 0o600
