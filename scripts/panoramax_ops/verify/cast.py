"""The verifier's own people: made as an administrator makes accounts, signed in as people sign in, always removed.

Their e-mail addresses end in a domain that can belong to nobody (RFC 2606), which is how a later run finds what an
interrupted one has left. Their names, which others could see for some seconds, say what they are.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from panoramax_ops.accounts import Accounts
from panoramax_ops.audit import AuditLog
from panoramax_ops.errors import UnableError
from panoramax_ops.keycloak import Keycloak
from panoramax_ops.people import initial_password
from panoramax_ops.signing_in import client, sign_in
from panoramax_ops.verify.psql import Psql
from panoramax_ops.verify.removal import quoted, remove_accounts, traces

DOMAIN = "verification.invalid"
LOCK_SECONDS = 180
# Key and role of each.
ROLES = {"user": "user", "other": "user", "administrator": "admin", "disabled": "user"}


@dataclass
class Actor:
    """One of them. `session` holds the cookie of a browser, `bearer` an API token of the same person."""

    key: str
    email: str
    user_id: str
    account_id: str
    password: str = field(repr=False)
    session: httpx.Client
    bearer: httpx.Client

    def close(self) -> None:
        """Close the connections."""
        self.session.close()
        self.bearer.close()


@dataclass
class Cast:
    """All of them, on one site."""

    url: str
    ca: Path | None
    accounts: Accounts
    keycloak: Keycloak
    sql: Psql
    remove_original: Callable[[str], None]
    log: AuditLog
    actors: dict[str, Actor] = field(default_factory=dict)
    user_ids: list[str] = field(default_factory=list)
    account_ids: list[str] = field(default_factory=list)
    trace_ids: list[str] = field(default_factory=list)

    def __getitem__(self, key: str) -> Actor:
        """An actor by its key. Raises UnableError if nobody could be signed in."""
        if key not in self.actors:
            raise UnableError("Nobody is signed in to try this.", "See the check of signing in.")
        return self.actors[key]

    def hire(self) -> None:
        """Make the accounts and sign them in. Raises OpsError if one of them cannot be made or is not let in."""
        run = secrets.token_hex(4)
        # Two at once: hashing passwords is what takes the time, and small machines have two processors.
        with ThreadPoolExecutor(max_workers=2) as pool:
            made = pool.map(lambda key: self._make(key, ROLES[key], run), ROLES)
            self.actors = {actor.key: actor for actor in made}

    def _make(self, key: str, role: str, run: str) -> Actor:
        email = f"{key}.{run}@{DOMAIN}"
        self.accounts.create(email, f"Verification {key.title()} {run}", role, "en", by_letter=True)
        user_id = str(self.accounts.find(email)["id"])
        self.user_ids.append(user_id)
        # The one in the letter is nobody's business; this one is as temporary.
        first, second = initial_password(), secrets.token_urlsafe(24)
        self.keycloak.set_temporary_password(user_id, first)
        session = sign_in(self.url, self.ca, email, first, new_password=second)
        account_id = str(session.get("/api/users/me").json()["id"])
        self.account_ids.append(account_id)
        token = session.get("/api/users/me/tokens").json()[0]["id"]
        jwt = session.get(f"/api/users/me/tokens/{token}").json()["jwt_token"]
        bearer = client(self.url, self.ca, headers={"Authorization": f"Bearer {jwt}"})
        return Actor(key, email, user_id, account_id, second, session, bearer)

    def leftovers(self) -> list[dict[str, Any]]:
        """Keycloak users of this or an earlier run."""
        found = self.keycloak.call("GET", "/users", params={"email": f"@{DOMAIN}", "max": "1000"}).json()
        return [user for user in found if str(user.get("email", "")).endswith(f"@{DOMAIN}")]

    def dismiss(self, *, close: bool = True) -> None:
        """Remove all of them, also those of an earlier run. Can be repeated. `close` closes their connections, too.

        Panoramax first: as long as the Keycloak user is there, an interrupted removal is found and finished.
        """
        for actor in self.actors.values() if close else ():
            actor.close()
        self.actors.clear()
        left = self.leftovers()
        for picture in remove_accounts(self.sql, [user["id"] for user in left]):
            self.remove_original(picture)
        for user in left:
            self.keycloak.delete_user(user["id"])
            self.log.write("delete", user["email"], username=user["username"])

    def remains(self) -> list[str]:
        """What is left of this run in either system; empty after `dismiss`."""
        found = [f"Keycloak user {user['username']}" for user in self.leftovers()]
        found += traces(self.sql, [*self.account_ids, *self.trace_ids])
        if listed := quoted(self.user_ids):
            found += [
                f"account {row[0]}" for row in self.sql.read(f"SELECT name FROM accounts WHERE oauth_id IN ({listed})")
            ]
        return found


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Let one verification of a site run at a time on this machine: each removes what others left behind.

    Waits for another one to end. Raises UnableError if it does not.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / "verify.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UnableError(
            f"{directory} cannot be written: {error.strerror}.", "Run it as whoever deploys the site (sudo)."
        ) from error
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                raise UnableError("Another verification of this site is running.", "Wait until it has ended.")
            time.sleep(0.5)
        yield
    finally:
        os.close(descriptor)
