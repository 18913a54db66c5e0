"""What an account is, seen from outside: a person, and what the letters say about the site."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from panoramax_ops.database import Account, Usage

UPDATE_PASSWORD = "UPDATE_PASSWORD"
STATES = ("active", "new", "disabled", "incomplete")
UNUSED = Usage("", 0, 0)


@dataclass(frozen=True)
class Settings:
    """What the letters say about the site, and who is at work.

    `mail` says that the site can send mail, `me` is the e-mail of the account of who runs the script, if it was given.
    """

    site: str
    url: str
    operator: str
    contact: str
    password_length: int
    letters: Path
    password_days: int = 14
    events_days: int = 90
    terms: str = ""
    mail: bool = False
    me: str = ""


@dataclass(frozen=True)
class Person:
    """One account as it is shown; `id` is Keycloak's.

    `state`: active, new (no password of one's own yet), disabled, or incomplete (in Keycloak only). `invited` is when
    the last link was sent by mail. `second_factor` says that logging in takes a code as well.
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
    group: str = ""
    invited: str = ""
    second_factor: bool = False
    id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Created:
    """What `create` did. `letter` is the plain letter while its password is still open; None if a link went by mail."""

    person: Person
    letter: Path | None
    made: bool
    mailed: bool = False


def person_of(user: dict[str, Any], account: Account | None, usage: Usage = UNUSED) -> Person:
    if not user.get("enabled") or (account and account.blocked):
        state = "disabled"
    elif account is None:
        state = "incomplete"
    else:
        state = "new" if UPDATE_PASSWORD in user.get("requiredActions", []) else "active"
    created = datetime.fromtimestamp(user.get("createdTimestamp", 0) / 1000, UTC)
    attributes = user.get("attributes") or {}
    return Person(
        name=f"{user.get('firstName', '')} {user.get('lastName', '')}".strip(),
        username=user["username"],
        email=user.get("email", ""),
        role=account.role if account else "",
        state=state,
        language=attributes.get("locale", [""])[0],
        created=created.isoformat(timespec="seconds"),
        tokens=account.tokens if account else 0,
        last_login=usage.last_login,
        pictures=usage.pictures,
        bytes=usage.bytes,
        group=attributes.get("group", [""])[0],
        invited=attributes.get("invited", [""])[0],
        second_factor=bool(user.get("totp")),
        id=user["id"],
    )
