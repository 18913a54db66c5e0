"""Who is demoted, disabled or deleted loses what goes with it within two seconds, on open connections too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from conftest import Person, Site, _signed_in
from signing_in import client

pytestmark = pytest.mark.e2e

# From the end of the operator's command; what was asked for before then may still be answered.
WITHIN = 2.0


@dataclass
class Prober:
    """Asks for one thing again and again, on one connection, and notes when it was given for the last time."""

    session: httpx.Client
    path: str
    given: float = 0.0
    refused: float = 0.0
    statuses: set[int] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Ask until told to stop."""
        while not stop.is_set():
            asked = time.monotonic()
            answer = self.session.get(self.path)
            self.statuses.add(answer.status_code)
            if answer.status_code == 200:
                self.given = asked
            elif not self.refused:
                self.refused = asked
            stop.wait(0.05)


@pytest.fixture
def person(new_person: Callable[..., Person]) -> Person:
    """Somebody who is to go, an administrator at first."""
    return new_person("Dana Departing", role="admin")


@pytest.fixture
def held(site: Site, person: Person) -> Iterator[Callable[[], httpx.Client]]:
    """What the person holds: clients with the same cookie, or the same token, by turns, each with a connection."""
    made = [_signed_in(site, person)]
    browser = made[0]
    [first, *_] = browser.get("/api/users/me/tokens").json()
    jwt = browser.get(f"/api/users/me/tokens/{first['id']}").json()["jwt_token"]

    def more() -> httpx.Client:
        session = client(site.url, site.ca)
        if len(made) % 2:
            session.headers["Authorization"] = f"Bearer {jwt}"
        else:
            session.cookies.update(browser.cookies)
        made.append(session)
        return session

    yield more
    for session in made:
        session.close()


def _lost_by(probers: list[Prober], command: Callable[[], object]) -> float:
    """Run the command while they ask; how long after its end the last of them still got something."""
    stop = threading.Event()
    threads = [threading.Thread(target=prober.run, args=(stop,)) for prober in probers]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    command()
    ended = time.monotonic()
    time.sleep(WITHIN)
    stop.set()
    for thread in threads:
        thread.join()
    for prober in probers:
        assert prober.given, f"{prober.path} was never given: {prober.statuses}"
        assert prober.refused, f"{prober.path} is still given: {prober.statuses}"
        assert prober.statuses <= {200, 401, 403, 404}, prober
        assert prober.given < prober.refused, f"{prober.path} was given again after it was refused"
    return max(prober.given for prober in probers) - ended


def test_it_is_lost_within_two_seconds(
    site: Site,
    person: Person,
    held: Callable[[], httpx.Client],
    user: httpx.Client,
    record_property: Callable[[str, object], None],
) -> None:
    # Of somebody else, and for nobody but administrators.
    made = user.post("/api/upload_sets", json={"title": "x", "visibility": "owner-only"}).json()["id"]
    hidden = f"/api/upload_sets/{made}"

    def asking(*paths: str) -> list[Prober]:
        return [Prober(held(), path) for path in paths for _ in ("cookie", "token")]

    try:
        demoted = _lost_by(
            asking("/api/admin/stats", hidden),
            lambda: site.run("accounts.py", "set-role", person.email, "user"),
        )
        everything = asking("/api/users/me", "/api/collections", "/api/search?limit=1")
        disabled = _lost_by(everything, lambda: site.run("accounts.py", "disable", person.email))
        site.run("accounts.py", "enable", person.email)
        # Its tokens are gone for good; its cookies are not.
        cookies = [Prober(prober.session, prober.path) for prober in everything if prober.session.cookies]
        deleted = _lost_by(
            cookies, lambda: site.run("accounts.py", "delete", person.email, "--pictures", "delete", "--yes")
        )
    finally:
        user.delete(hidden)
    for what, late in (("demoted", demoted), ("disabled", disabled), ("deleted", deleted)):
        record_property(f"{what}: last answer, seconds after the command", round(late, 2))
        assert late < WITHIN, f"{what}: something was still given {late:.1f} s after the command"


def test_pictures_are_kept_by_no_cache(user: httpx.Client) -> None:
    answer = user.get("/api/pictures/00000000-0000-4000-8000-000000000001/thumb.jpg")
    assert answer.headers["cache-control"] == "private, no-store"
