"""The holes of a stock Panoramax that this project closes: what each exposes, what closes it, an attack that shows it.

An attack returns what it got hold of, in a few words, or None. On a stock instance it must succeed, or the hole is not
real; on ours it must fail. `docs/security.md` shows the list; `table()` makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hole_kit import Kit

Attack = Callable[[Kit], str | None]


@dataclass(frozen=True)
class Hole:
    """One way in. `closed_by` and `second` name layers: what closes it, and what would still hold without that."""

    id: str
    title: str
    exposed: str
    closed_by: str
    second: str
    attack: Attack
    # Why a stock instance of the tests cannot show it, and where it was measured instead.
    ours_only: str = ""
    # What is still to be done, for a hole that is not closed yet.
    still_open: str = ""


HOLES: list[Hole] = []


def hole(
    identifier: str, title: str, *, exposed: str, closed_by: str, second: str, ours_only: str = "", still_open: str = ""
) -> Callable[[Attack], Attack]:
    """Enter an attack into the list."""

    def enter(attack: Attack) -> Attack:
        assert all(known.id != identifier for known in HOLES), identifier
        HOLES.append(Hole(identifier, title, exposed, closed_by, second, attack, ours_only, still_open))
        return attack

    return enter


def all_holes() -> list[Hole]:
    """All holes, in the order of their numbers."""
    import holes_identity  # noqa: F401
    import holes_pictures  # noqa: F401
    import holes_reads  # noqa: F401
    import holes_reports  # noqa: F401
    import holes_sessions  # noqa: F401
    import holes_writes  # noqa: F401

    return sorted(HOLES, key=lambda known: known.id)


def table() -> str:
    """The list as a table for the documentation."""
    lines = [
        "| | Hole of a stock instance | What it exposed | Closed by | Would still hold | Test |",
        "|---|---|---|---|---|---|",
    ]
    for known in all_holes():
        closed = f"**open**: {known.still_open}" if known.still_open else known.closed_by
        name = known.attack.__name__
        lines.append(
            f"| {known.id} | {known.title} | {known.exposed} | {closed} | {known.second} | `{known.id}-{name}` |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    # As the module that the attacks enter themselves into, not as a second copy of it.
    import holes

    print(holes.table())
