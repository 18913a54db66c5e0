"""What an administrator should look at: accounts, passwords, tokens and letters that are not as they should be."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from panoramax_ops.accounts import Accounts
from panoramax_ops.keycloak import CONNECTIONS
from panoramax_ops.letters import remove
from panoramax_ops.person import Person

COMMAND = "scripts/accounts.py -i INVENTORY"
NEVER_USED_DAYS = 30


@dataclass(frozen=True)
class Finding:
    """`kind`: keycloak-only, panoramax-only, administrator, password-open, password-expired, link-open, link-expired,
    never-used, token, letter.

    `wrong` is False for what an administrator should merely know. `remedy` is a command.
    """

    kind: str
    account: str
    finding: str
    remedy: str
    wrong: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def audit(accounts: Accounts, days: int, now: datetime | None = None) -> list[Finding]:
    """Everything to look at. Initial passwords older than `days` should have been expired. Changes nothing."""
    now = now or datetime.now(UTC)
    everybody = accounts.list()
    found = [*_in_one_system(accounts, everybody), *_people(everybody, now)]
    found += _passwords(accounts, [person for person in everybody if person.state == "new"], days, now)
    found += _tokens(accounts, everybody)
    return [*found, *_letters(accounts, everybody)]


def expire(accounts: Accounts, days: int, now: datetime | None = None) -> list[str]:
    """Take initial passwords away that nobody used for `days` days, and letters that are of no use any more.

    Returns the e-mails of those who need a new letter. Repeating it changes nothing.
    """
    now = now or datetime.now(UTC)
    everybody = accounts.list()
    expired = []
    new = [person for person in everybody if person.state == "new"]
    for person, since in _password_dates(accounts, new):
        if since is not None and now - since > timedelta(days=days):
            accounts.keycloak.remove_password(person.id)
            remove(person.username, accounts.settings.letters)
            accounts.log.write("expire-password", person.email, since=since.isoformat(timespec="seconds"))
            expired.append(person.email)
    for username in _used_letters(accounts, everybody):
        remove(username, accounts.settings.letters)
    return expired


def _in_one_system(accounts: Accounts, everybody: list[Person]) -> Iterator[Finding]:
    for person in everybody:
        if person.state == "incomplete":
            yield Finding(
                "keycloak-only",
                person.email,
                "is in Keycloak only: an interrupted creation or deletion",
                f"{COMMAND} create {person.email} --name '{person.name}' --if-missing  (or delete {person.email})",
            )
    known = {person.id for person in everybody}
    for account in accounts.database.accounts():
        if account.oauth_id not in known:
            yield Finding(
                "panoramax-only",
                account.name,
                "is in Panoramax only: nobody can log in to it",
                f"{COMMAND} delete {account.id} --pictures transfer:E-MAIL",
            )


def _people(everybody: list[Person], now: datetime) -> Iterator[Finding]:
    for person in everybody:
        if person.role == "admin" and person.state != "disabled":
            yield Finding(
                "administrator",
                person.email,
                "is an administrator",
                f"{COMMAND} set-role {person.email} user",
                wrong=False,
            )
        age = now - datetime.fromisoformat(person.created)
        if person.state == "active" and person.last_login == "" and age > timedelta(days=NEVER_USED_DAYS):
            yield Finding(
                "never-used",
                person.email,
                f"exists for {age.days} days and has not logged in to Panoramax",
                f"{COMMAND} disable {person.email}",
            )


def _password_dates(accounts: Accounts, new: list[Person]) -> list[tuple[Person, datetime | None]]:
    def date(person: Person) -> datetime | None:
        return accounts.keycloak.password_date(person.id)

    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        return list(zip(new, pool.map(date, new), strict=True))


def _passwords(accounts: Accounts, new: list[Person], days: int, now: datetime) -> Iterator[Finding]:
    for person, since in _password_dates(accounts, new):
        if since is None and person.invited:
            sent = now - datetime.fromisoformat(person.invited)
            expired = sent > timedelta(days=days)
            state = "has expired" if expired else f"was sent {max(sent.days, 0)} days ago"
            yield Finding(
                "link-expired" if expired else "link-open",
                person.email,
                f"has not set a password yet; the link in the mail {state}",
                f"{COMMAND} reset-password {person.email}",
                wrong=False,
            )
        elif since is None:
            yield Finding(
                "password-expired",
                person.email,
                "never logged in; the initial password has expired",
                f"{COMMAND} reset-password {person.email}",
                wrong=False,
            )
        else:
            age = max((now - since).days, 0)
            late = now - since > timedelta(days=days)
            yield Finding(
                "password-open",
                person.email,
                f"has an initial password that is open for {age} days" + (f", more than {days}" if late else ""),
                f"{COMMAND} audit --expire" if late else f"{COMMAND} reset-password {person.email}",
                wrong=late,
            )


def _tokens(accounts: Accounts, everybody: list[Person]) -> Iterator[Finding]:
    emails = {person.id: person.email for person in everybody}
    holders = {account.id: emails.get(account.oauth_id, account.name) for account in accounts.database.accounts()}
    for token in accounts.database.tokens():
        if token.ends is None:
            email = holders.get(token.account_id, "?")
            yield Finding(
                "token",
                email,
                f"holds a token without an end: {token.description} ({str(token.id)[:8]})",
                f"{COMMAND} tokens revoke {email} {str(token.id)[:8]}",
            )


def _used_letters(accounts: Accounts, everybody: list[Person]) -> list[str]:
    still_open = {person.username for person in everybody if person.state in ("new", "incomplete")}
    letters = sorted(accounts.settings.letters.glob("*.txt"))
    return [letter.stem for letter in letters if letter.stem not in still_open]


def _letters(accounts: Accounts, everybody: list[Person]) -> Iterator[Finding]:
    for username in _used_letters(accounts, everybody):
        yield Finding("letter", username, "a letter whose password is used up lies there", f"{COMMAND} audit --expire")
