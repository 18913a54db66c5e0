"""The guard's part in the way of pictures, asked directly: proofs of blurring, and whose turn it is.

Each test is one transaction that is rolled back at its end, as in test_guard.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Site
from panoramax_ops.inventory import Inventory
from test_guard import ALICE, BOB, PICTURE, SCENE, UPLOAD, Sql, attempt, database_sql

__all__ = ["database_sql"]
pytestmark = pytest.mark.e2e
IDENTIFIER = PICTURE.strip("'")
WAITING = (
    f"UPDATE pictures SET status = 'waiting-for-process', preparing_status = 'not-processed' WHERE id = {PICTURE};"
)
SHOWN = f"UPDATE pictures SET status = 'ready', preparing_status = 'prepared' WHERE id = {PICTURE}"
Ask = Callable[[str], list[list[str]]]


@pytest.fixture
def scene(database_sql: Sql) -> Ask:
    return lambda statements: database_sql(f"{SCENE}{statements}\nROLLBACK;")


@pytest.fixture(scope="session")
def key(site: Site) -> str:
    return str(Inventory(site.inventory).require("secret_blurring_proof"))


def proof(key: str, picture: str = IDENTIFIER, **changed: Any) -> str:
    """A statement that records a proof, signed with ``key``, unless something was ``changed`` after that."""
    statement = json.dumps({"picture": picture, "answer": "0" * 64})
    signature = hmac.new(key.encode(), statement.encode(), hashlib.sha256).hexdigest()
    values = {"statement": statement, "signature": signature} | changed
    return (
        "INSERT INTO priv.blurring_proofs (picture_id, statement, signature)"
        f" VALUES ({PICTURE}, '{values['statement']}', '{values['signature']}')"
    )


def test_nothing_is_shown_without_a_proof(scene: Ask, key: str) -> None:
    rows = scene(WAITING + attempt(SHOWN) + attempt(proof(key)) + attempt(SHOWN))
    assert rows == [["PV403"], ["done"], ["done"]]


@pytest.mark.parametrize("part", ["status = 'ready'", "preparing_status = 'prepared'"])
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_not_even_in_part(scene: Ask, part: str, mode: str) -> None:
    change = f"UPDATE pictures SET {part} WHERE id = {PICTURE}"
    assert scene(f"{WAITING} SET LOCAL session_replication_role = {mode}; {attempt(change)}") == [["PV403"]]


def test_what_is_shown_may_be_deleted_without_a_proof_and_does_not_come_back(scene: Ask) -> None:
    rows = scene(
        attempt(f"UPDATE pictures SET status = 'waiting-for-delete' WHERE id = {PICTURE}")
        + attempt(f"UPDATE pictures SET status = 'ready' WHERE id = {PICTURE}")
    )
    assert rows == [["done"], ["PV403"]]


def test_no_picture_comes_into_the_world_prepared(scene: Ask) -> None:
    insert = (
        "INSERT INTO pictures (account_id, upload_set_id, geom, ts, metadata, status, preparing_status) VALUES"
        f" ({ALICE}, {UPLOAD}, ST_SetSRID(ST_MakePoint(1, 48), 4326), now(), '{{}}', 'ready', 'prepared')"
    )
    assert scene(attempt(insert)) == [["PV403"]]


def test_only_a_proof_is_one(scene: Ask, key: str) -> None:
    rows = scene(
        attempt(proof("another key of some length"))
        + attempt(proof(key, "00000000-0000-0000-0000-000000000000"))
        + attempt(proof(key, signature=""))
        + attempt(proof(key, statement=json.dumps({"picture": IDENTIFIER})))
        + attempt(proof(key))
        + attempt(f"UPDATE priv.blurring_proofs SET signature = reverse(signature) WHERE picture_id = {PICTURE}")
    )
    assert rows == [["PV403"]] * 4 + [["done"], ["PV403"]]


@pytest.mark.parametrize("length", [1, 44, 63, 64, 65, 200])
def test_the_database_computes_what_the_blurring_does(database_sql: Sql, length: int) -> None:
    key, message = "k" * length, "Straße und Büro " * 20
    expected = hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
    asked = f"SELECT encode(proof.hmac(convert_to('{key}', 'UTF8'), convert_to('{message}', 'UTF8')), 'hex')"
    assert database_sql(asked, user="postgres") == [[expected]]


@pytest.mark.parametrize(
    "forgery",
    [
        "SELECT * FROM proof.keys()",
        "SELECT pg_read_file('/run/secrets/proof_keys')",
        "CREATE OR REPLACE FUNCTION proof.signed(statement text, signature text) RETURNS boolean"
        " LANGUAGE sql AS 'SELECT true'",
        "DROP FUNCTION proof.signed(text, text) CASCADE",
        f"INSERT INTO proof.before (picture_id) VALUES ({PICTURE})",
        "CREATE FUNCTION proof.x() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "DROP SCHEMA proof CASCADE",
        "ALTER SCHEMA proof RENAME TO x",
        "COPY proof.before FROM '/run/secrets/proof_keys'",
    ],
)
def test_who_owns_the_database_cannot_forge(scene: Ask, forgery: str) -> None:
    assert scene(attempt(forgery)) == [["42501"]]


def jobs(owner: str, number: int) -> str:
    """Statements that upload so many pictures of an account (upstream's trigger makes their jobs)."""
    return (
        f"INSERT INTO upload_sets (id, account_id, title) VALUES (gen_random_uuid(), {owner}, 'many');"
        "INSERT INTO pictures (account_id, upload_set_id, geom, ts, metadata)"
        f" SELECT {owner}, (SELECT id FROM upload_sets WHERE account_id = {owner} AND title = 'many'),"
        f" ST_SetSRID(ST_MakePoint(1, 48), 4326), now(), '{{}}' FROM generate_series(1, {number});"
    )


ORDER = f"""
SELECT string_agg(CASE t.account_id WHEN {ALICE} THEN 'a' ELSE 'b' END, '' ORDER BY t.turn, t.queued)
FROM job_queue j JOIN priv.turns t ON t.job_id = j.id
WHERE t.account_id IN ({ALICE}, {BOB}) AND j.picture_id <> {PICTURE};
"""


def test_three_pictures_are_not_stuck_behind_three_hundred(scene: Ask) -> None:
    empty = "DELETE FROM job_queue;"
    assert scene(empty + jobs(ALICE, 300) + jobs(BOB, 3) + ORDER) == [["ab" * 3 + "a" * 297]]


def test_who_comes_later_does_not_overtake_for_more_than_a_turn(scene: Ask) -> None:
    # 100 of 300 are done when Bob comes with 150. One of Alice's failed long ago; another one, which fails now, goes
    # behind what was not tried yet, and not to the end.
    done = (
        f"DELETE FROM job_queue WHERE id IN (SELECT job_id FROM priv.turns WHERE account_id = {ALICE}"
        f" AND turn BETWEEN 1 AND 100); UPDATE priv.turns SET again = true WHERE account_id = {ALICE} AND turn = 0;"
    )
    rows = scene("DELETE FROM job_queue;" + jobs(ALICE, 300) + done + jobs(BOB, 150) + ORDER)
    assert rows == [["a" + "ab" * 150 + "a" * 49]]
    fails = "DO $$ BEGIN PERFORM priv.queue_behind(priv.next_job(true)); END $$;"
    rows = scene("DELETE FROM job_queue;" + jobs(ALICE, 3) + fails + jobs(BOB, 2) + ORDER)
    assert rows == [["abaab"]]


def test_ten_thousand_pictures_are_queued_and_taken_quickly(scene: Ask) -> None:
    started = "CREATE TEMPORARY TABLE started ON COMMIT DROP AS SELECT clock_timestamp() AS at;"
    took = "SELECT extract(epoch FROM clock_timestamp() - at) < {} FROM started; DROP TABLE started;"
    take = (
        "DO $$ BEGIN FOR i IN 1..500 LOOP DELETE FROM job_queue WHERE id = (SELECT priv.next_job(true));"
        " END LOOP; END $$;"
    )
    many = "DELETE FROM job_queue;" + started + jobs(ALICE, 10_000) + took.format(30)
    assert scene(many + started + take + took.format(10)) == [["t"], ["t"]]


def test_a_picture_is_queued_once_and_tried_again_when_broken(scene: Ask) -> None:
    again = f"INSERT INTO job_queue (picture_id, task) VALUES ({PICTURE}, 'prepare');"
    broken = f"UPDATE pictures SET status = 'broken', preparing_status = 'broken' WHERE id = {PICTURE};"
    state = f"SELECT status, preparing_status FROM pictures WHERE id = {PICTURE};"
    clear = f"DELETE FROM job_queue WHERE picture_id = {PICTURE};"
    count = f"SELECT count(*) FROM job_queue WHERE picture_id = {PICTURE};"
    rows = scene(
        clear + broken + again + again + state + count + clear + broken + "SELECT priv.retry_pictures();" + state
    )
    assert rows == [
        ["waiting-for-process", "not-processed"],
        ["1"],
        [IDENTIFIER],
        ["waiting-for-process", "not-processed"],
    ]


def test_a_picture_that_waits_without_a_job_is_found(scene: Ask) -> None:
    lost = f"DELETE FROM job_queue WHERE picture_id = {PICTURE}; {WAITING}"
    old = f"UPDATE pictures SET inserted_at = now() - interval '1 hour' WHERE id = {PICTURE};"
    ask = "SELECT priv.queue_forgotten_pictures();"
    assert scene(lost + ask + old + ask + ask) == [["0"], ["1"], ["0"]]
