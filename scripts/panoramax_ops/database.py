"""Panoramax's own accounts, in PostgreSQL, as the least-privileged role `panoramax_ops`.

The table `accounts` is upstream's (geovisio 2.15.1): a row is linked to a Keycloak user by oauth_provider 'keycloak'
and oauth_id, and is found by these at every login. Schema `priv` is this project's guard.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from panoramax_ops.access import Endpoint
from panoramax_ops.errors import UnableError

NAME = "panoramax"
USER = "panoramax_ops"
PROVIDER = "keycloak"

_SELECT: LiteralString = """
    SELECT a.id, a.name, a.oauth_id, a.role::text AS role, a.created_at::text AS created_at,
           b.account_id IS NOT NULL AS blocked,
           (SELECT count(*) FROM tokens t WHERE t.account_id = a.id) AS tokens
      FROM accounts a LEFT JOIN priv.blocked_accounts b ON b.account_id = a.id
"""


@dataclass(frozen=True)
class Account:
    """A row of Panoramax's accounts."""

    id: UUID
    name: str
    oauth_id: str
    role: str
    created_at: str
    blocked: bool
    tokens: int


@dataclass(frozen=True)
class Usage:
    """What an account was used for. `last_login` is a date and time, or empty; `bytes` is the size of files as sent."""

    last_login: str
    pictures: int
    bytes: int


@dataclass(frozen=True)
class Token:
    """An API token. `ends` is None for one that works until it is revoked."""

    id: UUID
    account_id: UUID
    description: str
    made: datetime
    ends: datetime | None


@dataclass(frozen=True)
class Waiting:
    """Pictures of one account that wait to be blurred. `failing` of them are tried again later; `oldest` is a time."""

    account: str
    waiting: int
    failing: int
    oldest: str


@dataclass(frozen=True)
class Failed:
    """A picture that failed. `next` is the time of the next try, empty for one that is broken."""

    picture: UUID
    account: str
    file: str
    state: str
    tries: int
    next: str
    reason: str


@dataclass(frozen=True)
class Detector:
    """How far a detector is. Of `pictures`, so many are done, wait, or failed; `found` things have its tags.

    `resting`: its tags were taken away, and it does nothing. `last` is the time of its last picture, or empty.
    """

    name: str
    version: str
    resting: bool
    pictures: int
    done: int
    waiting: int
    failed: int
    found: int
    last: str


@dataclass(frozen=True)
class FailedDetection:
    """A picture that a detector failed at. `next` is the time of the next try, empty for one that was given up."""

    picture: UUID
    detector: str
    tries: int
    next: str
    reason: str


# Any numbers, the same in all scripts: who holds the first lock may take away the administrator's role; the second is
# held, account by account, by who makes it.
ADMINISTRATORS_LOCK = 7_400_501
MAKING_LOCK = 7_400_502
LOCK_SECONDS = 30
# A server that hangs keeps its connections open and says nothing: nobody is to wait for ever.
QUERY_SECONDS = 60
# Deleting somebody's hundred thousand pictures is one transaction.
DELETE_SECONDS = 3600


