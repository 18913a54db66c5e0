"""A site made of dictionaries, for tests of what administrators do."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from panoramax_ops.accounts import Accounts
from panoramax_ops.audit import AuditLog
from panoramax_ops.database import Account, Database, Token, Usage
from panoramax_ops.errors import UnableError
from panoramax_ops.keycloak import Keycloak, UserExistsError
from panoramax_ops.person import UPDATE_PASSWORD, Settings

MADE = datetime(2026, 11, 1, tzinfo=UTC)
ORIGINAL = UUID("12345678-9abc-4def-8123-456789abcdef")


class FakeKeycloak:
    """A realm. `calls` records what changed it."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.dates: dict[str, datetime] = {}
        self.calls: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.mail_is_down = False
        self.down = False

    def create_user(self, user: dict[str, Any]) -> str:
        if any(other["username"] == user["username"] for other in self.people.values()):
            raise UserExistsError("User exists with same username")
        user_id = str(uuid4())
        self.people[user_id] = {"id": user_id, **user}
        self.calls.append("create")
        return user_id

    def _one(self, key: str, value: str) -> dict[str, Any] | None:
        return next((dict(user) for user in self.people.values() if user[key] == value), None)

    def user_by_email(self, email: str) -> dict[str, Any] | None:
        return self._one("email", email)

    def user_by_name(self, username: str) -> dict[str, Any] | None:
        return self._one("username", username)

    def user_by_id(self, user_id: str) -> dict[str, Any] | None:
        return self.people.get(user_id)

    def password_date(self, user_id: str) -> datetime | None:
        return self.dates.get(user_id, MADE) if self.people[user_id]["credentials"] else None

    def remove_password(self, user_id: str) -> None:
        self.people[user_id]["credentials"] = []
        self.calls.append("remove password")

    def remove_second_step(self, user_id: str) -> None:
        assert user_id in self.people
        self.calls.append("remove second step")

    def set_attributes(self, user: dict[str, Any], attributes: dict[str, list[str]], **changes: Any) -> None:
        known = self.people[user["id"]].setdefault("attributes", {})
        known |= attributes
        for name in [name for name, values in known.items() if not values]:
            del known[name]
        self.people[user["id"]] |= changes

    def send_link(self, user_id: str, email: str, seconds: int) -> None:
        if self.mail_is_down:
            raise UnableError(f"No mail could be sent to {email}.")
        assert self.people[user_id]["email"] == email
        self.links.append((email, seconds))

    def users(self) -> list[dict[str, Any]]:
        return list(self.people.values())

    def update_user(self, user_id: str, changes: dict[str, Any]) -> None:
        self.people[user_id] |= changes
        self.calls.append(f"update {changes}")

    def set_temporary_password(self, user_id: str, password: str) -> None:
        self.people[user_id]["requiredActions"] = [UPDATE_PASSWORD]
        self.people[user_id]["credentials"] = [{"value": password}]
        self.calls.append("password")

    def sessions(self, user_id: str) -> list[dict[str, Any]]:
        return [{"id": "s", "userId": user_id, "ipAddress": "192.0.2.7"}]

    def sign_out(self, user_id: str) -> None:
        assert user_id in self.people
        self.calls.append("sign out")

    def delete_user(self, user_id: str) -> None:
        if self.down:
            raise UnableError("Keycloak does not answer.")
        del self.people[user_id]
        self.calls.append("delete")


class FakeDatabase:
    """Panoramax's accounts."""

    def __init__(self, calls: list[str]) -> None:
        self.rows: dict[str, Account] = {}
        self.calls = calls
        self.held: list[Token] = []
        self.down = False
        self.down_after: int | None = None
        self.lock = threading.Lock()
        self.administrators = threading.Lock()
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        with self.lock:
            self.lines.append(line)

    def notes(self) -> list[str]:
        return list(self.lines)

    def account(self, oauth_id: str) -> Account | None:
        return self.rows.get(oauth_id)

    def accounts(self) -> list[Account]:
        return list(self.rows.values())

    def create(self, oauth_id: str, name: str, role: str) -> None:
        with self.lock:
            if self.down or (self.down_after is not None and len(self.rows) >= self.down_after):
                raise UnableError("The database is down.")
            self._insert(oauth_id, name, role)

    def _insert(self, oauth_id: str, name: str, role: str) -> None:
        self.rows[oauth_id] = Account(uuid4(), name, oauth_id, role, "", False, 1)

    def _change(self, account: UUID, **changes: Any) -> None:
        oauth_id = next(key for key, row in self.rows.items() if row.id == account)
        self.rows[oauth_id] = Account(**(vars(self.rows[oauth_id]) | changes))

    def set_role(self, account: UUID, role: str) -> None:
        self._change(account, role=role)

    def block(self, account: UUID, why: str) -> None:
        self.calls.append(f"block {why}".strip())
        self._change(account, blocked=True, tokens=0)

    def unblock(self, account: UUID) -> None:
        self.calls.append("unblock")
        self._change(account, blocked=False)

    def usage(self, account: UUID | None = None) -> dict[UUID, Usage]:
        wanted = [row.id for row in self.rows.values() if account in (None, row.id)]
        return {found: Usage("2026-11-22 10:00:00+00", 2, 1000) for found in wanted}

    def rename(self, account: UUID, name: str) -> None:
        self._change(account, name=name)

    def holdings(self, account: UUID) -> dict[str, int]:
        return {"pictures": 3, "tokens": len(self.tokens(account)), "reports made": 0}

    def delete(self, account: UUID, pictures: str, heir: UUID | None) -> list[UUID]:
        self.calls.append(f"delete account {pictures} {'to heir' if heir else ''}".strip())
        if self.down:
            raise UnableError("The database is down.")
        self.rows = {key: row for key, row in self.rows.items() if row.id != account}
        return [ORIGINAL] if pictures == "delete" else []

    def export(self, account: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "account", {"id": str(account)}
        yield "pictures", {"id": str(ORIGINAL)}
        yield "pictures", {"id": str(uuid4())}

    def tokens(self, account: UUID | None = None) -> list[Token]:
        return [token for token in self.held if account in (None, token.account_id)]

    def create_token(self, account: UUID, description: str, days: int) -> Token:
        self.held.append(Token(uuid4(), account, description, MADE, MADE + timedelta(days=days)))
        return self.held[-1]

    def revoke_token(self, token: UUID) -> None:
        self.held = [found for found in self.held if found.id != token]

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self.administrators:
            yield

    @contextlib.contextmanager
    def making(self, _email: str) -> Iterator[None]:
        yield

    def active_admins(self) -> list[UUID]:
        return [row.id for row in self.rows.values() if row.role == "admin" and not row.blocked]


class Lab:
    """The accounts of an empty site, and what is behind them."""

    def __init__(self, directory: Path, *, mail: bool = False, me: str = "") -> None:
        self.keycloak = FakeKeycloak()
        self.database = FakeDatabase(self.keycloak.calls)
        self.letters = directory / "letters"
        self.log = directory / "accounts.log"
        settings = Settings(
            "Lab", "https://lab.example", "Operator", "maps@example.org", 12, self.letters, mail=mail, me=me
        )
        log = AuditLog(self.log, self.database.note, me)
        self.accounts = Accounts(cast(Keycloak, self.keycloak), cast(Database, self.database), settings, log)

    def add(self, name: str, role: str = "user") -> str:
        email = f"{name.lower()}@example.org"
        self.accounts.create(email, f"{name} Doe", role, "en")
        self.keycloak.calls.clear()
        return email
