"""Keycloak's realm from inside, as the service account of the deployment sees it. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.site import Site

# Service account of the master realm, by which the deployment declares the realm (role keycloak).
ADMIN_CLIENT = "panoramax-ansible"
# Keycloak makes the last one by itself when somebody opens a page that belongs to no client.
BUILT_IN = frozenset(
    {"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console", "_system"}
)
ACCOUNTS_ROLES = frozenset({"manage-users", "view-users", "query-users"})
PASSWORD_LENGTH = 12

# What must be so, with what it would mean otherwise.
SETTINGS: dict[str, tuple[Any, str]] = {
    "enabled": (True, "nobody can sign in"),
    "registrationAllowed": (False, "anybody can register"),
    "registrationEmailAsUsername": (False, "e-mail addresses are shown as names"),
    "bruteForceProtected": (True, "passwords can be guessed without end"),
    "duplicateEmailsAllowed": (False, "two people can have one e-mail address"),
    "loginWithEmailAllowed": (True, "people cannot sign in with their e-mail address"),
    "rememberMe": (False, "sessions outlive the browser"),
    "revokeRefreshToken": (True, "a stolen refresh token can be used again and again"),
    "eventsEnabled": (True, "sign-ins leave no record"),
    "adminEventsEnabled": (True, "what administrators do leaves no record"),
}


class Realms:
    """Reads Keycloak's admin interface."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        """`http` has the base address /oauth."""
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}

    def read(self, path: str) -> Any:
        """What a path below /admin/realms holds. Raises UnableError if it is not given."""
        answer = self._http.get(f"/admin/realms/{path}", headers=self._headers)
        if answer.status_code != 200:
            raise UnableError(f"Keycloak answers {answer.status_code} to GET {path}", "Deploy again: make deploy")
        return answer.json()

    def export(self, realm: str) -> Any:
        """The realm with clients, roles and service accounts, without secrets. Raises UnableError if it is refused."""
        path = f"{realm}/partial-export?exportClients=true&exportGroupsAndRoles=true"
        answer = self._http.post(f"/admin/realms/{path}", headers=self._headers)
        if answer.status_code != 200:
            raise UnableError(f"Keycloak answers {answer.status_code} to the export of {realm}", "Deploy again.")
        return answer.json()

    def send(self, method: str, path: str, body: Any) -> None:
        """Change something. Only tests do, to see that it is noticed. Raises UnableError if it is refused."""
        answer = self._http.request(method, f"/admin/realms/{path}", headers=self._headers, json=body)
        if answer.status_code not in {200, 201, 204}:
            raise UnableError(f"Keycloak answers {answer.status_code} to {method} {path}: {answer.text[:200]}")


@contextmanager
def administration(site: Site) -> Iterator[Realms]:
    """The admin interface, signed in. Raises UnableError if the deployment's secret does not open it."""
    endpoint = site.keycloak_endpoint
    transport = endpoint.transport()
    with httpx.Client(base_url=f"{endpoint.url}/oauth", transport=transport, trust_env=False, timeout=30) as http:
        form = {"grant_type": "client_credentials", "client_id": ADMIN_CLIENT,
                "client_secret": site.secrets["secret_keycloak_admin"]}  # fmt: skip
        answer = http.post("/realms/master/protocol/openid-connect/token", data=form)
        if answer.status_code != 200:
            raise UnableError(
                f"Keycloak does not let {ADMIN_CLIENT} in ({answer.status_code}).",
                "Does secret_keycloak_admin differ from the deployed one? Deploy again: make deploy",
            )
        yield Realms(http, str(answer.json()["access_token"]))


def _weak_settings(realm: dict[str, Any], *, mail: bool) -> list[str]:
    wanted = SETTINGS | {"resetPasswordAllowed": (mail, "the sign-in page offers a mail that cannot be sent")}
    found = [
        f"{name} is {realm.get(name)}: {otherwise}"
        for name, (value, otherwise) in wanted.items()
        if realm.get(name) != value
    ]
    if realm.get("sslRequired") not in {"external", "all"}:
        found.append(f"sslRequired is {realm.get('sslRequired')}: passwords may travel unencrypted")
    if not any(f"length({n})" in realm.get("passwordPolicy", "") for n in range(PASSWORD_LENGTH, 129)):
        found.append(f"passwords may be shorter than {PASSWORD_LENGTH} characters")
    return found


