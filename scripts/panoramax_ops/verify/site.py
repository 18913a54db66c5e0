"""The site under verification, opened: how it is reached from outside and from inside, and who tries it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from panoramax_ops.access import Access, Endpoint, open_access
from panoramax_ops.accounts import Accounts
from panoramax_ops.audit import AuditLog
from panoramax_ops.database import Database
from panoramax_ops.errors import UnableError
from panoramax_ops.inventory import ROOT, Inventory
from panoramax_ops.keycloak import Keycloak
from panoramax_ops.opening import POSTGRESQL_SOCKET, certificate_authority, settings
from panoramax_ops.policy import Policy, load_policy
from panoramax_ops.signing_in import client
from panoramax_ops.verify.cast import Cast, only_one
from panoramax_ops.verify.executed import execute
from panoramax_ops.verify.psql import Psql
from panoramax_ops.verify.reaching import must_answer

if TYPE_CHECKING:
    from panoramax_ops.verify.photo import Photo

# By which people come to the page where they change their password (role keycloak).
SETTINGS_CLIENT = "panoramax-settings"
# Where API and workers have the volume of pictures.
FILES = "/data/geovisio"
POLICY = ROOT / "roles" / "proxy" / "files" / "policy.yml"


@dataclass
class Site:
    """All that a check may use. `engine` is a docker.DockerClient; `secrets` are the inventory's, by name."""

    name: str
    title: str
    operator: str
    url: str
    ca: Path | None
    project: str
    realm: str
    policy: Policy
    policy_options: tuple[str, ...]
    state: Path
    inventory: Path
    secrets: dict[str, str] = field(repr=False)
    access: Access
    engines: tuple[Any, ...]
    accounts: Accounts
    keycloak: Keycloak
    sql: Psql
    cast: Cast
    keycloak_endpoint: Endpoint
    accounts_client: str
    known_clients: tuple[str, ...]
    mail: bool
    detectors: tuple[str, ...]
    photo: Photo | None = None

    @property
    def engine(self) -> Any:
        """The Docker client of the host that carries the API."""
        return self.access.engine

    def anonymous(self) -> httpx.Client:
        """A client that nobody signed in, which follows no redirect."""
        return client(self.url, self.ca)

    def execute(self, service: str, *command: str) -> tuple[int, str]:
        """Run a command that changes nothing in a service's container. Returns exit code and output, see `execute`."""
        return execute(self.container(service), command)

    def container(self, service: str) -> Any:
        """The container of a service, on whichever host it is. Raises UnableError if there is none."""
        wanted = f"{self.project}-{service}"
        for container in self.containers():
            if container.name == wanted:
                return container
        raise UnableError(f"There is no running container {wanted}.", "Deploy first: make deploy")

    def containers(self) -> list[Any]:
        """All running containers of the site, on all its hosts. Raises UnableError if there is none."""
        label = {"label": f"org.private-panoramax={self.project}"}
        found = [container for engine in self.engines for container in engine.containers.list(filters=label)]
        if not found:
            raise UnableError(f"No container of {self.project} runs on its hosts.", "Deploy first: make deploy")
        return found


def folder(picture: str) -> str:
    """Path of a picture's files below permanent/, derivates/ and tmp/ (geovisio 2.15.1)."""
    return f"{picture[0:2]}/{picture[2:4]}/{picture[4:6]}/{picture[6:8]}/{picture[9:]}"


def _secrets(inventory: Inventory) -> dict[str, str]:
    return {name: str(inventory.require(name)) for name in inventory.names("secret_")}


def _clients(inventory: Inventory) -> tuple[str, ...]:
    """Clients of the realm that role keycloak makes, and those that the inventory adds."""
    named = [name for name in inventory.names("keycloak_") if name.endswith("_client")]
    return (
        SETTINGS_CLIENT,
        *(str(inventory.get(name)) for name in named),
        *(inventory.get("keycloak_extra_clients", []) or ()),
    )


def _detectors(inventory: Inventory) -> tuple[str, ...]:
    """Name/version of the operator's own detection models."""
    return tuple(f"{one['name']}/{one['version']}" for one in inventory.get("site_detectors", []) or ())


@contextlib.contextmanager
def open_site(path: Path) -> Iterator[Site]:
    """The site of the inventory at `path`. Raises UnableError if something of it is not reachable.

    On leaving, whatever happened, the verifier's accounts are removed.
    """
    inventory = Inventory(path)
    project, url = str(inventory.require("site_name")), str(inventory.require("site_public_url"))
    realm = str(inventory.get("keycloak_realm", "panoramax"))
    hosts = {"keycloak": inventory.host("app"), "database": inventory.host("database")}
    hosts |= {f"host {host.name}": host for host in inventory.hosts()}
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_one(inventory.state))
        access = stack.enter_context(open_access(hosts, project, inventory.services_authority))
        keycloak_endpoint = access["keycloak"].reach("keycloak", inventory.keycloak_port())
        account_client = str(inventory.require("keycloak_accounts_client"))
        secret = str(inventory.require("secret_accounts_client"))
        keycloak = stack.enter_context(Keycloak(keycloak_endpoint, realm, account_client, secret))
        endpoint = access["database"].reach("database", 5432, POSTGRESQL_SOCKET)
        database = stack.enter_context(Database(endpoint, str(inventory.require("secret_database_ops"))))
        log = AuditLog(inventory.state / "accounts.log")
        letters = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="panoramax-letters-")))
        accounts = Accounts(keycloak, database, replace(settings(inventory), letters=letters), log)
        authority = certificate_authority(inventory)
        must_answer(url, authority)
        sql = Psql(access["database"].engine, project)

        def remove_original(picture: str) -> None:
            path = f"{FILES}/tmp/{folder(picture)}.jpg"
            access["keycloak"].engine.containers.get(f"{project}-api").exec_run(["rm", "-f", path])

        cast = Cast(url, authority, accounts, keycloak, sql, remove_original, log)
        cast.dismiss()
        stack.callback(cast.dismiss)
        yield Site(
            name=inventory.name,
            title=str(inventory.get("site_title", project)),
            operator=str(inventory.get("site_operator", "")),
            url=url,
            ca=authority,
            project=project,
            realm=realm,
            policy=load_policy(POLICY),
            policy_options=tuple(inventory.get("proxy_policy_options", []) or []),
            state=inventory.state,
            inventory=inventory.directory,
            secrets=_secrets(inventory),
            access=access["keycloak"],
            engines=tuple({id(way): way.engine for way in access.values()}.values()),
            accounts=accounts,
            keycloak=keycloak,
            sql=sql,
            cast=cast,
            keycloak_endpoint=keycloak_endpoint,
            accounts_client=account_client,
            known_clients=_clients(inventory),
            mail=bool(inventory.get("site_smtp")),
            detectors=_detectors(inventory),
        )
