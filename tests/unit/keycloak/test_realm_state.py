"""Module keycloak_realm_state: what counts as a difference, and what keeps a state from being accepted."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LIBRARY = Path(__file__).resolve().parents[3] / "roles" / "keycloak" / "library"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keycloak_realm_state", LIBRARY / "keycloak_realm_state.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


state = _load()

REALM: dict[str, Any] = {
    "id": "x",
    "registrationAllowed": False,
    "notBefore": 0,
    "keycloakVersion": "26.7.3",
    "defaultRole": {"name": "default-roles-lab"},
    "roles": {"realm": [{"name": "default-roles-lab", "composites": {"realm": ["offline_access"]}}]},
    "clients": [{"clientId": "api", "id": "1"}, {"clientId": "account", "id": "2"}],
    "identityProviders": [],
}


class Server:
    """Keycloak, as much as the module asks of it."""

    def __init__(self) -> None:
        self.realm = copy.deepcopy(REALM)
        self.admins = {"permanent": "p", "bootstrap": "b"}
        self.rights = {"permanent", "bootstrap"}
        self.secret = "api-secret"
        self.managers: list[dict[str, str]] = [{"username": "service-account-scripts"}]
        self.there = True
        self.signed_in = ""

    def __call__(self, method: str, url: str, headers: dict[str, str] | None) -> tuple[int, Any]:
        if not self.there:
            return 0, None
        path = url.removeprefix("http://kc/oauth")
        if method == "FORM":
            assert headers is not None
            self.signed_in = headers["client_id"]
            right = self.admins.get(self.signed_in) == headers["client_secret"]
            return (200, {"access_token": "t"}) if right else (401, None)
        if path == "/admin/realms/master/clients?max=1":
            return (200 if self.signed_in in self.rights else 403), []
        return self.answer(path)

    def answer(self, path: str) -> tuple[int, Any]:
        """What a signed-in administrator gets."""
        path = path.removeprefix("/admin/realms")
        answers: dict[str, Any] = {
            "/realms/master": {},
            "/master/partial-export?exportClients=true&exportGroupsAndRoles=true": {
                "clients": [{"clientId": name} for name in self.admins]
            },
            "/lab": {},
            "/lab/partial-export?exportClients=true&exportGroupsAndRoles=true": self.realm,
            "/lab/clients?clientId=realm-management": [{"id": "m"}],
            "/lab/clients/m/roles": [{"name": "manage-users"}],
            "/lab/clients/m/roles/manage-users/users?max=100": self.managers,
            "/lab/clients?clientId=api": [{"id": "1"}],
            "/lab/clients/1/client-secret": {"value": self.secret},
        }
        return (200, answers[path]) if path in answers and self.realm else (404, None)


PARAMETERS = {
    "url": "http://kc/oauth",
    "realm": "lab",
    "admins": [{"id": "permanent", "secret": "p"}, {"id": "bootstrap", "secret": "b"}],
    "clients": ["api"],
    "declaration": "d1",
    "wait": 0,
}


def look(server: Server, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = state.look(PARAMETERS | changes, server)
    return found


def test_the_same_realm_in_another_order_is_the_same() -> None:
    server = Server()
    before = look(server)["state"]
    server.realm["clients"].reverse()
    server.realm["clients"][0]["id"] = "another"
    server.realm["notBefore"] = 1700000000
    assert state.differences(before, look(server)["state"]) == []


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda server: server.realm.update(registrationAllowed=True), "registrationAllowed"),
        (lambda server: server.realm["clients"].append({"clientId": "evil"}), "clients"),
        (lambda server: server.realm.update(something="new"), "something"),
        (lambda server: server.realm.update(attributes={"scimApiEnabled": "true"}), "attributes.scimApiEnabled"),
        (lambda server: setattr(server, "secret", "changed"), "clientSecrets"),
        (lambda server: server.admins.update(another="a"), "master"),
        (lambda server: server.managers.append({"username": "jane"}), "managers"),
        (lambda server: server.realm.update(keycloakVersion="26.8.0"), "version"),
    ],
)
def test_what_somebody_changed_is_named(change: Any, part: str) -> None:
    server = Server()
    before = look(server)["state"]
    change(server)
    assert state.differences(before, look(server)["state"]) == [part]


def test_the_client_that_keycloak_makes_by_itself_is_no_change() -> None:
    server = Server()
    server.realm["roles"]["client"] = {"api": [{"name": "own"}]}
    before = look(server)
    own = {"clientId": "_system", "standardFlowEnabled": True, "redirectUris": [], "publicClient": False}
    server.realm["clients"].append(own)
    server.realm["roles"]["client"]["_system"] = []
    assert look(server) == before
    own["redirectUris"] = ["https://evil.example/*"]
    assert state.differences(before["state"], look(server)["state"]) == ["clients"]


def test_what_keycloak_adds_to_a_realm_that_is_saved_is_no_change() -> None:
    server = Server()
    before = look(server)
    server.realm["attributes"] = {"scimApiEnabled": "false"}
    assert look(server) == before


def test_another_declaration_differs_and_no_record_is_all_different() -> None:
    current = look(Server())["state"]
    assert state.differences(current, look(Server(), declaration="d2")["state"]) == ["declaration"]
    assert {"declaration", "version", "clients"} <= set(state.differences({}, current))


def test_the_record_holds_digests_only() -> None:
    assert "api-secret" not in str(look(Server())["state"])


def test_the_permanent_account_counts_only_with_its_rights() -> None:
    server = Server()
    assert look(server)["admin"] == "permanent"
    server.rights = {"bootstrap"}
    assert look(server)["admin"] == "bootstrap"
    server.admins = {}
    assert look(server)["admin"] == ""


def test_absence_is_told_apart() -> None:
    server = Server()
    assert look(server)["default_roles"] == ["offline_access"]
    server.there = False
    assert not look(server)["reachable"]
    assert not look(Server(), url="")["reachable"]


def test_a_realm_is_accepted_only_without_strangers() -> None:
    server = Server()
    assert state.problems(look(server), [], ["api", "account"]) == []
    server.realm["clients"].append({"clientId": "evil"})
    server.realm["identityProviders"] = [{"alias": "google"}]
    server.managers = [{"username": "jane"}, {"username": "service-account-scripts"}]
    sentences = " ".join(state.problems(look(server), ["authenticationFlows"], ["api", "account"]))
    for stranger in ("evil", "google", "jane", "authenticationFlows", "keycloak_accept_drift"):
        assert stranger in sentences
    assert "service-account" not in sentences


def test_a_refused_request_is_an_error_and_not_an_absence() -> None:
    server = Server()
    server.managers = []
    session = state.Session("http://kc/oauth", server)
    assert session.sign_in("permanent", "p")
    with pytest.raises(state.KeycloakError, match="404"):
        session.read("/lab/nowhere")


def test_a_host_that_is_not_there_is_given_up_on() -> None:
    assert state.Http("http://127.0.0.1:9")("GET", "http://127.0.0.1:9/x", None) == (0, None)


def test_records_survive_anything_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "record.json"
    assert state._read_record(path) == {}
    state._write_record(path, {"declaration": "d"})
    assert state._read_record(path) == {"declaration": "d"}
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("[", encoding="utf-8")
    assert state._read_record(path) == {}
