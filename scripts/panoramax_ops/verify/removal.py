"""Remove accounts of the verifier from Panoramax with everything that hangs on them, and prove that nothing is left.

Upstream has no way to delete an account. The foreign keys of its tables make a plain DELETE either fail, or take along
pictures of other people that the account edited last (last_account_to_edit is ON DELETE CASCADE): hence the order here.
Measured with geovisio 2.15.1.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.psql import Psql

WORKER_SECONDS = 15
ATTEMPTS = 4

_REMOVE = """
BEGIN;
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '20s';
SET LOCAL priv.operator = 'on';
CREATE TEMPORARY TABLE gone ON COMMIT DROP AS
  SELECT id FROM accounts WHERE oauth_provider = 'keycloak' AND oauth_id IN ({oauth_ids}) AND NOT is_default;
-- Upstream's triggers would write a history without an author, which they cannot.
SET LOCAL session_replication_role = replica;
UPDATE pictures SET last_account_to_edit = NULL WHERE last_account_to_edit IN (SELECT id FROM gone);
UPDATE sequences SET last_account_to_edit = NULL WHERE last_account_to_edit IN (SELECT id FROM gone);
SET LOCAL session_replication_role = origin;
SELECT id FROM pictures WHERE account_id IN (SELECT id FROM gone);
DELETE FROM reports WHERE reporter_account_id IN (SELECT id FROM gone);
DELETE FROM pictures WHERE account_id IN (SELECT id FROM gone);
DELETE FROM next_sequences n USING sequences s
  WHERE s.id IN (n.seq_id, n.next_seq_id) AND s.account_id IN (SELECT id FROM gone);
DELETE FROM sequences WHERE account_id IN (SELECT id FROM gone);
DELETE FROM upload_sets WHERE account_id IN (SELECT id FROM gone);
DELETE FROM excluded_areas WHERE account_id IN (SELECT id FROM gone);
DELETE FROM pictures_semantics_history WHERE account_id IN (SELECT id FROM gone);
DELETE FROM sequences_semantics_history WHERE account_id IN (SELECT id FROM gone);
DELETE FROM accounts WHERE id IN (SELECT id FROM gone);
DELETE FROM priv.blocked_accounts WHERE account_id IN (SELECT id FROM gone);
COMMIT;
"""


def quoted(ids: Iterable[str | UUID]) -> str:
    """Identifiers as a list for SQL. Raises ValueError for anything that is not a UUID."""
    return ", ".join(f"'{UUID(str(identifier))}'" for identifier in ids)


def remove_accounts(sql: Psql, oauth_ids: Iterable[str]) -> list[str]:
    """Delete the accounts of these Keycloak users with their pictures, whose files the workers delete.

    Returns the pictures: those that were still waiting leave their originals behind, which no worker deletes.
    """
    if not (listed := quoted(oauth_ids)):
        return []
    pictures = [row[0] for row in _patiently(sql, _REMOVE.format(oauth_ids=listed))]
    forget_deletions(sql, pictures)
    return pictures


def _patiently(sql: Psql, statements: str) -> list[list[str]]:
    """Rows of statements that a worker may keep waiting, which holds a picture for as long as it works on it."""
    for _ in range(ATTEMPTS - 1):
        try:
            return sql.run(statements)
        except UnableError:
            time.sleep(2)
    return sql.run(statements)


def forget_deletions(sql: Psql, pictures: Iterable[str]) -> None:
    """Wait until the workers have deleted the files of these pictures, and remove their note of it.

    Raises UnableError if they do not get to it.
    """
    if not (listed := quoted(pictures)):
        return
    hurry(sql, f"picture_to_delete_id IN ({listed})")
    deadline = time.monotonic() + WORKER_SECONDS
    while sql.read(f"SELECT 1 FROM job_queue WHERE picture_to_delete_id IN ({listed}) LIMIT 1"):
        if time.monotonic() > deadline:
            raise UnableError("The workers do not delete the files of a picture.", "Do they run? docker ps")
        time.sleep(0.2)
    sql.run(f"DELETE FROM job_history WHERE picture_to_delete_id IN ({listed})")


def hurry(sql: Psql, which: str) -> None:
    """Have the workers do jobs of the verifier's next, however many others are waiting. `which` is a condition."""
    sql.run(
        f"""UPDATE job_queue SET ts = 'epoch'
            WHERE id IN (SELECT id FROM job_queue WHERE ts > 'epoch' AND ({which}) FOR UPDATE SKIP LOCKED)"""
    )


def traces(sql: Psql, ids: Iterable[str | UUID]) -> list[str]:
    """Columns of the whole database that still hold one of these identifiers, as 'schema.table.column'.

    All columns of type uuid are looked at, whatever a new version of upstream calls them.
    """
    if not (listed := quoted(ids)):
        return []
    columns = sql.read(
        """SELECT c.oid::regclass, quote_ident(a.attname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE a.atttypid = 'uuid'::regtype AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
             AND n.nspname NOT IN ('pg_catalog', 'information_schema')"""
    )
    query = " UNION ALL ".join(
        f"SELECT '{table}.{column}' WHERE EXISTS (SELECT FROM {table} WHERE {column} IN ({listed}))"
        for table, column in columns
    )
    return [row[0] for row in sql.read(query)]
