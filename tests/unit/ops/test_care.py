"""Looking after accounts that are there: names, tokens, deletion, export, and what an audit finds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import tarfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ops_lab import MADE, ORIGINAL, Lab
from panoramax_ops import changes, deletion, exporting, findings
from panoramax_ops.database import Token
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.picture_files import path_of

NOW = MADE + timedelta(days=10)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A site with an administrator."""
    lab = Lab(tmp_path)
    lab.add("Root", "admin")
    return lab


def test_a_new_name_counts_in_both_systems_and_takes_the_letter_along(lab: Lab) -> None:
    email = lab.add("Jane")
    person = changes.rename(lab.accounts, email, "Jane Roe")
    assert (person.name, person.username) == ("Jane Roe", "jane.roe")
    assert "jane.roe" in {row.name for row in lab.database.rows.values()}
    assert sorted(path.name for path in lab.letters.glob("jane*")) == ["jane.roe.html", "jane.roe.pdf", "jane.roe.txt"]
    with pytest.raises(RefusedError, match="belongs to root@"):
        changes.rename(lab.accounts, email, "Root Doe")


def test_a_new_address_must_be_free_and_the_log_follows_the_person(lab: Lab) -> None:
    email = lab.add("Jane")
    with pytest.raises(RefusedError, match=r"belongs to root\.doe"):
        changes.set_email(lab.accounts, email, " ROOT@example.org")
    with pytest.raises(RefusedError, match="throw-away"):
        changes.set_email(lab.accounts, email, "jane@yopmail.com")
    assert changes.set_email(lab.accounts, email, "jane.roe@example.org").email == "jane.roe@example.org"
    assert [line["action"] for line in lab.accounts.log.of("jane.roe@example.org")] == ["create", "set-email"]
    assert lab.accounts.log.of("nobody@example.org") == []


