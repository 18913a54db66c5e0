"""Ansible module: tell in one call whether a Keycloak realm is still as the role left it.

A declaration by `community.general.keycloak_*` costs a second for each of a dozen modules. A run that changes nothing
skips them all when this module proves that the live realm, the master realm and the declaration are the ones recorded
after the last apply. What somebody changed by hand shows as a difference, and is put right.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: keycloak_realm_state
short_description: Compare a live Keycloak realm with the state recorded after the last apply
description:
  - Reads the realm and the master realm by partial export, the secrets of the named clients, and who holds rights to
    manage the realm. Keeps only digests of them in O(record_file).
options:
  url:
    description: Keycloak with its relative path, for example C(http://172.18.0.5:8080/oauth). Empty means unreachable.
    type: str
    required: true
  realm:
    description: Realm to look at.
    type: str
    required: true
  admins:
    description:
      - Service accounts of the master realm to try in this order, each with C(id) and C(secret).
      - The first is the permanent one.
    type: list
    elements: dict
    required: true
  clients:
    description: Clients of the realm whose secret belongs to the state.
    type: list
    elements: str
    default: []
  declaration:
    description: Digest of everything that the realm is declared from; any change of it makes the state differ.
    type: str
    required: true
  expected_clients:
    description: Clients that may be in the realm. Any other one keeps the state from being recorded.
    type: list
    elements: str
    required: true
  accept_drift:
    description: Whether differences that the declaration does not put right are recorded as the new state.
    type: bool
    default: false
  record_file:
    description: File on the host that holds the digests of the last apply.
    type: path
    required: true
  record:
    description:
      - Write the digests of what is there now, after an apply. Fails, without writing, if clients or managers are left
        that nobody declared, or if something differs although the declaration is the recorded one (by hand, that is).
    type: bool
    default: false
  wait:
    description: Seconds to wait for Keycloak to answer.
    type: int
    default: 0
author: Private Panoramax
"""

Answer = tuple[int, Any]
Fetch = Callable[[str, str, dict[str, str] | None], Answer]

# Keys that change without anybody changing the realm: ids of re-made objects, marks set by ending all sessions, ...
VOLATILE = frozenset({"id", "_id", "containerId", "notBefore", "createdTimestamp", "keycloakVersion", "_system"})
CONNECT_SECONDS, READ_SECONDS = 3, 60
MANAGEMENT_CLIENT = "realm-management"
# ... and `_system`, which Keycloak 26.7 makes when anybody opens a page of no client. Without these it is of no use.
SYSTEM_LACKS = ("protocol", "publicClient", "redirectUris", "directAccessGrantsEnabled", "serviceAccountsEnabled")
# Attributes that a realm gets when anybody saves it in the admin console, with the value that holds without them.
SAVED_TOO = {"scimApiEnabled": "false"}


class KeycloakError(Exception):
    """Keycloak answered something that the module cannot go on with."""


