"""Open a site's systems for a script, from nothing but its inventory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from panoramax_ops.access import open_access
from panoramax_ops.accounts import Accounts, Settings
from panoramax_ops.audit import AuditLog
from panoramax_ops.database import Database
from panoramax_ops.inventory import Inventory
from panoramax_ops.keycloak import Keycloak

# OpenSSH and libpq agree on sockets by this name.
POSTGRESQL_SOCKET = ".s.PGSQL.5432"


def settings(inventory: Inventory) -> Settings:
    """What the letters say about the site. Raises UnableError if the inventory lacks a setting."""
    return Settings(
        site=str(inventory.require("site_title")),
        url=str(inventory.require("site_public_url")),
        operator=str(inventory.require("site_operator")),
        contact=str(inventory.require("site_contact")),
        password_length=int(inventory.require("keycloak_password_length")),
        letters=inventory.state / "letters",
    )


@contextlib.contextmanager
def open_accounts(path: Path) -> Iterator[tuple[Accounts, Inventory]]:
    """The accounts of the site of the inventory at `path`. Raises UnableError if something is not reachable."""
    inventory = Inventory(path)
    hosts = {"keycloak": inventory.host("app"), "database": inventory.host("database")}
    secret, password = str(inventory.require("secret_accounts_client")), str(inventory.require("secret_database_ops"))
    realm, client = str(inventory.require("keycloak_realm")), str(inventory.require("keycloak_accounts_client"))
    with contextlib.ExitStack() as stack:
        access = stack.enter_context(open_access(hosts, str(inventory.require("site_name"))))
        keycloak = stack.enter_context(Keycloak(access["keycloak"].reach("keycloak", 8080), realm, client, secret))
        endpoint = access["database"].reach("database", 5432, POSTGRESQL_SOCKET)
        database = stack.enter_context(Database(endpoint, password))
        yield Accounts(keycloak, database, settings(inventory), AuditLog(inventory.state / "accounts.log")), inventory
