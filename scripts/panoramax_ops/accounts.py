"""What administrators do with accounts: each one is a Keycloak user and a row of Panoramax, changed together.

The order within each action is chosen so that an interruption leaves nothing open: access is cut before it is tidied,
and given last. Every action can be repeated.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from panoramax_ops import letters_pdf, people
from panoramax_ops.audit import AuditLog, person_at_work
from panoramax_ops.database import Account, Database
from panoramax_ops.errors import OpsError, RefusedError, UnableError
from panoramax_ops.keycloak import Keycloak, UserExistsError
from panoramax_ops.letters import Letter, path_of, remove, write
from panoramax_ops.person import UNUSED, UPDATE_PASSWORD, Created, Person, Settings, person_of


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
        self,
        email: str,
        name: str,
        role: str,
        language: str,
        username: str = "",
        *,
        group: str = "",
        if_missing: bool = False,
        by_letter: bool = False,
    ) -> Created:
        """Make the account in both systems, with a letter, or with a link by mail where the site can send one.

        One that an interruption left half made is finished. With `if_missing`, one that is there is left as it is.
        Raises RefusedError on input that is not acceptable or taken, UnableError if a system is down.
        """
        new = people.NewPerson.checked(email, name, role, language, username, group)
        if (user := self.keycloak.user_by_email(new.email)) is not None:
            if self.database.account(user["id"]) is None:
                letter = self.finish(user, new, by_letter=by_letter)
                return self._created(new.email, letter)
            if not if_missing:
                raise RefusedError(
                    f"{new.email} has an account already, under the name {user['username']}.",
                    f"A new initial password: scripts/accounts.py -i INVENTORY reset-password {new.email}",
                )
            person = self.show(new.email)
            return Created(person, self.open_letter(person), made=False)
        if self.keycloak.user_by_name(new.username) is not None:
            raise RefusedError(
                f"The user name {new.username}, made of {new.name!r}, belongs to somebody else.",
                f"Give another one, for example --username {new.username}2.",
            )
        return self._created(new.email, self.make(new, by_letter=by_letter))

    def _created(self, email: str, letter: Path | None) -> Created:
        if letter:
            self._print(letter)
        return Created(self.show(email), letter, made=True, mailed=letter is None)

    def _print(self, letter: Path) -> None:
        """The letter as PDF, beside its other forms."""
        page = letter.with_suffix(".html").read_text(encoding="utf-8")
        letters_pdf.write([page], letter.with_suffix(".pdf"), self.settings.site)

    def by_mail(self, *, by_letter: bool) -> bool:
        """Whether people get a link by mail, and not a letter."""
        return self.settings.mail and not by_letter

    def make(self, new: people.NewPerson, *, by_letter: bool = False) -> Path | None:
        """Make the account in both systems; returns its letter, or None if a link went out by mail instead.

        Safe to call from several threads. Raises RefusedError if e-mail or name are taken, UnableError if a system is
        down; then nothing is left behind, or the error says what is.
        """
        with self.database.making(new.email):
            return self._make(new, mail=self.by_mail(by_letter=by_letter))

    def _make(self, new: people.NewPerson, *, mail: bool) -> Path | None:
        password = "" if mail else people.initial_password()
        first, last = people.split_name(new.name)
        credentials = [] if mail else [{"type": "password", "value": password, "temporary": True}]
        try:
            user_id = self.keycloak.create_user(
                {
                    "username": new.username,
                    "email": new.email,
                    "emailVerified": True,
                    "enabled": True,
                    "firstName": first,
                    "lastName": last,
                    "attributes": _attributes(new, mail=mail),
                    "requiredActions": [UPDATE_PASSWORD],
                    "credentials": credentials,
                }
            )
        except UserExistsError as error:
            raise RefusedError(
                error.message, "Somebody made it at the same moment: scripts/accounts.py -i INVENTORY list"
            ) from error
        letter = self._letter(new.email, new.name, new.username, password, new.language, new.role)
        try:
            path = None if mail else write(letter, self.settings.letters)
            self.database.create(user_id, new.username, new.role)
            if mail:
                self.send_link(user_id, new.email)
        except BaseException as error:
            # Half an account would let somebody in without the role that was meant.
            remove(new.username, self.settings.letters)
            self._take_back(user_id, new.email, error)
            raise
        self.log.write("create", new.email, username=new.username, role=new.role, group=new.group, by=_way(mail))
        return path

    def _take_back(self, user_id: str, email: str, cause: BaseException) -> None:
        """Remove an account that could not be completed. Raises UnableError, with what is left, if that fails too."""
        try:
            account = self.database.account(user_id)
            if account is not None:
                self.database.block(account.id, "never completed")
                self.database.delete(account.id, "delete", None)
            self.keycloak.delete_user(user_id)
        except OpsError as error:
            try:
                # Whatever the database says: without the login, nothing of it can be used.
                self.keycloak.delete_user(user_id)
            except OpsError:
                what = cause.message if isinstance(cause, OpsError) else "Interrupted."
                raise UnableError(
                    f"{what} Half of the account of {email} is left, which nobody can log in to.",
                    "When the system is up again, run the same command again: it goes on from there.",
                ) from error

    def send_link(self, user_id: str, email: str) -> None:
        """Send the link by which a person sets a password; it works for as long as an initial password would."""
        self.keycloak.send_link(user_id, email, self.settings.password_days * 86400)

    def open_letter(self, person: Person) -> Path | None:
        """The letter of somebody while its password is still open."""
        letter = path_of(person.username, self.settings.letters)
        return letter if person.state == "new" and letter.exists() else None

    def finish(self, user: dict[str, Any], new: people.NewPerson, *, by_letter: bool = False) -> Path | None:
        """Complete an account that an interruption left without its row in Panoramax; returns its letter, if any.

        Nobody can have signed in to such a one (the first login makes the row), so it gets a new password and a letter.
        Raises RefusedError if somebody else has just completed it.
        """
        with self.database.making(new.email):
            if self.database.account(user["id"]) is not None:
                raise RefusedError(
                    f"Somebody else has just made the account of {new.email}.",
                    f"See it: scripts/accounts.py -i INVENTORY show {new.email}",
                )
            return self._finish(user, new, mail=self.by_mail(by_letter=by_letter))

    def _finish(self, user: dict[str, Any], new: people.NewPerson, *, mail: bool) -> Path | None:
        person = person_of(user, None)
        path = None
        if mail:
            self.keycloak.set_attributes(user, _attributes(new, mail=True))
        else:
            password = people.initial_password()
            self.keycloak.set_temporary_password(user["id"], password)
            letter = self._letter(person.email, person.name, person.username, password, new.language, new.role)
            path = write(letter, self.settings.letters)
        self.database.create(user["id"], person.username, new.role)
        if mail:
            self.send_link(user["id"], person.email)
        self.log.write("finish", person.email, username=person.username, role=new.role, by=_way(mail))
        return path

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
            terms=settings.terms,
        )

    def show(self, email: str) -> Person:
        """One person. Raises RefusedError if there is none."""
        user = self.find(email)
        account = self.database.account(user["id"])
        usage = self.database.usage(account.id) if account else {}
        return person_of(user, account, next(iter(usage.values()), UNUSED))

    def list(self) -> list[Person]:
        """Everybody, in the order of their names."""
        accounts = {account.oauth_id: account for account in self.database.accounts()}
        usage = self.database.usage()
        found = [
            person_of(user, account, usage.get(account.id, UNUSED) if account else UNUSED)
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

    def refuse_oneself(self, user: dict[str, Any], what: str) -> None:
        """Raises RefusedError if that is the account of who runs the script: as given, or of the login's name."""
        email, username = user["email"], user["username"]
        mine = {email} if self.settings.me else {email.partition("@")[0], username}
        who = self.settings.me or person_at_work()
        if who and who in mine:
            because = "" if self.settings.me else f" (you are logged in here as {who})"
            raise RefusedError(
                f"{email} is your own account{because} and cannot be {what} by you.",
                "Ask another administrator. If it is somebody else's, say which one is yours: --me E-MAIL",
            )

    def disable(self, email: str, why: str = "") -> Person:
        """Cut everything the person holds: cookies and tokens first, then the login and its sessions."""
        user, account = self.with_account(email)
        self.refuse_oneself(user, "disabled")
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
            if role != "admin":
                self.refuse_oneself(user, "made an ordinary user")
            with self.database.alone():
                if role != "admin":
                    self.refuse_last_admin(account, "made an ordinary user")
                self.database.set_role(account.id, role)
            self.log.write("set-role", user["email"], role=role)
        return self.show(email)

    def reset_second_factor(self, email: str) -> Person:
        """Forget the person's app for one-time codes; the password alone lets in until another one is set up."""
        user = self.find(email)
        self.keycloak.remove_second_step(user["id"])
        self.log.write("reset-second-factor", user["email"])
        return self.show(email)

    def reset_password(self, email: str, *, by_letter: bool = False) -> tuple[Person, Path | None]:
        """A new initial password with its letter, or a link by mail; ends all logins.

        Two-step login is forgotten too: whoever lost the phone has no other way back in. Raises RefusedError for a
        disabled account.
        """
        user, account = self.with_account(email)
        if not user.get("enabled") or account.blocked:
            raise RefusedError(
                f"{user['email']} is disabled.", f"First: scripts/accounts.py -i INVENTORY enable {email}"
            )
        mail = self.by_mail(by_letter=by_letter)
        path = None if mail else self._new_letter(user, account)
        if mail:
            self.keycloak.set_attributes(user, {"invited": [_now()]}, requiredActions=[UPDATE_PASSWORD])
        self.keycloak.remove_second_step(user["id"])
        # A reset leaves running sessions alone (measured).
        self.keycloak.sign_out(user["id"])
        if mail:
            self.send_link(user["id"], user["email"])
            # Last, so that a mail server that is down does not lock anybody out.
            self.keycloak.remove_password(user["id"])
            remove(user["username"], self.settings.letters)
        self.log.write("reset-password", user["email"], by=_way(mail))
        return self.show(email), path

    def _new_letter(self, user: dict[str, Any], account: Account) -> Path:
        person = person_of(user, account)
        password = people.initial_password()
        self.keycloak.set_temporary_password(user["id"], password)
        language = person.language if person.language in people.LANGUAGES else people.LANGUAGES[0]
        letter = self._letter(person.email, person.name, person.username, password, language, account.role, again=True)
        try:
            path = write(letter, self.settings.letters)
            self._print(path)
        except UnableError as error:
            raise UnableError(
                f"The password was changed, but nobody knows it: {error.message}",
                f"{error.remedy} Then run this again.",
            ) from error
        return path


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _way(mail: bool) -> str:
    return "mail" if mail else "letter"


def _attributes(new: people.NewPerson, *, mail: bool) -> dict[str, list[str]]:
    """What Keycloak keeps of a person besides the login; `invited` is when the link was sent."""
    found = {"locale": [new.language]}
    if new.group:
        found["group"] = [new.group]
    if mail:
        found["invited"] = [_now()]
    return found
