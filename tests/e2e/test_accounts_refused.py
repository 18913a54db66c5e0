"""What scripts/accounts.py refuses: bad input, each kind by name, what nobody may do, and what it has no rights for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conftest import Person, Site
from panoramax_ops.access import open_access
from panoramax_ops.accounts_cli import app
from panoramax_ops.database import Database
from panoramax_ops.errors import UnableError
from panoramax_ops.keycloak import Keycloak, KeycloakError
from panoramax_ops.opening import Opened

pytestmark = pytest.mark.e2e


def here(site: Site, *arguments: str, code: int = 0) -> Any:
    """Run accounts.py --json in this process: starting one each time would take longer than all the rest."""
    done = CliRunner().invoke(app, ["-i", str(site.inventory), "--json", *arguments])
    assert done.exit_code == code, (arguments, done.output)
    return json.loads(done.stdout)


def csv_of(directory: Path, content: bytes) -> str:
    """A list of people to import."""
    path = directory / "people.csv"
    path.write_bytes(content)
    return str(path)


@pytest.fixture(scope="module")
def somebody(site: Site) -> Iterator[Person]:
    """An account that is there, for attempts that are all refused."""
    mark = secrets.token_hex(4)
    email, name = f"acct-{mark}@example.org", f"Acct There {mark}"
    made = site.run("accounts.py", "--json", "create", email, "--name", name)
    yield Person(email, name, "", Path(json.loads(made.stdout)["letter"]))
    site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


FREE = "acct-free@example.org"
NAME = ("--name", "Acct Nobody")
HEAD = b"e-mail,name,role\n"
REFUSED: dict[str, Callable[[Person, Path], tuple[str, ...]]] = {
    "e-mail there already, in other case and with spaces": lambda p, _: ("create", f"  {p.email.upper()} ", *NAME),
    "name taken": lambda p, _: ("create", FREE, "--name", p.name.upper()),
    "name is the e-mail": lambda _p, _d: ("create", FREE, "--name", FREE),
    "invalid e-mail": lambda _p, _d: ("create", "nobody", *NAME),
    "disposable e-mail": lambda _p, _d: ("create", "acct@mailinator.com", *NAME),
    "unknown role": lambda _p, _d: ("create", FREE, *NAME, "--role", "root"),
    "unknown language": lambda _p, _d: ("create", FREE, *NAME, "--language", "it"),
    "endless group": lambda _p, _d: ("create", FREE, *NAME, "--group", "x" * 81),
    "unknown role given": lambda p, _: ("set-role", p.email, "owner"),
    "new e-mail invalid": lambda p, _: ("set-email", p.email, "x"),
    "formula as a name": lambda p, _: ("rename", p.email, "--name", "=cmd()"),
    "nobody of this e-mail": lambda _p, _d: ("disable", FREE),
    "state that is none": lambda _p, _d: ("list", "--state", "asleep"),
    "token without an end": lambda p, _: ("tokens", "create", p.email, "--for", "x", "--days", "0"),
    "token for longer than one works": lambda p, _: ("tokens", "create", p.email, "--for", "x", "--days", "366"),
    "token that is not there": lambda p, _: ("tokens", "revoke", p.email, "zzz"),
    "pictures that go nowhere": lambda p, _: ("delete", p.email, "--pictures", "burn", "--yes"),
    "pictures that go to oneself": lambda p, _: ("delete", p.email, "--pictures", f"transfer:{p.email}", "--yes"),
    "oneself disabled": lambda p, _: ("--me", p.email, "disable", p.email),
    "oneself deleted": lambda p, _: ("--me", p.email, "delete", p.email, "--pictures", "keep", "--yes"),
    "day that is none": lambda _p, _d: ("log", "--since", "yesterday"),
    "empty CSV": lambda _p, d: ("import", csv_of(d, b""), "--yes"),
    "CSV with nothing but a heading": lambda _p, d: ("import", csv_of(d, HEAD), "--yes"),
    "wrong columns": lambda _p, d: ("import", csv_of(d, b"mail,full name\na@example.org,A B\n"), "--yes"),
    "duplicate rows": lambda _p, d: ("import", csv_of(d, HEAD + b"a@example.org,Ann Doe,\n" * 2), "--yes"),
    "cell of a megabyte": lambda _p, d: (
        "import",
        csv_of(d, HEAD + b"a@example.org," + b"x" * 1_000_000 + b",\n"),
        "--yes",
    ),
    "formula in a cell": lambda _p, d: ("import", csv_of(d, HEAD + b"a@example.org,=cmd(),\n"), "--yes"),
    "unknown role in a row": lambda _p, d: ("import", csv_of(d, HEAD + b"a@example.org,Ann Doe,boss\n"), "--yes"),
    "wrong encoding": lambda _p, d: (
        "import",
        csv_of(d, HEAD + "a@example.org,Anna M\u00fcller,\n".encode("latin-1")),
        "--yes",
    ),
    "a spreadsheet": lambda _p, d: ("import", csv_of(d, b"PK\x03\x04" + b"x" * 100), "--yes"),
    "e-mail of the file there already under another name": lambda p, d: (
        "import",
        csv_of(d, HEAD + f"other-{p.email},{p.name},\n".encode()),
        "--yes",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_refused_with_a_remedy(site: Site, somebody: Person, tmp_path: Path, what: str) -> None:
    refused = here(site, *REFUSED[what](somebody, tmp_path), code=1)
    assert refused["error"]
    if "problems" in refused:
        assert refused["error"] == "Nothing was changed."
        assert all(problem["problem"] and problem["remedy"] and problem["line"] for problem in refused["problems"])
        assert all(len(str(problem)) < 1000 for problem in refused["problems"])
    else:
        assert refused["remedy"] or "between" in refused["error"] or "holds" in refused["error"], refused


def test_nothing_was_changed_by_what_was_refused(run: Callable[..., Any], somebody: Person) -> None:
    person = run("show", somebody.email)
    assert (person["state"], person["role"], person["name"]) == ("new", "user", somebody.name)
    assert run("list", "--like", "acct-free") == run("list", "--like", "a@example.org") == []


def test_without_rights_nothing_is_done_and_the_way_is_shown(site: Site, opened: Opened) -> None:
    inventory = opened.inventory
    with open_access({"app": inventory.host("app"), "database": inventory.host("database")}, site.project) as access:
        with Keycloak(access["app"].reach("keycloak", 8080), "panoramax", "panoramax-accounts", "wrong") as stranger:
            with pytest.raises(UnableError, match="refuses the service account") as unable:
                next(stranger.users())
            assert "make deploy" in unable.value.remedy
        with pytest.raises(UnableError, match="does not let panoramax_ops in") as unable:
            Database(access["database"].reach("database", 5432), "wrong")
        assert "make deploy" in unable.value.remedy
    assert site.run("accounts.py", "--json", "list", check=False).returncode == 0


def test_the_last_administrator_and_oneself_stay(site: Site, people: Callable[..., Person]) -> None:
    last, ordinary = people("Acct Last", role="admin"), people("Acct Other")
    others = [
        person["email"]
        for person in here(site, "list", "--role", "admin")
        if person["email"] != last.email and person["state"] != "disabled"
    ]
    try:
        for email in others:
            here(site, "set-role", email, "user")
        for command in (
            ("disable", last.email),
            ("set-role", last.email, "user"),
            ("delete", last.email, "--pictures", "keep", "--yes"),
        ):
            assert "last administrator" in here(site, *command, code=1)["error"], command
        here(site, "disable", ordinary.email)
        here(site, "set-role", others[0], "admin")
        for command in (
            ("disable", last.email),
            ("set-role", last.email, "user"),
            ("delete", last.email, "--pictures", "keep", "--yes"),
        ):
            assert "your own account" in here(site, "--me", last.email, *command, code=1)["error"], command
        assert here(site, "show", last.email)["role"] == "admin"
    finally:
        for email in others:
            here(site, "set-role", email, "admin")


ADMIN = "/admin/realms/panoramax"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{ADMIN}/clients", None),
        ("POST", f"{ADMIN}/clients", {"clientId": "acct-intruder"}),
        ("PUT", ADMIN, {"registrationAllowed": True}),
        ("DELETE", ADMIN, None),
        ("GET", f"{ADMIN}/identity-provider/instances", None),
        ("POST", f"{ADMIN}/identity-provider/instances", {"alias": "acct", "providerId": "oidc"}),
        ("GET", f"{ADMIN}/events", None),
        ("GET", f"{ADMIN}/admin-events", None),
        ("POST", f"{ADMIN}/client-scopes", {"name": "acct"}),
        ("GET", f"{ADMIN}/components", None),
        ("POST", f"{ADMIN}/components", {"name": "acct", "providerId": "ldap"}),
        ("GET", f"{ADMIN}/authentication/flows", None),
        ("POST", f"{ADMIN}/partialImport", {"users": []}),
        ("POST", f"{ADMIN}/roles", {"name": "acct"}),
        ("POST", f"{ADMIN}/users/SOMEBODY/impersonation", {}),
        ("PUT", f"{ADMIN}/users/profile", {"attributes": []}),
        ("POST", "/admin/realms", {"realm": "acct"}),
        ("GET", "/admin/realms/master", None),
        ("GET", "/admin/realms/master/users", None),
        ("POST", "/admin/realms/master/users", {"username": "acct"}),
    ],
)
def test_the_service_account_manages_people_and_nothing_else(
    opened: Opened, somebody: Person, method: str, path: str, body: Any
) -> None:
    keycloak = opened.accounts.keycloak
    user_id = opened.accounts.find(somebody.email)["id"]
    token = keycloak._sign_in("")
    answer = keycloak._send(
        method, path.replace("SOMEBODY", user_id), headers={"Authorization": f"Bearer {token}"}, json=body
    )
    # 401: its token is none for another realm.
    assert answer.status_code in (401, 403), answer.text


def test_the_service_account_gives_nobody_rights_over_the_realm(
    opened: Opened, somebody: Person, database_sql: Callable[..., list[list[str]]]
) -> None:
    # Its own rights do not even show it these ids.
    ((client_id, role_id),) = database_sql(
        """SELECT c.id, r.id FROM client c JOIN realm t ON t.id = c.realm_id JOIN keycloak_role r ON r.client = c.id
           WHERE t.name = 'panoramax' AND c.client_id = 'realm-management' AND r.name = 'realm-admin'""",
        database="keycloak",
    )
    user_id = opened.accounts.find(somebody.email)["id"]
    roles = [{"id": role_id, "name": "realm-admin"}]
    with pytest.raises(KeycloakError, match="answers 403"):
        opened.accounts.keycloak.call("POST", f"/users/{user_id}/role-mappings/clients/{client_id}", json=roles)
