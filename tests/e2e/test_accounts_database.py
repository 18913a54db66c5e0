"""What the database does for the scripts that provision people, as the role that they have, and what it refuses them.

Each test is one transaction that is rolled back at its end: it can run on a site in use.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.e2e

Sql = Callable[..., list[list[str]]]

ALICE, BOB, ROOT = (f"'00000000-0000-4000-9000-00000000000{number}'" for number in range(1, 4))
HERS, HIS, OPEN = (f"'00000000-0000-4000-a000-00000000000{number}'" for number in range(1, 4))
SET_A, SET_B = (f"'00000000-0000-4000-b000-00000000000{number}'" for number in (1, 2))
SEQ_A, SEQ_B = (f"'00000000-0000-4000-c000-00000000000{number}'" for number in (1, 2))
DETAILS = """now(), '{"type": "flat", "width": 10, "height": 10}', 'ready'"""

# Alice and Bob with a sequence each. Alice has edited and tagged Bob's picture, and reported it; hers waits in part.
SCENE = f"""
BEGIN;
SET LOCAL client_min_messages = warning;
INSERT INTO accounts (id, name, oauth_provider, oauth_id, role) VALUES
  ({ALICE}, 'alice', 'keycloak', 'a', 'user'), ({BOB}, 'bob', 'keycloak', 'b', 'user'),
  ({ROOT}, 'root', 'keycloak', 'r', 'admin');
INSERT INTO upload_sets (id, account_id, title) VALUES ({SET_A}, {ALICE}, 'a'), ({SET_B}, {BOB}, 'b');
INSERT INTO sequences (id, account_id, status) VALUES ({SEQ_A}, {ALICE}, 'ready'), ({SEQ_B}, {BOB}, 'ready');
SET LOCAL priv.operator = 'on';
INSERT INTO pictures (id, account_id, upload_set_id, geom, ts, metadata, status, preparing_status) VALUES
  ({HERS}, {ALICE}, {SET_A}, ST_SetSRID(ST_MakePoint(1, 48), 4326), {DETAILS}, 'prepared'),
  ({OPEN}, {ALICE}, {SET_A}, ST_SetSRID(ST_MakePoint(1, 48), 4326), {DETAILS}, 'not-processed'),
  ({HIS}, {BOB}, {SET_B}, ST_SetSRID(ST_MakePoint(1, 48), 4326), {DETAILS}, 'prepared');
SET LOCAL priv.operator = 'off';
INSERT INTO files (upload_set_id, picture_id, file_name, size) VALUES ({SET_A}, {HERS}, 'a.jpg', 1000);
INSERT INTO sequences_pictures (seq_id, rank, pic_id) VALUES ({SEQ_A}, 1, {HERS}), ({SEQ_B}, 1, {HIS});
UPDATE pictures SET last_account_to_edit = {ALICE} WHERE id = {HIS};
UPDATE sequences SET last_account_to_edit = {ALICE} WHERE id = {SEQ_B};
INSERT INTO pictures_semantics_history (picture_id, account_id, updates) VALUES ({HIS}, {ALICE}, '[]');
INSERT INTO excluded_areas (account_id, geom)
  VALUES ({ALICE}, ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(5, 5), 4326), 0.001)));