class Database:
    """One connection. Every call is one transaction of its own."""

    def __init__(self, endpoint: Endpoint, password: str) -> None:
        """Connect. Raises UnableError if the database does not let us in."""
        # Through ssh and the host's own bridge TLS adds nothing, and libpq does not speak it on Unix sockets.
        host = str(endpoint.socket.parent) if endpoint.socket else endpoint.address
        verified = endpoint.authority is not None and endpoint.socket is None
        try:
            self._connection = psycopg.connect(
                host=host,
                sslmode="verify-full" if verified else "prefer",
                sslrootcert=str(endpoint.authority) if verified else None,
                port=endpoint.port,
                dbname=NAME,
                user=USER,
                password=password,
                connect_timeout=15,
                autocommit=True,
                application_name="accounts.py",
            )
        except psycopg.OperationalError as error:
            raise UnableError(
                f"The database does not let {USER} in: {str(error).strip()}",
                "Is its container healthy (docker ps)? After new secrets: make deploy",
            ) from error

    def __enter__(self) -> Database:
        """The database itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    @contextlib.contextmanager
    def _in_time(self, seconds: float | None = None) -> Iterator[None]:
        """Raises UnableError for an error of the database, or when it says nothing for so long."""
        limit = QUERY_SECONDS if seconds is None else seconds
        timer = threading.Timer(limit, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        except psycopg.Error as error:
            raise _unable(error) from error
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError, psycopg.Error):
            end = socket.socket(fileno=os.dup(self._connection.fileno()))
            end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _run(self, query: LiteralString, parameters: dict[str, Any]) -> None:
        with self._in_time():
            self._connection.execute(query, parameters)

    def _rows(self, query: LiteralString, parameters: dict[str, Any], seconds: float | None = None) -> list[Any]:
        with self._in_time(seconds):
            return self._connection.execute(query, parameters).fetchall()

    def _accounts(self, query: LiteralString, parameters: dict[str, Any]) -> list[Account]:
        with self._in_time(), self._connection.cursor(row_factory=class_row(Account)) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def account(self, oauth_id: str) -> Account | None:
        """The account of a Keycloak user, or None if it has none yet."""
        query: LiteralString = _SELECT + "WHERE a.oauth_provider = %(provider)s AND a.oauth_id = %(oauth_id)s"
        found = self._accounts(query, {"provider": PROVIDER, "oauth_id": oauth_id})
        return found[0] if found else None

    def accounts(self) -> list[Account]:
        """All accounts that belong to Keycloak users."""
        return self._accounts(_SELECT + "WHERE a.oauth_provider = %(provider)s", {"provider": PROVIDER})

    def create(self, oauth_id: str, name: str, role: str) -> None:
        """Make the account before the first login, with its role. Nothing happens if it is there."""
        self._run(
            """INSERT INTO accounts (name, oauth_provider, oauth_id, role)
               VALUES (%(name)s, %(provider)s, %(oauth_id)s, %(role)s)
               ON CONFLICT (oauth_provider, oauth_id) DO NOTHING""",
            {"name": name, "provider": PROVIDER, "oauth_id": oauth_id, "role": role},
        )

    def set_role(self, account: UUID, role: str) -> None:
        """`role` is user or admin; it counts from the next request on (measured)."""
        self._run("UPDATE accounts SET role = %(role)s WHERE id = %(id)s", {"role": role, "id": account})

    def block(self, account: UUID, why: str) -> None:
        """From now on cookies and tokens of the account show nothing. The guard ends its tokens and keeps its role."""
        self._run(
            "INSERT INTO priv.blocked_accounts (account_id, why) VALUES (%(id)s, %(why)s) ON CONFLICT DO NOTHING",
            {"id": account, "why": why},
        )
        self.delete_tokens(account)

    def unblock(self, account: UUID) -> None:
        """Take the block away; nothing happens if there is none."""
        self._run("DELETE FROM priv.blocked_accounts WHERE account_id = %(id)s", {"id": account})

    def delete_tokens(self, account: UUID) -> None:
        """End all API tokens of the account."""
        self._run("DELETE FROM tokens WHERE account_id = %(id)s", {"id": account})

    def active_admins(self) -> list[UUID]:
        """Administrators who belong to Keycloak users and are not blocked."""
        return [account.id for account in self.accounts() if account.role == "admin" and not account.blocked]

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else takes away an administrator meanwhile: of two who try at once, the second one waits and looks.

        Raises UnableError if the other one does not come to an end within 30 s.
        """
        with self._locked(ADMINISTRATORS_LOCK, ""):
            yield

    @contextlib.contextmanager
    def making(self, email: str) -> Iterator[None]:
        """Nobody else makes or completes this account meanwhile: two letters with different passwords would come of it.

        Raises UnableError if the other one does not come to an end within 30 s.
        """
        with self._locked(MAKING_LOCK, email):
            yield

    @contextlib.contextmanager
    def _locked(self, kind: int, what: str) -> Iterator[None]:
        key = {"kind": kind, "what": what}
        self._run("SELECT set_config('lock_timeout', %(limit)s, false)", {"limit": f"{LOCK_SECONDS}s"})
        self._run("SELECT pg_advisory_lock(%(kind)s, hashtext(%(what)s))", key)
        try:
            yield
        finally:
            # A connection that is lost holds nothing, and why it was lost is known already.
            with contextlib.suppress(UnableError):
                self._run("SELECT pg_advisory_unlock(%(kind)s, hashtext(%(what)s))", key)

    def rename(self, account: UUID, name: str) -> None:
        """The name shown to others; the next login would set it as well."""
        self._run("UPDATE accounts SET name = %(name)s WHERE id = %(id)s", {"name": name, "id": account})

    def usage(self, account: UUID | None = None) -> dict[UUID, Usage]:
        """What one account, or each, has been used for."""
        query: LiteralString = "SELECT account_id, last_login, pictures, bytes FROM priv.account_usage(%(id)s)"
        rows = self._rows(query, {"id": account})
        return {row[0]: Usage(row[1] or "", row[2], row[3]) for row in rows}

    def holdings(self, account: UUID) -> dict[str, int]:
        """How much an account holds, by kind."""
        return dict(self._rows("SELECT what, number FROM priv.account_holdings(%(id)s)", {"id": account}))

    def delete(self, account: UUID, pictures: str, heir: UUID | None) -> list[UUID]:
        """Delete a blocked account; `pictures` is transfer (to `heir`), delete or keep (see guard/75_accounts.sql).

        Returns the deleted pictures whose originals may lie among the API's temporary files.
        """
        rows = self._rows(
            "SELECT priv.delete_account(%(id)s, %(pictures)s, %(heir)s)",
            {"id": account, "pictures": pictures, "heir": heir},
            DELETE_SECONDS,
        )
        return [row[0] for row in rows]

    def export(self, account: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything stored about an account: (kind, object), kind by kind."""
        # A cursor of the server's: a person may have hundreds of thousands of pictures.
        try:
            with self._connection.transaction(), self._connection.cursor(name="export") as cursor:
                cursor.execute("SELECT kind, item FROM priv.export_account(%(id)s)", {"id": account})
                yield from cursor
        except psycopg.Error as error:
            raise _unable(error) from error

    def tokens(self, account: UUID | None = None) -> list[Token]:
        """API tokens of one account, or of all people, by their age; those that have ended are not there any more."""
        query: LiteralString = """
            SELECT t.id, t.account_id, coalesce(t.description, '') AS description, t.generated_at AS made, e.ends
              FROM tokens t JOIN accounts a ON a.id = t.account_id LEFT JOIN priv.token_ends e ON e.token_id = t.id
             WHERE a.oauth_provider = %(provider)s AND (%(id)s::uuid IS NULL OR t.account_id = %(id)s)
             ORDER BY t.generated_at"""
        with self._in_time(), self._connection.cursor(row_factory=class_row(Token)) as cursor:
            return cursor.execute(query, {"provider": PROVIDER, "id": account}).fetchall()

    def create_token(self, account: UUID, description: str, days: int) -> Token:
        """Make an API token that ends by itself."""
        with self._in_time(), self._connection.cursor(row_factory=class_row(Token)) as cursor:
            return cursor.execute(
                """WITH made AS (INSERT INTO tokens (account_id, description) VALUES (%(id)s, %(description)s)
                                 RETURNING id, account_id, description, generated_at),
                        ended AS (INSERT INTO priv.token_ends (token_id, ends)
                                  SELECT id, generated_at + make_interval(days => %(days)s) FROM made
                                  RETURNING ends)
                   SELECT id, account_id, description, generated_at AS made, ends FROM made, ended""",
                {"id": account, "description": description, "days": days},
            ).fetchall()[0]

    def revoke_token(self, token: UUID) -> None:
        """End one token; it works no more from the next request on."""
        self._run("DELETE FROM tokens WHERE id = %(id)s", {"id": token})

    def note(self, line: str) -> None:
        """Keep a line of the record of what administrators did. It can be read, and neither changed nor removed."""
        self._run("INSERT INTO priv.account_log (line) VALUES (%(line)s)", {"line": line})

    def notes(self) -> list[str]:
        """All lines of the record, of all administrators, oldest first."""
        return [row[0] for row in self._rows("SELECT line FROM priv.account_log ORDER BY id", {})]

    def picture_queue(self) -> list[Waiting]:
        """What waits to be blurred, by account, most first."""
        rows = self._rows("SELECT account, waiting, failing, oldest FROM priv.queue_state()", {})
        return [Waiting(*row) for row in rows]

    def failed_pictures(self) -> list[Failed]:
        """Pictures that are broken, or were tried in vain at least once, oldest first."""
        query: LiteralString = "SELECT picture, account, file, state, tries, next, reason FROM priv.failed_pictures()"
        return [Failed(*row) for row in self._rows(query, {})]

    def retry_pictures(self, pictures: list[UUID] | None) -> list[UUID]:
        """Queue broken pictures again, all of them for None. Returns those that were queued."""
        query: LiteralString = "SELECT * FROM priv.retry_pictures(%(pictures)s::uuid[])"
        return [row[0] for row in self._rows(query, {"pictures": pictures})]

    def detectors(self) -> list[Detector]:
        """How far each of the operator's own detectors is, by name."""
        return [Detector(*row) for row in self._rows("SELECT * FROM priv.detector_state()", {})]

    def failed_detections(self) -> list[FailedDetection]:
        """Pictures that detectors failed at."""
        return [FailedDetection(*row) for row in self._rows("SELECT * FROM priv.failed_detections()", {})]

    def run_detectors(self, name: str | None, again: bool) -> int:
        """Have a detector, or all, look at what is left, or at all again. Returns how many looks are to be done."""
        query: LiteralString = "SELECT priv.run_detectors(%(name)s::text, %(again)s)"
        return int(self._rows(query, {"name": name, "again": again}, DELETE_SECONDS)[0][0])

    def rest_detector(self, name: str) -> tuple[int, int]:
        """Take a detector's tags away and let it rest. Returns the numbers of pictures and of tags."""
        query: LiteralString = "SELECT pictures, tags FROM priv.rest_detector(%(name)s)"
        pictures, tags = self._rows(query, {"name": name}, DELETE_SECONDS)[0]
        return pictures, tags


def _unable(error: psycopg.Error) -> UnableError:
    errors = psycopg.errors
    if isinstance(error, errors.LockNotAvailable):
        remedy = "Something else is being done with it, as a picture being prepared. Wait a minute, and run this again."
    elif isinstance(error, errors.UndefinedTable | errors.UndefinedFunction | errors.InsufficientPrivilege):
        remedy = "Is the site deployed to its end? Run: make deploy"
    else:
        remedy = "Is the database healthy (docker ps)? Then run the same command again."
    message = (str(error).strip() or type(error).__name__).splitlines()[0]
    return UnableError(f"The database: {message}", remedy)