def test_a_token_lies_in_a_file_and_is_signed_as_the_api_signs(lab: Lab, tmp_path: Path) -> None:
    email = lab.add("Jane")
    token, path = changes.create_token(lab.accounts, email, " camera  car ", 30, "key", tmp_path / "tokens")
    assert (token.description, stat.S_IMODE(path.stat().st_mode)) == ("camera car", 0o600)
    head, body, mark = path.read_text(encoding="utf-8").strip().split(".")
    expected = hmac.new(b"key", f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(mark + "=") == expected
    assert json.loads(base64.urlsafe_b64decode(body + "==")) == {"iss": "geovisio", "sub": str(token.id)}
    assert mark not in lab.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(("purpose", "days"), [("", 30), ("x" * 101, 30), ("a\x1bb", 30), ("x", 0), ("x", 99999)])
def test_a_token_needs_a_purpose_and_an_end(lab: Lab, tmp_path: Path, purpose: str, days: int) -> None:
    with pytest.raises(RefusedError):
        changes.create_token(lab.accounts, "root@example.org", purpose, days, "key", tmp_path)
    assert lab.database.held == []


def test_tokens_are_revoked_one_by_one_or_all(lab: Lab, tmp_path: Path) -> None:
    email = lab.add("Jane")
    first, _ = changes.create_token(lab.accounts, email, "one", 30, "key", tmp_path)
    changes.create_token(lab.accounts, email, "two", 30, "key", tmp_path)
    with pytest.raises(RefusedError, match="no tokens"):
        changes.revoke(lab.accounts, email, "zzzz")
    with pytest.raises(RefusedError, match="2 tokens"):
        changes.revoke(lab.accounts, email, "")
    assert [found.id for found in changes.revoke(lab.accounts, email, str(first.id)[:8])] == [first.id]
    assert len(changes.revoke(lab.accounts, email, "all")) == 1
    lab.accounts.disable(email)
    with pytest.raises(RefusedError, match="is disabled"):
        changes.create_token(lab.accounts, email, "x", 30, "key", tmp_path)


def do(lab: Lab, who: str, pictures: str) -> list[UUID]:
    swept: list[UUID] = []
    deletion.delete(lab.accounts, deletion.prepare(lab.accounts, who, pictures), swept.extend)
    return swept


def test_a_deletion_cuts_first_and_leaves_nothing(lab: Lab) -> None:
    email = lab.add("Jane")
    tokens = lab.letters.parent / "tokens"
    tokens.mkdir()
    for name in ("jane.doe", "jane.doe-roe"):
        (tokens / f"{name}-{ORIGINAL}.token").write_text("", encoding="utf-8")
    planned = deletion.prepare(lab.accounts, email, "transfer:root@example.org")
    assert "hand its 3 pictures over to root.doe" in planned.sentences()[1]
    assert lab.keycloak.calls == [], "looking changes nothing"
    assert do(lab, email, "transfer:root@example.org") == []
    assert lab.keycloak.calls == [
        "block deleted",
        "update {'enabled': False}",
        "sign out",
        "delete account transfer to heir",
        "delete",
    ]
    assert not list(lab.letters.glob("jane*"))
    assert [path.name for path in tokens.iterdir()] == [f"jane.doe-roe-{ORIGINAL}.token"]
    with pytest.raises(RefusedError, match="Nobody has"):
        do(lab, email, "keep")


def test_originals_that_wait_are_swept(lab: Lab) -> None:
    assert do(lab, lab.add("Jane"), "delete") == [ORIGINAL]


def test_a_deletion_that_was_interrupted_goes_on(lab: Lab) -> None:
    email = lab.add("Jane")
    lab.database.down = True
    with pytest.raises(UnableError):
        do(lab, email, "keep")
    assert lab.accounts.show(email).state == "disabled", "cut off, but all is there"
    lab.database.down = False
    do(lab, email, "keep")
    half = lab.add("Bob")
    lab.database.rows = {key: row for key, row in lab.database.rows.items() if row.name != "bob.doe"}
    do(lab, half, "keep")
    assert [user["email"] for user in lab.keycloak.people.values()] == ["root@example.org"]


def test_an_account_without_anybody_in_keycloak_is_deleted_by_its_id(lab: Lab) -> None:
    lab.add("Jane")
    orphan = next(row for row in lab.database.rows.values() if row.name == "jane.doe")
    del lab.keycloak.people[orphan.oauth_id]
    finding = next(found for found in findings.audit(lab.accounts, 14, NOW) if found.kind == "panoramax-only")
    assert str(orphan.id) in finding.remedy
    do(lab, str(orphan.id), "keep")
    assert len(lab.database.rows) == 1
    with pytest.raises(RefusedError, match="no account"):
        do(lab, str(uuid4()), "keep")


@pytest.mark.parametrize("pictures", ["", "burn", "transfer", "transfer:", "keep:x", "delete:root@example.org"])
def test_pictures_go_somewhere_known(lab: Lab, pictures: str) -> None:
    with pytest.raises(RefusedError, match="cannot go by"):
        deletion.prepare(lab.accounts, lab.add("Jane"), pictures)


def test_pictures_go_to_somebody_else_who_is_there(lab: Lab) -> None:
    email, other = lab.add("Jane"), lab.add("Bob")
    lab.accounts.disable(other)
    for heir in (email, other, "nobody@example.org"):
        with pytest.raises(RefusedError):
            deletion.prepare(lab.accounts, email, f"transfer:{heir}")


def test_the_last_administrator_is_not_deleted(lab: Lab) -> None:
    with pytest.raises(RefusedError, match="last administrator"):
        do(lab, "root@example.org", "keep")


def test_an_export_holds_everything_and_no_secret(lab: Lab, tmp_path: Path) -> None:
    email = lab.add("Jane")
    target = tmp_path / "out" / "jane.tar.gz"
    asked: list[UUID] = []

    def fetch(pictures: Iterable[UUID]) -> Iterator[tuple[str, bytes]]:
        asked.extend(pictures)
        yield path_of(ORIGINAL), b"jpeg"

    counts = exporting.export(lab.accounts, email, target, fetch)
    assert counts == {"account": 1, "pictures": 2, "picture files": 1}
    assert asked[0] == ORIGINAL
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with tarfile.open(target) as archive:
        assert archive.getnames() == [
            "README.txt",
            "keycloak.json",
            "sessions.json",
            "log.json",
            "panoramax/account.json",
            "panoramax/pictures.json",
            "pictures/12/34/56/78/9abc-4def-8123-456789abcdef.jpg",
        ]
        lines = archive.extractfile("panoramax/pictures.json")
        assert lines is not None
        assert len(lines.read().splitlines()) == 2
        readme = archive.extractfile("README.txt")
        assert readme is not None
        assert "90 days" in readme.read().decode()


def test_an_export_that_fails_leaves_no_file(lab: Lab, tmp_path: Path) -> None:
    def fetch(_: Iterable[UUID]) -> Iterator[tuple[str, bytes]]:
        raise UnableError("The container is gone.")
        yield "", b""

    with pytest.raises(UnableError):
        exporting.export(lab.accounts, lab.add("Jane"), tmp_path / "out" / "jane.tar.gz", fetch)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_audit_finds_what_is_not_as_it_should_be_with_the_command_that_mends_it(lab: Lab) -> None:
    late, half = lab.add("Late"), lab.add("Half")
    for user_id, user in lab.keycloak.people.items():
        if user["email"] == late:
            lab.keycloak.dates[user_id] = NOW - timedelta(days=20)
        if user["email"] == half:
            del lab.database.rows[user_id]
    (lab.letters / "gone.txt").write_text("", encoding="utf-8")
    root = next(row for row in lab.database.rows.values() if row.name == "root.doe")
    lab.database.held = [
        Token(uuid4(), root.id, "default token", MADE, None),
        Token(uuid4(), root.id, "old machine", MADE, None),
        Token(uuid4(), root.id, "new machine", MADE, NOW),
    ]
    found = findings.audit(lab.accounts, 14, NOW)
    wrong = [(finding.kind, finding.account) for finding in found if finding.wrong]
    assert wrong == [
        ("keycloak-only", half),
        ("password-open", late),
        ("token", "root@example.org"),
        ("token", "root@example.org"),
        ("letter", "gone"),
    ]
    assert {finding.kind for finding in found if not finding.wrong} == {"administrator", "password-open"}
    assert all(finding.remedy.startswith("scripts/accounts.py -i INVENTORY ") for finding in found)


def test_initial_passwords_that_nobody_used_expire_once(lab: Lab) -> None:
    late = lab.add("Late")
    user_id = next(key for key, user in lab.keycloak.people.items() if user["email"] == late)
    lab.keycloak.dates[user_id] = NOW - timedelta(days=15)
    lab.keycloak.calls.clear()
    assert findings.expire(lab.accounts, 14, NOW) == [late]
    assert findings.expire(lab.accounts, 14, NOW) == []
    assert lab.keycloak.calls == ["remove password"]
    assert not list(lab.letters.glob("late*"))
    assert list(lab.letters.glob("root*")), "those still open stay"
    found = findings.audit(lab.accounts, 14, NOW)
    assert [finding.account for finding in found if finding.kind == "password-expired"] == [late]
    assert "reset-password" in next(finding.remedy for finding in found if finding.kind == "password-expired")


def test_of_two_administrators_who_disable_each_other_one_stays(lab: Lab) -> None:
    from concurrent.futures import ThreadPoolExecutor

    second = lab.add("Bob", "admin")

    def disable(email: str) -> bool:
        try:
            lab.accounts.disable(email)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(disable, ["root@example.org", second])) == [False, True]
