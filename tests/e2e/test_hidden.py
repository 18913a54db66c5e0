"""What is hidden, reported or not blurred yet is gone for others, at once and wherever one may read."""

from __future__ import annotations

import pytest

from hidden_reads import Read, of_picture, of_sequence, ways_to_hide
from hole_kit import Kit, checked
from our_people import ours

pytestmark = pytest.mark.e2e
__all__ = ["ours"]


def test_what_is_hidden_is_gone_for_others_at_once_and_everywhere(ours: Kit) -> None:
    """Each way to hide a picture or sequence, against each way to read about it; what shows it again is the control."""
    picture = ours.victim()
    # A line on the map, to be seen from far above.
    ours.add_picture(picture, 0.0006, number=20)
    about_picture = of_picture(picture, ours.seen)
    about_sequence = of_sequence(ours.alice.id, picture, ours.seen)
    everything = about_picture | about_sequence
    sessions = {"token": ours.bob.token, "cookie": ours.bob.browser}

    def shown(reads: dict[str, Read], how: str) -> list[str]:
        return [name for name, read in reads.items() if read(sessions[how])]

    assert sorted(set(everything) - set(shown(everything, "token"))) == [], "not even shown before"
    for name, (what, hide, show) in ways_to_hide(ours, [picture, ours.seen]).items():
        concerned = about_picture if what == "picture" else everything
        hide()
        try:
            for how in sessions:
                assert shown(concerned, how) == [], f"{name}: still shown, by {how}"
        finally:
            show()
        assert sorted(set(concerned) - set(shown(concerned, "token"))) == [], f"{name}: not shown again"
    checked(ours.alice.token.delete(f"/api/collections/{picture.sequence}"))
    gone = {
        name: read for name, read in everything.items() if ours.seen.id not in name and ours.seen.sequence not in name
    }
    assert shown(gone, "token") == []
