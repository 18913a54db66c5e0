"""Open a site's systems for a script, from nothing but its inventory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from panoramax_ops.access import open_access
from panoramax_ops.accounts import Accounts
from panoramax_ops.audit import AuditLog
from panoramax_ops.database import Database
from panoramax_ops.errors import UnableError
from panoramax_ops.inventory import ROOT, Inventory
from panoramax_ops.keycloak import Keycloak
from panoramax_ops.person import Settings
from panoramax_ops.picture_files import PictureFiles

# OpenSSH and libpq agree on sockets by this name.
POSTGRESQL_SOCKET = ".s.PGSQL.5432"
# Days after which an initial password that nobody used is taken away, where the inventory does not say.
PASSWORD_DAYS = 14
# Days for which Keycloak keeps logins, where the inventory does not say (role keycloak).
EVENTS_DAYS = 90


@dataclass(frozen=True)
class Opened:
    """An opened site."""

    accounts: Accounts
    inventory: Inventory
    files: PictureFiles


def settings(inventory: Inventory, me: str = "") -> Settings:
    """What the letters say about the site. Raises UnableError if the inventory lacks a setting."""
    return Settings(
        site=str(inventory.require("site_title")),
        url=str(inventory.require("site_public_url")),
        operator=str(inventory.require("site_operator")),
        contact=str(inventory.require("site_contact")),
        password_length=int(inventory.require("keycloak_password_length")),
        letters=inventory.state / "letters",
        password_days=int(inventory.get("site_initial_password_days", PASSWORD_DAYS)),
        events_days=int(inventory.get("keycloak_events_days", EVENTS_DAYS)),
        terms=str(inventory.get("site_terms_url") or ""),
        mail=bool(inventory.get("site_smtp")),
        me=me,
    )


def certificate_authority(inventory: Inventory) -> Path | None:
    """PEM file of the authority that the site's certificate comes from; None where the machine's own trust is meant.

    Raises UnableError if the file is not there.
    """
    if inventory.get("site_certificate") == "local_ca":
        path = inventory.state / "ca.crt"
        remedy = "Deploy the site from this machine, or copy state/ from the one that did."
    elif named := str(inventory.get("site_certificate_ca_file", "") or ""):
        # As the deployment reads it: from the repository.
        path = ROOT / named
        remedy = "Put the authority's certificate there, or mend site_certificate_ca_file."
    else:
        return None
    if not path.is_file():
        raise UnableError(f"There is no certificate of the site's authority {path}.", remedy)
    return path


@contextlib.contextmanager
def open_accounts(path: Path, me: str = "") -> Iterator[Opened]:
    """The accounts of the site of the inventory at `path`, for the administrator with the e-mail `me`, if given.

    Raises UnableError if something is not reachable.
    """
    inventory = Inventory(path)
    hosts = {"app": inventory.host("app"), "database": inventory.host("database")}
    project = str(inventory.require("site_name"))
    secret, password = str(inventory.require("secret_accounts_client")), str(inventory.require("secret_database_ops"))
    realm, client = str(inventory.require("keycloak_realm")), str(inventory.require("keycloak_accounts_client"))
    with contextlib.ExitStack() as stack:
        access = stack.enter_context(open_access(hosts, project, inventory.services_authority))
        way = access["app"].reach("keycloak", inventory.keycloak_port())
        keycloak = stack.enter_context(Keycloak(way, realm, client, secret))
        endpoint = access["database"].reach("database", 5432, POSTGRESQL_SOCKET)
        database = stack.enter_context(Database(endpoint, password))
        log = AuditLog(inventory.state / "accounts.log", database.note, me)
        accounts = Accounts(keycloak, database, settings(inventory, me), log)
        yield Opened(accounts, inventory, PictureFiles(access["app"], project))


@contextlib.contextmanager
def open_database(path: Path) -> Iterator[tuple[Inventory, Database]]:
    """The inventory at `path` and the database of its site, and nothing else. Raises UnableError without an answer."""
    inventory = Inventory(path)
    project = str(inventory.require("site_name"))
    password = str(inventory.require("secret_database_ops"))
    with contextlib.ExitStack() as stack:
        access = stack.enter_context(open_access({"database": inventory.host("database")}, project))
        endpoint = access["database"].reach("database", 5432, POSTGRESQL_SOCKET)
        yield inventory, stack.enter_context(Database(endpoint, password))