INSERT INTO reports (picture_id, issue, reporter_account_id, reporter_email) VALUES ({HIS}, 'other', {ALICE}, 'a@b.c');
"""
BLOCKED = f"INSERT INTO priv.blocked_accounts (account_id) VALUES ({ALICE});"
AS_OPS = "SET LOCAL SESSION AUTHORIZATION panoramax_ops;"
AS_API = "SET LOCAL SESSION AUTHORIZATION panoramax;"
AS_ADMIN = "SET LOCAL SESSION AUTHORIZATION postgres;"
# What must be left of Bob's, whatever becomes of Alice, and what must not be left of hers.
AFTERWARDS = f"""
SELECT count(*) FROM pictures WHERE id = {HIS} AND account_id = {BOB};
SELECT count(*) FROM sequences WHERE id = {SEQ_B} AND account_id = {BOB};
SELECT count(*) FROM pictures_changes WHERE ts = now() AND account_id <> {BOB};
SELECT count(*) FROM pictures WHERE last_account_to_edit = {ALICE};
SELECT count(*) FROM tokens WHERE account_id = {ALICE};
SELECT count(*) FROM excluded_areas WHERE account_id = {ALICE};
SELECT count(*) FROM reports WHERE reporter_account_id = {ALICE} OR reporter_email = 'a@b.c';
SELECT count(*) FROM pictures_semantics_history WHERE account_id = {ALICE};
"""
CLEAN = [["1"], ["1"]] + [["0"]] * 6


@pytest.fixture
def scene(database_sql: Sql) -> Callable[[str], list[list[str]]]:
    """Runs statements after the scene is set, and takes all of it back."""
    return lambda statements: database_sql(f"{SCENE}{statements}\nROLLBACK;")


def delete(how: str) -> str:
    """SQL of the scripts that deletes Alice."""
    return f"{BLOCKED}{AS_OPS} SELECT priv.delete_account({ALICE}, {how}); {AS_ADMIN}"


def test_pictures_are_handed_over_and_nothing_else_is_left(scene: Callable[[str], list[list[str]]]) -> None:
    counts = f"""SELECT count(*) FROM accounts WHERE id = {ALICE};
        SELECT count(*) FROM priv.blocked_accounts WHERE account_id = {ALICE};
        SELECT count(*) FROM pictures WHERE account_id = {BOB};
        SELECT count(*) FROM upload_sets WHERE account_id = {BOB};
        SELECT count(*) FROM sequences WHERE account_id = {BOB};"""
    rows = scene(delete(f"'transfer', {BOB}") + AFTERWARDS + counts)
    assert rows == [*CLEAN, ["0"], ["0"], ["3"], ["2"], ["2"]]


def test_pictures_are_deleted_with_their_files(scene: Callable[[str], list[list[str]]]) -> None:
    counts = f"""SELECT count(*) FROM accounts WHERE id = {ALICE};
        SELECT count(*) FROM pictures WHERE account_id = {ALICE}; SELECT count(*) FROM sequences WHERE id = {SEQ_A};
        SELECT count(*) FROM upload_sets WHERE id = {SET_A};
        SELECT count(*) FROM job_queue WHERE task = 'delete' AND picture_to_delete_id IN ({HERS}, {OPEN});"""
    rows = scene(delete("'delete'") + AFTERWARDS + counts)
    # The first row: the original that waits among the temporary files, which the API would leave there.
    assert rows == [[OPEN.strip("'")], *CLEAN, ["0"], ["0"], ["0"], ["0"], ["2"]]


def test_pictures_are_kept_without_a_name(scene: Callable[[str], list[list[str]]]) -> None:
    account = f"SELECT name, oauth_id, role, priv.is_blocked(id) FROM accounts WHERE id = {ALICE};"
    pictures = f"SELECT count(*) FROM pictures WHERE account_id = {ALICE};"
    rows = scene(delete("'keep'") + AFTERWARDS + account + pictures)
    assert rows == [*CLEAN, ["deleted account", "", "user", "t"], ["2"]]


@pytest.mark.parametrize(
    ("before", "how", "reason"),
    [
        ("", "'delete'", "only a blocked account"),
        (BLOCKED, "'burn'", "transfer, delete or keep"),
        (BLOCKED, "NULL", "transfer, delete or keep"),
        (BLOCKED, "'transfer'", "cannot go"),
        (BLOCKED, f"'transfer', {ALICE}", "cannot go"),
        (BLOCKED, "'transfer', '00000000-0000-4000-9000-000000000009'", "cannot go"),
    ],
)
def test_a_deletion_that_would_lose_something_is_refused(
    scene: Callable[[str], list[list[str]]], before: str, how: str, reason: str
) -> None:
    with pytest.raises(RuntimeError, match=reason):
        scene(f"{before}{AS_OPS} SELECT priv.delete_account({ALICE}, {how});")


def test_the_default_account_cannot_be_deleted(scene: Callable[[str], list[list[str]]]) -> None:
    with pytest.raises(RuntimeError, match="no such account"):
        scene(f"{AS_OPS} SELECT priv.delete_account((SELECT id FROM accounts WHERE is_default), 'delete');")


def test_a_token_is_gone_for_the_api_from_its_end_on(scene: Callable[[str], list[list[str]]]) -> None:
    token = "'00000000-0000-4000-d000-000000000001'"
    rows = scene(
        f"""{AS_OPS} INSERT INTO tokens (id, account_id, description) VALUES ({token}, {ALICE}, 'machine');
        SELECT ends - now() = interval '365 days' FROM priv.token_ends WHERE token_id = {token};
        {AS_API} SELECT count(*) FROM tokens WHERE id = {token};
        {AS_ADMIN} UPDATE priv.token_ends SET ends = now(); {AS_API} SELECT count(*) FROM tokens WHERE id = {token};
        {AS_OPS} SELECT count(*) FROM tokens WHERE id = {token};
        SET LOCAL priv.operator = 'on'; SELECT count(*) FROM tokens WHERE id = {token};"""
    )
    assert rows == [["t"], ["1"], ["0"], ["0"], ["1"]]


def test_logins_are_noted_and_renaming_is_not_one(scene: Callable[[str], list[list[str]]]) -> None:
    latest = f"SELECT last_login IS NULL, pictures, bytes FROM priv.account_usage({ALICE});"
    rename = f"UPDATE accounts SET name = 'alice' WHERE id = {ALICE};"
    forget = "DELETE FROM priv.logins;"
    rows = scene(f"{forget}{AS_OPS}{rename}{latest}{AS_API}{rename}{AS_OPS}{latest}")
    assert rows == [["t", "2", "1000"], ["f", "2", "1000"]]


def test_a_person_gets_everything_that_is_stored(scene: Callable[[str], list[list[str]]]) -> None:
    rows = scene(f"{AS_OPS} SELECT kind, count(*) FROM priv.export_account({ALICE}) GROUP BY kind ORDER BY kind;")
    assert {kind: number for kind, number in rows} == {
        "account": "1",
        "excluded_areas": "1",
        "files": "1",
        "picture_edits": "1",
        "picture_tags": "1",
        "pictures": "2",
        "reports": "1",
        "sequence_edits": "1",
        "sequences": "1",
        "tokens": "1",
        "uploads": "1",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM pictures",
        "SELECT * FROM sequences",
        "SELECT * FROM files",
        "SELECT * FROM reports",
        "DELETE FROM accounts",
        "DELETE FROM pictures",
        "UPDATE priv.blocked_accounts SET why = ''",
        "UPDATE priv.token_ends SET ends = now() + interval '9 years'",
        "DELETE FROM priv.token_ends",
        "UPDATE priv.account_log SET line = ''",
        "DELETE FROM priv.account_log",
        "TRUNCATE priv.account_log",
        "INSERT INTO priv.account_log (noted, line) VALUES (now() - interval '1 year', 'forged')",
        "DELETE FROM priv.seal",
        "UPDATE configurations SET default_visibility = 'anyone'",
        "UPDATE tokens SET account_id = account_id",
        "ALTER TABLE tokens DISABLE ROW LEVEL SECURITY",
        "DROP POLICY a_priv_token_works ON tokens",
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE priv.mine (id int)",
        "CREATE ROLE mine",
        "SET ROLE panoramax",
        "SET ROLE postgres",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY accounts TO PROGRAM 'true'",
    ],
)
def test_the_scripts_role_can_do_nothing_else(database_sql: Sql, statement: str) -> None:
    with pytest.raises(RuntimeError, match=r"permission denied|must be owner|must be superuser"):
        database_sql(f"BEGIN; SET LOCAL SESSION AUTHORIZATION panoramax_ops; {statement}; ROLLBACK;")
