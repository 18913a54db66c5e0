"""The kit of an attack for the deployed site: its people and pictures, made and disabled as an operator does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import docker
import httpx
import pytest

from conftest import Person as Account
from conftest import Site, _signed_in
from hole_kit import Kit, Person
from signing_in import client


@dataclass
class OurPeople:
    """People of the deployed site, made and disabled by the operator's script, signed in as people are."""

    site: Site
    new_person: Callable[..., Account]

    def make(self, name: str, role: str = "user") -> Person:
        """A new person."""
        account = self.new_person(name, role)
        person = self.person(_signed_in(self.site, account))
        self._emails[person.id] = account.email
        return person

    def __post_init__(self) -> None:
        self._emails: dict[str, str] = {}

    def person(self, browser: httpx.Client) -> Person:
        """The person who is signed in there, with the token that every account has."""
        me = browser.get("/api/users/me").json()
        [first, *_] = browser.get("/api/users/me/tokens").json()
        jwt = browser.get(f"/api/users/me/tokens/{first['id']}").json()["jwt_token"]
        token = self.anonymous()
        token.headers["Authorization"] = f"Bearer {jwt}"
        return Person(me["id"], me["name"], browser, token)

    def disable(self, person: Person) -> None:
        """As an operator does."""
        done = self.site.run("accounts.py", "disable", self._emails[person.id], check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def anonymous(self) -> httpx.Client:
        """A client that nobody signed in."""
        return client(self.site.url, self.site.ca)


@pytest.fixture(scope="module")
def ours(
    site: Site,
    new_person: Callable[..., Account],
    user: httpx.Client,
    other_user: httpx.Client,
    admin: httpx.Client,
    engine: docker.DockerClient,
    database_sql: Callable[..., list[list[str]]],
) -> Iterator[Kit]:
    """The deployed site with pictures of Alice's."""
    people = OurPeople(site, new_person)

    def on_file(path: str, command: list[str]) -> bool:
        api = engine.containers.get(f"{site.project}-api")
        return api.exec_run([*command, f"/data/geovisio/{path}"])[0] == 0

    kit = Kit(
        "ours",
        people,
        database_sql,
        on_file,
        alice=people.person(user),
        bob=people.person(other_user),
        ada=people.person(admin),
    )
    kit.set_the_scene()
    yield kit
    kit.clear()
