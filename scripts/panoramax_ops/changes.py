"""Changes of who somebody is: name, user name, e-mail. And their API tokens, for machines that upload."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from uuid import UUID

from panoramax_ops import people
from panoramax_ops.accounts import Accounts
from panoramax_ops.database import Token
from panoramax_ops.errors import RefusedError
from panoramax_ops.files import write_private
from panoramax_ops.letters import move
from panoramax_ops.person import Person

# The database lets no token work for longer (roles/api/files/guard/76_token_lifetime.sql).
MOST_DAYS = 365
DESCRIPTION_LENGTH = 100


def rename(accounts: Accounts, email: str, name: str, username: str = "") -> Person:
    """Give somebody another name; the user name, which others see, is made of it. Counts at once, also on old pictures.

    Raises RefusedError if it is not acceptable, or taken.
    """
    user, account = accounts.with_account(email)
    language = accounts.show(email).language
    name = people.check_name(name)
    username = people.check_username(username) if username else people.username_of(name, language or "en")
    other = accounts.keycloak.user_by_name(username)
    if other is not None and other["id"] != user["id"]:
        raise RefusedError(
            f"The user name {username} belongs to {other.get('email', 'somebody else')}.",
            f"Give another one, for example --username {username}2.",
        )
    first, last = people.split_name(name)
    accounts.keycloak.update_user(user["id"], {"username": username, "firstName": first, "lastName": last})
    accounts.database.rename(account.id, username)
    if username != user["username"]:
        move(user["username"], username, accounts.settings.letters)
    accounts.log.write("rename", user["email"], name=name, username=username, before=user["username"])
    return accounts.show(email)


def set_group(accounts: Accounts, email: str, group: str) -> Person:
    """Put somebody into another group, or, by an empty name, into none. Raises RefusedError if it is no name."""
    user = accounts.find(email)
    group = people.check_group(group)
    accounts.keycloak.set_attributes(user, {"group": [group] if group else []})
    accounts.log.write("set-group", user["email"], group=group)
    return accounts.show(email)


def set_email(accounts: Accounts, email: str, new: str) -> Person:
    """Give somebody another address to log in with. Raises RefusedError if it is not acceptable, or taken."""
    user = accounts.find(email)
    new = people.check_new_email(new)
    other = accounts.keycloak.user_by_email(new)
    if other is not None and other["id"] != user["id"]:
        raise RefusedError(f"{new} belongs to {other['username']} already.", "See who is there: accounts.py list")
    accounts.keycloak.update_user(user["id"], {"email": new, "emailVerified": True})
    accounts.log.write("set-email", user["email"], new=new)
    return accounts.show(new)


def tokens(accounts: Accounts, email: str) -> list[Token]:
    """The API tokens of somebody that work."""
    _, account = accounts.with_account(email)
    return accounts.database.tokens(account.id)


def create_token(
    accounts: Accounts, email: str, description: str, days: int, key: str, directory: Path
) -> tuple[Token, Path]:
    """An API token for a machine, in a file of mode 0600 in `directory`. `key` is the API's FLASK_SECRET_KEY.

    Raises RefusedError for a disabled account, or a number of days that is none.
    """
    user, account = accounts.with_account(email)
    description = " ".join(description.split())
    if not 1 <= days <= MOST_DAYS:
        raise RefusedError(f"A token cannot work for {days} days.", f"Give --days between 1 and {MOST_DAYS}.")
    if not 1 <= len(description) <= DESCRIPTION_LENGTH or not description.isprintable():
        raise RefusedError(
            f"The description is not between 1 and {DESCRIPTION_LENGTH} characters of text.",
            "Say which machine it is for: --for 'camera car 2'",
        )
    if account.blocked or not user.get("enabled"):
        raise RefusedError(f"{user['email']} is disabled.", f"First: scripts/accounts.py -i INVENTORY enable {email}")
    token = accounts.database.create_token(account.id, description, days)
    path = directory / f"{account.name}-{token.id}.token"
    write_private(path, signed(token.id, key) + "\n")
    accounts.log.write("create-token", user["email"], token=str(token.id), description=description, days=days)
    return token, path


def revoke(accounts: Accounts, email: str, token: str) -> list[Token]:
    """End one token of somebody by the beginning of its id, or `all` of them. Returns those that were ended.

    Raises RefusedError if it names none, or more than one.
    """
    user, account = accounts.with_account(email)
    held = accounts.database.tokens(account.id)
    ended = held if token == "all" else [found for found in held if str(found.id).startswith(token.lower())]
    if token != "all" and len(ended) != 1:
        raise RefusedError(
            f"{user['email']} has {len(ended) or 'no'} tokens whose id begins with {people.shown(token)}.",
            f"See them: scripts/accounts.py -i INVENTORY tokens list {email}",
        )
    for found in ended:
        accounts.database.revoke_token(found.id)
        accounts.log.write("revoke-token", user["email"], token=str(found.id), description=found.description)
    return ended


def signed(token: UUID, key: str) -> str:
    """The token as clients send it: a JWT of the id as the API signs it (geovisio 2.15.1, web/tokens.py)."""
    head = _base64(json.dumps({"alg": "HS256"}).encode())
    body = _base64(json.dumps({"iss": "geovisio", "sub": str(token)}).encode())
    mark = hmac.new(key.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_base64(mark)}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
