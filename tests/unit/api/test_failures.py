"""What an administrator asks to have tried again."""

from __future__ import annotations

import pytest
from launcher import failures

PICTURE = "11111111-2222-4333-8444-555555555555"


def test_pictures_are_named_or_all_of_them() -> None:
    assert failures.read_wish({"pictures": [PICTURE.upper()]}) == [PICTURE]
    assert failures.read_wish({"pictures": "all"}) is None


@pytest.mark.parametrize(
    "body", [None, [], {}, {"pictures": []}, {"pictures": PICTURE}, {"pictures": ["x"]}, {"pictures": [None]}]
)
def test_what_names_nothing_is_refused(body: object) -> None:
    with pytest.raises(failures.WishError):
        failures.read_wish(body)
