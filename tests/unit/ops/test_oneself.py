"""Nobody locks himself out, puts people into groups that are none, or learns of half an account too late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ops_lab import Lab
from panoramax_ops import changes, deletion
from panoramax_ops.errors import RefusedError, UnableError

ATTEMPTS: list[Callable[[Lab, str], object]] = [
    lambda lab, email: lab.accounts.disable(email),
    lambda lab, email: lab.accounts.set_role(email, "user"),
    lambda lab, email: deletion.prepare(lab.accounts, email, "keep"),
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nobody_locks_himself_out(tmp_path: Path, attempt: Callable[[Lab, str], object]) -> None:
    lab = Lab(tmp_path, me="jane@example.org")
    mine, other = lab.add("Jane", "admin"), lab.add("Bob", "admin")
    with pytest.raises(RefusedError, match="your own account"):
        attempt(lab, mine)
    assert lab.keycloak.calls == []
    attempt(lab, other)


@pytest.mark.parametrize("name", ["jane", "Jane.Doe"])
def test_who_is_logged_in_here_under_the_same_name_is_oneself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SUDO_USER", name)
    lab = Lab(tmp_path)
    mine = lab.add("Jane", "admin")
    lab.add("Bob", "admin")
    with pytest.raises(RefusedError, match=r"logged in here as jane") as refused:
        lab.accounts.disable(mine)
    assert "--me" in refused.value.remedy


def test_a_group_is_kept_changed_and_taken_away(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.accounts.create("jane@example.org", "Jane Doe", "user", "en", group=" Field  team ")
    assert lab.accounts.show("jane@example.org").group == "Field team"
    assert changes.set_group(lab.accounts, "jane@example.org", "North").group == "North"
    assert changes.set_group(lab.accounts, "jane@example.org", "").group == ""
    assert lab.accounts.show("jane@example.org").language == "en", "the other attributes stay"
    with pytest.raises(RefusedError, match="longer than 80"):
        changes.set_group(lab.accounts, "jane@example.org", "x" * 81)


def test_what_cannot_be_taken_back_is_said_and_the_same_command_goes_on(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.database.down = lab.keycloak.down = True
    with pytest.raises(UnableError, match=r"Half of the account of jane@example\.org is left") as unable:
        lab.accounts.create("jane@example.org", "Jane Doe", "user", "en")
    assert "same command again" in unable.value.remedy
    assert list(lab.letters.iterdir()) == [], "nobody knows the password"
    lab.database.down = lab.keycloak.down = False
    created = lab.accounts.create("jane@example.org", "Jane Doe", "user", "en")
    assert (created.made, created.person.state) == (True, "new")


def test_a_second_factor_is_forgotten_and_the_password_stays(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    email = lab.add("Jane")
    lab.accounts.reset_second_factor(email)
    assert lab.keycloak.calls == ["remove second step"]
    assert lab.accounts.log.read()[-1]["action"] == "reset-second-factor"
