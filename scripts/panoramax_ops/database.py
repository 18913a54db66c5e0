"""Panoramax's own accounts, in PostgreSQL, as the least-privileged role `panoramax_ops`.

The table `accounts` is upstream's (geovisio 2.15.1): a row is linked to a Keycloak user by oauth_provider 'keycloak'
and oauth_id, and is found by these at every login. Schema `priv` is this project's guard.
"""

from __future__ import annotations

from dataclasses import dataclass
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


class Database:
    """One connection. Every call is one transaction of its own."""

    def __init__(self, endpoint: Endpoint, password: str) -> None:
        """Connect. Raises UnableError if the database does not let us in."""
        host = str(endpoint.socket.parent) if endpoint.socket else endpoint.address
        try:
            self._connection = psycopg.connect(
                host=host,
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

    def _run(self, query: LiteralString, parameters: dict[str, Any]) -> None:
        try:
            self._connection.execute(query, parameters)
        except psycopg.Error as error:
            raise _unable(error) from error

    def _accounts(self, query: LiteralString, parameters: dict[str, Any]) -> list[Account]:
        try:
            with self._connection.cursor(row_factory=class_row(Account)) as cursor:
                return cursor.execute(query, parameters).fetchall()
        except psycopg.Error as error:
            raise _unable(error) from error

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


def _unable(error: psycopg.Error) -> UnableError:
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InsufficientPrivilege):
        remedy = "Is the site deployed to its end? Run: make deploy"
    else:
        remedy = "Is the database healthy (docker ps)? Then run the same command again."
    return UnableError(f"The database: {str(error).strip().splitlines()[0]}", remedy)
