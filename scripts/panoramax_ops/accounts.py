"""What administrators do with accounts: each one is a Keycloak user and a row of Panoramax, changed together.

The order within each action is chosen so that an interruption leaves nothing open: access is cut before it is tidied,
and given last. Every action can be repeated.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from panoramax_ops import people
from panoramax_ops.audit import AuditLog
from panoramax_ops.database import Account, Database, Usage
from panoramax_ops.errors import OpsError, RefusedError, UnableError
from panoramax_ops.keycloak import Keycloak, UserExistsError
from panoramax_ops.letters import Letter, path_of, remove, write

UPDATE_PASSWORD = "UPDATE_PASSWORD"
UNUSED = Usage("", 0, 0)


@dataclass(frozen=True)
class Settings:
    """What the letters say about the site."""

    site: str
    url: str
    operator: str
    contact: str
    password_length: int
    letters: Path
    password_days: int = 14


@dataclass(frozen=True)
class Person:
    """One account as it is shown; `id` is Keycloak's.

    `state`: active, new (initial password still open), disabled, or incomplete (in Keycloak only).
    """

    name: str
    username: str
    email: str
    role: str
    state: str
    language: str
    created: str
    tokens: int
    last_login: str = ""
    pictures: int = 0
    bytes: int = 0
    id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Created:
    """What `create` did. `letter` is the plain letter while its password is still open, else None."""

    person: Person
    letter: Path | None
    made: bool


def _person(user: dict[str, Any], account: Account | None, usage: Usage = UNUSED) -> Person:
    if not user.get("enabled") or (account and account.blocked):
        state = "disabled"
    elif account is None:
        state = "incomplete"
    else:
        state = "new" if UPDATE_PASSWORD in user.get("requiredActions", []) else "active"
    created = datetime.fromtimestamp(user.get("createdTimestamp", 0) / 1000, UTC)
    return Person(
        name=f"{user.get('firstName', '')} {user.get('lastName', '')}".strip(),
        username=user["username"],
        email=user.get("email", ""),
        role=account.role if account else "",
        state=state,
        language=(user.get("attributes") or {}).get("locale", [""])[0],
        created=created.isoformat(timespec="seconds"),
        tokens=account.tokens if account else 0,
        last_login=usage.last_login,
        pictures=usage.pictures,
        bytes=usage.bytes,
        id=user["id"],
    )


class Accounts:
    """The actions, on one site."""

    def __init__(self, keycloak: Keycloak, database: Database, settings: Settings, log: AuditLog) -> None:
        """Everything is open already; nothing is closed here."""
        self.keycloak = keycloak
        self.database = database
        self.settings = settings
        self.log = log

    def find(self, email: str) -> dict[str, Any]:
        """The Keycloak user with this e-mail. Raises RefusedError if there is none."""
        email = people.check_email(email)
        user = self.keycloak.user_by_email(email)
        if user is None:
            raise RefusedError(
                f"Nobody has the e-mail {email}.", "See who is there: scripts/accounts.py -i INVENTORY list"
            )
        return user

    def with_account(self, email: str) -> tuple[dict[str, Any], Account]:
        """Somebody in both systems. Raises RefusedError if one of them does not know them."""
        user = self.find(email)
        account = self.database.account(user["id"])
        if account is None:
            raise RefusedError(
                f"{email} is in Keycloak, but not yet in Panoramax.",
                f"Complete the account: scripts/accounts.py -i INVENTORY create {email} --name NAME --if-missing",
            )
        return user, account

    def create(
        self, email: str, name: str, role: str, language: str, username: str = "", *, if_missing: bool = False
    ) -> Created:
        """Make the account in both systems, with its letter.

        With `if_missing`, an account that is there is left as it is, and one that an interruption left half made is
        finished. Raises RefusedError on input that is not acceptable or taken, UnableError if a system is down; then
        nothing is left behind.
        """
        new = people.NewPerson.checked(email, name, role, language, username)
        if (user := self.keycloak.user_by_email(new.email)) is not None:
            if not if_missing:
                raise RefusedError(
                    f"{new.email} has an account already, under the name {user['username']}.",
                    f"A new initial password: scripts/accounts.py -i INVENTORY reset-password {new.email}",
                )
            return self._finish(user, role, language)
        if self.keycloak.user_by_name(new.username) is not None:
            raise RefusedError(
                f"The user name {new.username}, made of {new.name!r}, belongs to somebody else.",
                f"Give another one, for example --username {new.username}2.",
            )
        letter = self.make(new)
        return Created(self.show(new.email), letter, made=True)

    def make(self, new: people.NewPerson) -> Path:
        """Make the account in both systems and return its letter; safe to call from several threads.

        Raises RefusedError if e-mail or name are taken, UnableError if a system is down; then nothing is left behind.
        """
        password = people.initial_password()
        first, last = people.split_name(new.name)
        try:
            user_id = self.keycloak.create_user(
                {
                    "username": new.username,
                    "email": new.email,
                    "emailVerified": True,
                    "enabled": True,
                    "firstName": first,
                    "lastName": last,
                    "attributes": {"locale": [new.language]},
                    "requiredActions": [UPDATE_PASSWORD],
                    "credentials": [{"type": "password", "value": password, "temporary": True}],
                }
            )
        except UserExistsError as error:
            raise RefusedError(
                error.message, "Somebody made it at the same moment: scripts/accounts.py -i INVENTORY list"
            ) from error
        letter = self._letter(new.email, new.name, new.username, password, new.language, new.role)
        try:
            path = write(letter, self.settings.letters)
            self.database.create(user_id, new.username, new.role)
        except BaseException:
            # Half an account would let somebody in without the role that was meant.
            with contextlib.suppress(OpsError):
                self.keycloak.delete_user(user_id)
            remove(letter, self.settings.letters)
            raise
        self.log.write("create", new.email, username=new.username, role=new.role)
        return path

    def _finish(self, user: dict[str, Any], role: str, language: str) -> Created:
        """An account that is there; finished where its row in Panoramax is missing."""
        account = self.database.account(user["id"])
        if account is None:
            letter = self.finish(user, role, language)
            return Created(self.show(user["email"]), letter, made=True)
        return Created(_person(user, account), self.open_letter(_person(user, account)), made=False)

    def open_letter(self, person: Person) -> Path | None:
        """The letter of somebody while its password is still open."""
        letter = path_of(person.username, self.settings.letters)
        return letter if person.state == "new" and letter.exists() else None

    def finish(self, user: dict[str, Any], role: str, language: str) -> Path:
        """Complete an account that an interruption left without its row in Panoramax, and return its letter.

        Nobody can have signed in to such a one (the first login makes the row), so it gets a new password and a letter.
        """
        person = _person(user, None)
        password = people.initial_password()
        self.keycloak.set_temporary_password(user["id"], password)
        letter = write(
            self._letter(person.email, person.name, person.username, password, language, role), self.settings.letters
        )
        self.database.create(user["id"], person.username, role)
        self.log.write("finish", person.email, username=person.username, role=role)
        return letter

    def _letter(
        self, email: str, name: str, username: str, password: str, language: str, role: str, *, again: bool = False
    ) -> Letter:
        settings = self.settings
        return Letter(
            site=settings.site,
            url=settings.url,
            operator=settings.operator,
            contact=settings.contact,
            name=name,
            username=username,
            email=email,
            password=password,
            language=language,
            role=role,
            password_length=settings.password_length,
            days=settings.password_days,
            again=again,
        )

    def show(self, email: str) -> Person:
        """One person. Raises RefusedError if there is none."""
        user = self.find(email)
        account = self.database.account(user["id"])
        usage = self.database.usage(account.id) if account else {}
        return _person(user, account, next(iter(usage.values()), UNUSED))

    def list(self) -> list[Person]:
        """Everybody, in the order of their names."""
        accounts = {account.oauth_id: account for account in self.database.accounts()}
        usage = self.database.usage()
        found = [
            _person(user, account, usage.get(account.id, UNUSED) if account else UNUSED)
            for user in self.keycloak.users()
            for account in [accounts.get(user["id"])]
        ]
        return sorted(found, key=lambda person: person.username)

    def refuse_last_admin(self, account: Account, what: str) -> None:
        """Raises RefusedError if nobody could administer the site any more. Ask inside `Database.alone`."""
        if account.role == "admin" and set(self.database.active_admins()) == {account.id}:
            raise RefusedError(
                f"{account.name} is the last administrator and cannot be {what}.",
                "Make another one first: scripts/accounts.py -i INVENTORY set-role E-MAIL admin",
            )

    def disable(self, email: str, why: str = "") -> Person:
        """Cut everything the person holds: cookies and tokens first, then the login and its sessions."""
        user, account = self.with_account(email)
        with self.database.alone():
            self.refuse_last_admin(account, "disabled")
            self.database.block(account.id, why)
        self.keycloak.update_user(user["id"], {"enabled": False})
        # Disabling ends no session by itself, and its rows would stay (measured).
        self.keycloak.sign_out(user["id"])
        self.log.write("disable", user["email"], why=why)
        return self.show(email)

    def enable(self, email: str) -> Person:
        """Let the person in again, with the role from before. API tokens stay gone."""
        user, account = self.with_account(email)
        self.keycloak.update_user(user["id"], {"enabled": True})
        self.database.unblock(account.id)
        self.log.write("enable", user["email"])
        return self.show(email)

    def sign_out(self, email: str) -> Person:
        """End all logins at Keycloak. A cookie of the site stays valid until it runs out: only `disable` cuts that."""
        user = self.find(email)
        self.keycloak.sign_out(user["id"])
        self.log.write("sign-out", user["email"])
        return self.show(email)

    def set_role(self, email: str, role: str) -> Person:
        """Make somebody an administrator, or an ordinary user again. Counts at once."""
        people.check_role(role)
        user, account = self.with_account(email)
        if account.blocked:
            raise RefusedError(
                f"{user['email']} is disabled.", f"First: scripts/accounts.py -i INVENTORY enable {email}"
            )
        if account.role != role:
            with self.database.alone():
                if role != "admin":
                    self.refuse_last_admin(account, "made an ordinary user")
                self.database.set_role(account.id, role)
            self.log.write("set-role", user["email"], role=role)
        return self.show(email)

    def reset_password(self, email: str) -> tuple[Person, Path]:
        """A new initial password with its letter; ends all logins. Raises RefusedError for a disabled account.

        Two-step login is forgotten too: whoever lost the phone has no other way back in.
        """
        user, account = self.with_account(email)
        if not user.get("enabled") or account.blocked:
            raise RefusedError(
                f"{user['email']} is disabled.", f"First: scripts/accounts.py -i INVENTORY enable {email}"
            )
        person = _person(user, account)
        password = people.initial_password()
        self.keycloak.set_temporary_password(user["id"], password)
        self.keycloak.remove_second_step(user["id"])
        # A reset leaves running sessions alone (measured).
        self.keycloak.sign_out(user["id"])
        language = person.language if person.language in people.LANGUAGES else people.LANGUAGES[0]
        letter = self._letter(person.email, person.name, person.username, password, language, account.role, again=True)
        try:
            path = write(letter, self.settings.letters)
        except UnableError as error:
            raise UnableError(
                f"The password was changed, but nobody knows it: {error.message}",
                f"{error.remedy} Then run this again.",
            ) from error
        self.log.write("reset-password", person.email)
        return self.show(email), path
