"""What the launcher withholds from answers of the API."""

from __future__ import annotations

from typing import Any

from launcher import privacy

MINE, OTHERS = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-000000000000"


def answering(*known: str) -> privacy.Ask:
    """A database that knows these identifiers."""

    def ask(_statement: str, parameters: dict[str, Any]) -> list[Any]:
        return [(one,) for one in parameters["ids"] if one in known]

    return ask


def test_neighbours_that_one_may_not_see_are_left_out() -> None:
    links = [{"rel": "self"}, {"rel": "related", "id": MINE}, {"rel": "related", "id": OTHERS}]
    assert privacy.only_visible(links, "a", answering(MINE)) == links[:2]


def test_without_neighbours_the_database_is_not_asked() -> None:
    def never(_statement: str, _parameters: dict[str, Any]) -> list[Any]:
        raise AssertionError("asked")

    assert privacy.only_visible([{"rel": "self"}], None, never) == [{"rel": "self"}]


def test_clashes_name_only_own_uploads_and_stay_clashes() -> None:
    entries = [
        {"existing_item_id": "x", "upload_set_id": MINE},
        {"existing_item_id": "y", "upload_set_id": OTHERS},
        {"existing_item_id": "z", "upload_set_id": None},
    ]
    body = {"message": "twice", "upload_sets": entries}
    assert privacy.only_own(body, "a", answering(MINE)) == {"message": "twice", "upload_sets": entries[:1]}
    assert privacy.only_own(body, None, answering())["upload_sets"] == []


def test_a_cookie_is_known_whatever_the_spelling_of_its_signature() -> None:
    assert privacy.digest("body.time.signature") == privacy.digest("body.time.signaturf")
    assert privacy.digest("body.time.signature") != privacy.digest("body.later.signature")
