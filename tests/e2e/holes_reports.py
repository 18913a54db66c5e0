"""Holes of reports (facts 6)."""

from __future__ import annotations

from hole_kit import REPORT_KINDS, Kit, Picture
from holes import hole

RESTORES = "database: a report remembers what it hid, and gives it back"


def _seen(kit: Kit, picture: Picture) -> bool:
    return kit.bob.token.get(picture.item).status_code == 200


@hole(
    "H50",
    "Reports without a session hide pictures",
    exposed="All pictures to whoever wants them gone",
    closed_by="gate: only signed-in people can report",
    second="database: no report without an account",
)
def report_picture_anonymous(kit: Kit) -> str | None:
    victim = kit.victim()
    status = kit.anonymous().post("/api/reports", json={"issue": "privacy", "picture_id": victim.id}).status_code
    return f"{status}: hidden" if kit.visibility(victim)[0] == "owner-only" else None


@hole(
    "H51",
    "Reports without a session hide whole sequences",
    exposed="All sequences, whose identifiers H01 tells, to whoever wants them gone",
    closed_by="gate: only signed-in people can report",
    second="database: no report without an account",
)
def report_sequence_anonymous(kit: Kit) -> str | None:
    victim = kit.victim()
    status = kit.anonymous().post("/api/reports", json={"issue": "privacy", "sequence_id": victim.sequence}).status_code
    return f"{status}: hidden" if kit.visibility(victim)[1] == "owner-only" else None


@hole(
    "H52",
    "Half of the kinds of reports hide nothing",
    exposed="What was reported as mislocated, blurred too much, of low quality or `other`, until somebody looks",
    closed_by="database: all eight kinds hide at once",
    second="none",
)
def kinds_that_do_not_hide(kit: Kit) -> str | None:
    left = []
    for kind in REPORT_KINDS:
        victim = kit.victim()
        kit.report(kit.bob.token, issue=kind, picture_id=victim.id)
        if _seen(kit, victim):
            left.append(kind)
    return f"still seen: {', '.join(left)}" if left else None


@hole(
    "H53",
    "An administrator cannot see what was reported",
    exposed="Nothing; but nobody can judge the report, so pictures stay hidden or are shown again unseen",
    closed_by="database: administrators see everything",
    second="none",
)
def administrator_is_blind(kit: Kit) -> str | None:
    status = kit.ada.token.get(f"/api/pictures/{kit.hidden.id}/thumb.jpg").status_code
    return f"status {status} for the administrator" if status != 200 else None


@hole(
    "H54",
    "A reporter's account takes pictures with it",
    exposed="Other people's pictures to deletion, with the account of whoever reported them",
    closed_by="database: a report does not name the reporter as the last editor",
    second="none",
)
def pictures_go_with_the_reporter(kit: Kit) -> str | None:
    victim = kit.victim()
    kit.report(kit.bob.token, issue="privacy", picture_id=victim.id)
    [[editor]] = kit.sql(f"SELECT coalesce(last_account_to_edit::text, '') FROM pictures WHERE id = '{victim.id}'")
    return "deleted with the account of the reporter" if editor == kit.bob.id else None


@hole(
    "H55",
    "What a report hid stays hidden",
    exposed="Nothing; but a wrong report takes a picture away for good, unless its owner notices",
    closed_by=RESTORES,
    second="none",
)
def closing_does_not_restore(kit: Kit) -> str | None:
    victim = kit.victim()
    made = kit.report(kit.bob.token, issue="privacy", picture_id=victim.id)
    kit.alice.token.patch(f"/api/reports/{made.json()['id']}", json={"status": "closed_ignored"})
    return None if _seen(kit, victim) else "still hidden after its owner closed the report"


@hole(
    "H56",
    "Reporting hidden things by their identifier",
    exposed="That they exist; and their owner can be pestered",
    closed_by="database: one reports only what one sees",
    second="none",
)
def report_hidden(kit: Kit) -> str | None:
    victim = kit.victim("owner-only")
    answer = kit.report(kit.bob.token, issue="other", picture_id=victim.id)
    return f"accepted: {answer.status_code}" if answer.is_success else None


@hole(
    "H57",
    "One account hides everything",
    exposed="All pictures to a single angry or stolen account",
    closed_by="database: 30 reports an hour",
    second="gate: reports are limited for each address",
)
def hide_everything(kit: Kit) -> str | None:
    picture = kit.victim()
    statuses = [
        kit.bob.token.post("/api/reports", json={"issue": "other", "picture_id": picture.id}).status_code
        for _ in range(40)
    ]
    made = statuses.count(200)
    kit.sql(f"DELETE FROM reports WHERE reporter_account_id = '{kit.bob.id}'")
    return f"{made} of 40 in a row" if made == len(statuses) else None
