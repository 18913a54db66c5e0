"""Delete a person from both systems, with nothing left behind. Repeating goes on where an interruption stopped.

Order: everything that the person holds stops working; then the account in Panoramax with what hangs on it, in one
transaction; then originals that wait among the API's temporary files; then the person in Keycloak; then letters and
tokens here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from panoramax_ops.accounts import Accounts
from panoramax_ops.database import Account
from panoramax_ops.errors import RefusedError
from panoramax_ops.letters import remove

KEEP, DELETE, TRANSFER = "keep", "delete", "transfer"


@dataclass(frozen=True)
class Deletion:
    """What is about to be deleted. `user` or `account` is None where that system knows nobody (any more)."""

    email: str
    name: str
    user: dict[str, Any] | None
    account: Account | None
    holdings: dict[str, int]
    pictures: str
    heir: Account | None

    def sentences(self) -> list[str]:
        """What it will do, in words."""
        number = self.holdings.get("pictures", 0)
        pictures = {
            TRANSFER: f"hand its {number} pictures over to {self.heir.name if self.heir else ''}",
            DELETE: f"delete its {number} pictures, with their files",
            KEEP: f"keep its {number} pictures, shown as of a deleted account",
        }[self.pictures]
        others = {what: held for what, held in self.holdings.items() if held and what not in ("pictures",)}
        belongings = ", ".join(f"{held} {what}" for what, held in others.items())
        return [
            f"Cut {self.name} ({self.email}) off at once: logins, cookies, API tokens.",
            f"In Panoramax: {pictures}; delete the account" + (f" (it holds {belongings})." if belongings else "."),
            "In Keycloak: delete the person, with sessions and password." if self.user else "In Keycloak: nobody.",
        ]


def prepare(accounts: Accounts, who: str, pictures: str) -> Deletion:
    """What deleting `who` (an e-mail, or the id of an account without anybody in Keycloak) would do.

    `pictures` is `keep`, `delete` or `transfer:E-MAIL`. Raises RefusedError if that cannot be; changes nothing.
    """
    how, _, to = pictures.partition(":")
    if how not in (KEEP, DELETE, TRANSFER) or bool(to) != (how == TRANSFER):
        raise RefusedError(
            f"Pictures cannot go by {pictures!r}.", "Give --pictures transfer:E-MAIL, --pictures delete or keep."
        )
    user, account = _find(accounts, who)
    heir = None
    if how == TRANSFER:
        other, heir = accounts.with_account(to)
        if heir.blocked or (user and other["id"] == user["id"]):
            raise RefusedError(f"The pictures cannot go to {to}.", "Name somebody else whose account is enabled.")
    if user is not None:
        accounts.refuse_oneself(user, "deleted")
    if account is not None:
        accounts.refuse_last_admin(account, "deleted")
    holdings = accounts.database.holdings(account.id) if account else {}
    email = user["email"] if user else "in Panoramax only"
    name = user["username"] if user else account.name if account else ""
    return Deletion(email, name, user, account, holdings, how, heir)


def _find(accounts: Accounts, who: str) -> tuple[dict[str, Any] | None, Account | None]:
    try:
        wanted = UUID(who)
    except ValueError:
        user = accounts.find(who)
        return user, accounts.database.account(user["id"])
    orphan = next((found for found in accounts.database.accounts() if found.id == wanted), None)
    if orphan is None:
        raise RefusedError(f"There is no account {who}.", "See what is there: scripts/accounts.py -i INVENTORY audit")
    return accounts.keycloak.user_by_id(orphan.oauth_id), orphan


def delete(accounts: Accounts, deletion: Deletion, sweep: Callable[[list[UUID]], None]) -> None:
    """Do it. `sweep` removes the temporary files of pictures.

    Raises UnableError if a system is down in the middle; run again, it goes on from there.
    """
    user, account = deletion.user, deletion.account
    with accounts.database.alone():
        if account is not None:
            # Once more, now that nobody else can take an administrator away.
            accounts.refuse_last_admin(account, "deleted")
            accounts.database.block(account.id, "deleted")
    if user is not None:
        accounts.keycloak.update_user(user["id"], {"enabled": False})
        accounts.keycloak.sign_out(user["id"])
    if account is not None:
        heir = deletion.heir.id if deletion.heir else None
        sweep(accounts.database.delete(account.id, deletion.pictures, heir))
    if user is not None:
        accounts.keycloak.delete_user(user["id"])
    remove(deletion.name, accounts.settings.letters)
    # Their tokens work no more. The length of an id keeps `jane` apart from `jane-marie`.
    for token in (accounts.settings.letters.parent / "tokens").glob(f"{deletion.name}-{'?' * 36}.token"):
        token.unlink(missing_ok=True)
    # The log keeps that it was done and by whom; the e-mail belongs to that.
    accounts.log.write("delete", deletion.email, username=deletion.name, pictures=deletion.pictures)