def hardened(site: Site) -> str:
    """Keycloak's realm is closed and hardened: registration, password guessing, password rules, records, providers."""
    with administration(site) as realms:
        realm = realms.read(site.realm)
        found = _weak_settings(realm, mail=site.mail)
        found += [f"identity provider {p['alias']}" for p in realms.read(f"{site.realm}/identity-provider/instances")]
        stores = realms.read(f"{site.realm}/components?type=org.keycloak.storage.UserStorageProvider")
        found += [f"people come from elsewhere: {store['name']}" for store in stores]
        actions = {action["alias"]: action for action in realms.read(f"{site.realm}/authentication/required-actions")}
        if not actions.get("UPDATE_PASSWORD", {}).get("enabled"):
            found.append("the initial password need not be changed")
        attributes = {item["name"]: item for item in realms.read(f"{site.realm}/users/profile")["attributes"]}
        found += [
            f"people can change their {name}"
            for name in ("username", "email")
            if "user" in attributes.get(name, {}).get("permissions", {}).get("edit", [])
        ]
        master = realms.read("master")
        found += [f"master: {name} is on" for name in ("registrationAllowed", "resetPasswordAllowed") if master[name]]
        if not master["bruteForceProtected"]:
            found.append("master: passwords can be guessed without end")
    if found:
        raise ClaimBrokenError("; ".join(found))
    return f"{len(SETTINGS) + 2} settings, no identity provider, profiles changed by administrators only"


def _weak_client(client: dict[str, Any], public_url: str) -> list[str]:
    name = client["clientId"]
    found = [
        f"{name}: {what}"
        for key, what in (
            ("directAccessGrantsEnabled", "takes passwords directly"),
            ("implicitFlowEnabled", "hands tokens to the browser's address line"),
            ("authorizationServicesEnabled", "has authorization services"),
        )
        if client.get(key)
    ]
    attributes = client.get("attributes", {})
    found += [
        f"{name}: {what}"
        for key, what in (
            ("oauth2.device.authorization.grant.enabled", "allows the device flow"),
            ("oidc.ciba.grant.enabled", "allows CIBA"),
            ("standard.token.exchange.enabled", "exchanges tokens"),
        )
        if attributes.get(key) == "true"
    ]
    if client.get("standardFlowEnabled") and name not in BUILT_IN:
        found += [
            f"{name}: leads to {uri}"
            for uri in client.get("redirectUris", [])
            if "*" in uri or not uri.startswith(f"{public_url}/")
        ]
    return found


def clients(site: Site) -> str:
    """No client of the realm takes passwords directly, leads elsewhere, or is unknown; the scripts' has few rights."""
    with administration(site) as realms:
        listed = realms.read(f"{site.realm}/clients?max=200")
        found = [weak for client in listed if client["enabled"] for weak in _weak_client(client, site.url)]
        known = BUILT_IN | set(site.known_clients)
        found += [f"unknown client {client['clientId']}" for client in listed if client["clientId"] not in known]
        account = next(client for client in listed if client["clientId"] == site.accounts_client)
        user = realms.read(f"{site.realm}/clients/{account['id']}/service-account-user")
        mappings = realms.read(f"{site.realm}/users/{user['id']}/role-mappings").get("clientMappings", {})
        held = {role["name"] for client in mappings.values() for role in client["mappings"]}
        if more := held - ACCOUNTS_ROLES:
            found.append(f"{site.accounts_client} may also {', '.join(sorted(more))}")
    if found:
        raise ClaimBrokenError("; ".join(found))
    return f"{len(listed)} clients, none with direct grants; {site.accounts_client} manages people only"


def managers(site: Site) -> str:
    """No person holds rights to manage the realm: whoever may manage people could take such an account over."""
    with administration(site) as realms:
        found: set[str] = set()
        for client in realms.read(f"{site.realm}/clients?clientId=realm-management"):
            roles = f"{site.realm}/clients/{client['id']}/roles"
            for role in realms.read(roles):
                for user in realms.read(f"{roles}/{quote(role['name'], safe='')}/users?max=100"):
                    found.add(user["username"])
        people = sorted(name for name in found if not name.startswith("service-account-"))
        people += [f"{user['username']} (master)" for user in realms.read("master/users?max=20")]
    if people:
        raise ClaimBrokenError(f"people with rights to manage: {', '.join(people)}")
    return "nobody but service accounts"


CHECKS = (
    Check("C3", "The realm is hardened", hardened),
    Check("C3", "The realm's clients are closed", clients),
    Check("C3", "Nobody manages the realm", managers),
)
