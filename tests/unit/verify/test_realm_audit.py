"""kcwarden on a realm: what it says must be answered by name, and the answers are complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from panoramax_ops.verify.realm_audit import Alarm, answers, judge, unanswered

REALM: dict[str, Any] = {
    "realm": "panoramax",
    "keycloakVersion": "26.7.3",
    "registrationAllowed": True,
    "bruteForceProtected": True,
    "accessTokenLifespan": 300,
    "offlineSessionMaxLifespanEnabled": False,
    "verifyEmail": False,
    "revokeRefreshToken": True,
    "refreshTokenMaxReuse": 0,
    "clients": [],
    "roles": {"realm": [], "client": {}},
    "identityProviderMappers": [],
}


def test_an_alarm_without_an_answer_stays() -> None:
    alarms, rules = judge(REALM)
    found = {alarm.auditor for alarm in unanswered(alarms, answers())}
    assert "RealmSelfRegistrationEnabled" in found
    # It would ask a server on the internet, and is left out.
    assert "KeycloakVersionShouldBeUpToDate" not in found
    assert rules > 40


def test_an_answer_is_for_one_thing_only() -> None:
    known = {("PublicClientsMustEnforcePKCE", "viewer"): "because"}
    alarms = [Alarm("PublicClientsMustEnforcePKCE", name, "High", "words") for name in ("viewer", "other")]
    assert [str(alarm) for alarm in unanswered(alarms, known)] == ["other: words (PublicClientsMustEnforcePKCE, High)"]


def test_every_answer_has_a_reason(tmp_path: Path) -> None:
    assert all(len(reason) > 20 for reason in answers().values())
    entry = "- {auditor: A, object: B, reason: because}\n"
    (tmp_path / "twice.yml").write_text(entry * 2)
    (tmp_path / "none.yml").write_text("- {auditor: A, object: B, reason: ''}\n")
    for name in ("twice.yml", "none.yml"):
        with pytest.raises(ValueError, match="A on B needs one reason"):
            answers(tmp_path / name)