class Session:
    """One signed-in service account. A token lives 60 s in the master realm, longer than one run of this module."""

    def __init__(self, url: str, fetch: Fetch) -> None:
        """`fetch(method, url, headers or form)` returns (status, decoded body)."""
        self.url = url
        self._fetch = fetch
        self._token = ""

    def sign_in(self, client_id: str, secret: str) -> bool:
        """Sign in by client credentials. True only if the account may administer the server."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        status, body = self._fetch("FORM", f"{self.url}/realms/master/protocol/openid-connect/token", form)
        if status != 200:
            return False
        self._token = body["access_token"]
        # A run that was interrupted may have left the account without its rights.
        return self._call("GET", "/master/clients?max=1")[0] == 200

    def _call(self, method: str, path: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._fetch(method, f"{self.url}/admin/realms{path}", headers)

    def read(self, path: str, method: str = "GET") -> Any:
        """Body of an answer 200. Raises KeycloakError on any other."""
        status, body = self._call(method, path)
        if status != 200:
            raise KeycloakError(f"{method} {path} answered {status}")
        return body

    def exists(self, path: str) -> bool:
        """Whether the path answers 200 rather than 404."""
        status = self._call("GET", path)[0]
        if status not in (200, 404):
            raise KeycloakError(f"GET {path} answered {status}")
        return status == 200


def canonical(value: Any) -> Any:
    """The value without what changes by itself, and with lists in an order of their own (exports have none)."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, list):
        return sorted((canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON form, as hex."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_export(session: Session, realm: str) -> dict[str, Any]:
    """What an export holds about a realm, secrets masked, without the client that Keycloak made by itself."""
    body: dict[str, Any] = session.read(f"/{realm}/partial-export?exportClients=true&exportGroupsAndRoles=true", "POST")
    clients = [c for c in body["clients"] if c["clientId"] != "_system" or any(c.get(key) for key in SYSTEM_LACKS)]
    attributes = dict((body.get("attributes") or {}).items() - SAVED_TOO.items())
    return {**body, "clients": clients, "attributes": attributes}


def client_secrets(session: Session, realm: str, clients: list[str]) -> dict[str, str]:
    """Secret of each client that exists, by clientId."""
    found: dict[str, str] = {}
    for client in clients:
        entries = session.read(f"/{realm}/clients?clientId={urllib.parse.quote(client, safe='')}")
        for entry in entries:
            found[client] = session.read(f"/{realm}/clients/{entry['id']}/client-secret").get("value", "")
    return found


def managers(session: Session, realm: str) -> list[str]:
    """People (not service accounts) who hold a management role of the realm directly.

    Measured: whoever may manage users can take over the account of such a person, so there must be none.
    """
    names: set[str] = set()
    for client in session.read(f"/{realm}/clients?clientId={MANAGEMENT_CLIENT}"):
        roles = f"/{realm}/clients/{client['id']}/roles"
        for role in session.read(roles):
            users = session.read(f"{roles}/{urllib.parse.quote(role['name'], safe='')}/users?max=100")
            names.update(user["username"] for user in users if not user["username"].startswith("service-account-"))
    return sorted(names)


def sections(realm: dict[str, Any], **others: Any) -> dict[str, str]:
    """Digest of each part of the state: the keys of the realm's export, and what an export does not hold."""
    attributes = {f"attributes.{name}": value for name, value in realm["attributes"].items()}
    parts = {key: value for key, value in realm.items() if key not in VOLATILE | {"attributes"}} | attributes | others
    return {key: digest(value) for key, value in parts.items()}


def differences(recorded: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """Names of the parts that differ between two states; `declaration` and `version` are parts too."""
    names = [key for key in ("declaration", "version") if recorded.get(key) != current[key]]
    before, after = recorded.get("sections", {}), current["sections"]
    return names + sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def problems(found: dict[str, Any], drift: list[str], expected_clients: list[str]) -> list[str]:
    """What keeps the state of the realm from being accepted, as sentences with a remedy.

    `drift` holds the parts that differ although nothing else was declared since the last record.
    """
    sentences = []
    if foreign := [client for client in found["clients"] if client not in expected_clients]:
        sentences.append(
            f"Clients that nobody declared: {', '.join(foreign)}."
            " Remove them in the admin console, or name them in keycloak_extra_clients."
        )
    if found["managers"]:
        sentences.append(
            f"People with rights to manage the realm: {', '.join(found['managers'])}. Whoever manages users could take"
            " their accounts over: take the roles of the client realm-management from them."
        )
    if found["identity_providers"]:
        sentences.append(
            f"Identity providers, through which strangers come in: {', '.join(found['identity_providers'])}."
        )
    if drift:
        sentences.append(
            f"Changed by hand, and not put right by this role: {', '.join(drift)}."
            " Put it back in the admin console, or set keycloak_accept_drift: true in the inventory for one deployment."
        )
    return sentences


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _write_record(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(record, stream, indent=1, sort_keys=True)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


class Http:
    """One connection kept open: a state takes some thirty requests, and most of the time of one is its connection."""

    def __init__(self, url: str) -> None:
        """`url` is any address of the server."""
        parts = urllib.parse.urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port)

    def __call__(self, method: str, url: str, headers: dict[str, str] | None) -> Answer:
        """One request. `FORM` posts the third argument as a form. Status 0 means that nobody answers."""
        form = method == "FORM"
        body = urllib.parse.urlencode(headers or {}) if form else None
        sent = {"Content-Type": "application/x-www-form-urlencoded"} if form else headers or {}
        target = urllib.parse.urlsplit(url)._replace(scheme="", netloc="").geturl()
        try:
            if self._connection.sock is None:
                # A host that is not there may swallow packets, and a run in check mode should not wait for that.
                self._connection.timeout = CONNECT_SECONDS
                self._connection.connect()
                if self._connection.sock is not None:
                    self._connection.sock.settimeout(READ_SECONDS)
            self._connection.request("POST" if form else method, target, body, sent)
            answer = self._connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text or b"null") if answer.status == 200 else None
        except (OSError, ValueError, http.client.HTTPException):
            self._connection.close()
            return 0, None


def wait_for(url: str, fetch: Fetch, seconds: int) -> bool:
    """Whether Keycloak serves its master realm within so many seconds. An empty URL is never there."""
    deadline = time.monotonic() + seconds
    while url:
        if fetch("GET", f"{url}/realms/master", None)[0] == 200:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.5)
    return False


def look(params: dict[str, Any], fetch: Fetch) -> dict[str, Any]:
    """What is there now. Keys of the result are those of RETURN, less `up_to_date` and `differences`.

    Raises KeycloakError when Keycloak answers unexpectedly.
    """
    found: dict[str, Any] = {
        "reachable": wait_for(params["url"], fetch, params["wait"]),
        "admin": "",
        "realm_exists": False,
        "clients": [],
        "master_clients": [],
        "identity_providers": [],
        "managers": [],
        "default_roles": [],
    }
    if not found["reachable"]:
        return found
    session = Session(params["url"], fetch)
    for admin in params["admins"]:
        if session.sign_in(admin["id"], admin["secret"]):
            found["admin"] = admin["id"]
            break
    else:
        return found
    master = read_export(session, "master")
    found["master_clients"] = sorted(client["clientId"] for client in master["clients"])
    realm = params["realm"]
    found["realm_exists"] = session.exists(f"/{realm}")
    if found["realm_exists"]:
        export = read_export(session, realm)
        found["clients"] = sorted(client["clientId"] for client in export["clients"])
        found["identity_providers"] = sorted(entry["alias"] for entry in export.get("identityProviders", []))
        found["managers"] = managers(session, realm)
        for role in export.get("roles", {}).get("realm", []):
            if role["name"] == export.get("defaultRole", {}).get("name"):
                found["default_roles"] = sorted(role.get("composites", {}).get("realm", []))
        found["state"] = {
            "declaration": params["declaration"],
            "version": str(export.get("keycloakVersion")),
            "sections": sections(
                export,
                master=master,
                managers=found["managers"],
                clientSecrets=client_secrets(session, realm, params["clients"]),
            ),
        }
    return found


RETURN = r"""
reachable: {description: Whether Keycloak answers., type: bool, returned: always}
admin: {description: The service account that could sign in; empty if none., type: str, returned: always}
realm_exists: {description: Whether the realm is there., type: bool, returned: always}
up_to_date: {description: Whether everything is as recorded., type: bool, returned: always}
differences: {description: Names of the parts that differ from the record., type: list, returned: always}
clients: {description: Client ids of the realm., type: list, returned: always}
master_clients: {description: Client ids of the master realm., type: list, returned: always}
identity_providers: {description: Aliases of identity providers., type: list, returned: always}
managers: {description: People who hold rights to manage the realm., type: list, returned: always}
default_roles: {description: Realm roles that everybody gets., type: list, returned: always}
"""


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "realm": {"type": "str", "required": True},
            "admins": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "id": {"type": "str", "required": True},
                    "secret": {"type": "str", "required": True, "no_log": True},
                },
            },
            "clients": {"type": "list", "elements": "str", "default": []},
            "declaration": {"type": "str", "required": True},
            "expected_clients": {"type": "list", "elements": "str", "required": True},
            "accept_drift": {"type": "bool", "default": False},
            "record_file": {"type": "path", "required": True},
            "record": {"type": "bool", "default": False},
            "wait": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["record_file"])
    try:
        found = look(module.params, Http(module.params["url"]))
        current = found.pop("state", None)
        recorded = _read_record(path)
        differs = differences(recorded, current) if current else []
        if module.params["record"] and current and not module.check_mode:
            declared_anew = not recorded or "declaration" in differs or "version" in differs
            drift = [] if declared_anew or module.params["accept_drift"] else differs
            if sentences := problems(found, drift, module.params["expected_clients"]):
                module.fail_json(msg=f"Realm {module.params['realm']}: {' '.join(sentences)}")
            if differs:
                _write_record(path, current)
    except KeycloakError as error:
        module.fail_json(msg=f"Keycloak at {module.params['url']}: {error}")
    except OSError as error:
        module.fail_json(msg=f"{error.filename or path}: {error.strerror}; is the disk full or read-only?")
    module.exit_json(
        changed=False,
        up_to_date=current is not None and not differs and found["admin"] == module.params["admins"][0]["id"],
        differences=differs,
        **found,
    )


if __name__ == "__main__":
    main()
