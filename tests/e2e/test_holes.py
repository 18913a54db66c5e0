"""The same attacks on a stock Panoramax, where they succeed, and on ours, where they fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import docker
import httpx
import pytest

import stock as stock_instance
from conftest import Site
from hole_kit import Kit, Person, checked
from holes import Hole, all_holes
from our_people import ours
from stock import Stock

pytestmark = pytest.mark.e2e

HOLES = all_holes()
__all__ = ["ours"]


@dataclass
class StockPeople:
    """People of the stock instance. Its identity provider has no way to tell the API that somebody was disabled."""

    stock: Stock

    def make(self, name: str, role: str = "user") -> Person:
        """A new person."""
        account = self.stock.account(name, role)
        return Person(account, name, self.stock.browser(account), self.stock.bearer(account))

    def disable(self, person: Person) -> None:
        """Nothing: the API never asks."""

    def anonymous(self) -> httpx.Client:
        """A client that nobody signed in."""
        return self.stock.client()


@pytest.fixture(scope="module")
def stock(site: Site, engine: docker.DockerClient) -> Iterator[Kit]:
    """A stock instance with pictures of Alice's."""
    with stock_instance.running(engine, site.project) as running:
        people = StockPeople(running)
        kit = Kit(
            "stock",
            people,
            running.sql,
            running.on_file,
            alice=people.make("alice"),
            bob=people.make("bob"),
            ada=people.make("ada", "admin"),
            mis_set=running.client(running.careless_url),
            direct=running.client(running.direct_url),
        )
        kit.set_the_scene()
        yield kit


def _parameters(*, on_stock: bool) -> list[object]:
    chosen = [hole for hole in HOLES if not (on_stock and hole.ours_only)]
    return [
        pytest.param(
            hole,
            id=f"{hole.id}-{hole.attack.__name__}",
            marks=[pytest.mark.xfail(strict=True, reason=hole.still_open)] if hole.still_open and not on_stock else [],
        )
        for hole in chosen
    ]


@pytest.mark.parametrize("hole", _parameters(on_stock=True))
def test_it_is_open_on_a_stock_instance(stock: Kit, hole: Hole) -> None:
    assert hole.attack(stock) is not None, f"{hole.id}: {hole.title}: the attack shows nothing"


@pytest.mark.parametrize("hole", _parameters(on_stock=False))
def test_it_is_closed_on_ours(ours: Kit, hole: Hole) -> None:
    assert hole.attack(ours) is None, f"{hole.id}: {hole.title}"


def test_a_withdrawn_report_does_not_show_again_and_the_owner_can(ours: Kit) -> None:
    picture = ours.victim()
    made = checked(ours.report(ours.bob.token, issue="privacy", picture_id=picture.id)).json()["id"]
    assert ours.alice.token.get(picture.item).status_code == 200
    assert ours.ada.token.get(picture.item).status_code == 200
    checked(ours.bob.token.patch(f"/api/reports/{made}", json={"status": "closed_solved"}))
    assert ours.bob.token.get(picture.item).status_code == 404
    checked(ours.alice.token.patch(picture.item, json={"visibility": "logged-only"}))
    assert ours.bob.token.get(picture.item).status_code == 200


def test_the_limit_of_reports_says_what_to_do(ours: Kit) -> None:
    picture = ours.victim()
    ours.sql(
        "INSERT INTO reports (issue, reporter_account_id, picture_id)"
        f" SELECT 'other', '{ours.ada.id}', '{picture.id}' FROM generate_series(1, 30);"
        f" UPDATE reports SET reporter_account_id = '{ours.bob.id}' WHERE picture_id = '{picture.id}'"
    )
    answer = ours.report(ours.bob.token, issue="other", picture_id=ours.victim().id)
    ours.sql(f"DELETE FROM reports WHERE reporter_account_id = '{ours.bob.id}'")
    assert answer.status_code == 429
    assert answer.json()["message"].startswith("You have made 30 reports within an hour. Please wait")
