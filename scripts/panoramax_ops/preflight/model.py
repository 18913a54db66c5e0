"""One thing that is wrong with an inventory, as an operator reads it: place, setting, value, remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """A reason to refuse.

    Attributes:
        place: file and line where the value stands, or the inventory's directory where nothing says it.
        what: the setting with its value, or what else is wrong, as the beginning of a sentence.
        remedy: what to do, in the imperative.
        hosts: for whom; empty where it is wrong for all.
    """

    place: str
    what: str
    remedy: str
    hosts: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        """One line."""
        who = f" (for {', '.join(self.hosts)})" if self.hosts else ""
        return f"{self.place}: {self.what}{who}: {self.remedy}"


def merged(found: Iterable[tuple[str, Problem]], hosts: Iterable[str]) -> list[Problem]:
    """Each problem once, with the hosts that have it, where these are not all."""
    everyone = set(hosts)
    affected: dict[Problem, list[str]] = {}
    for host, problem in found:
        affected.setdefault(problem, []).append(host)
    return [
        problem if set(names) == everyone else Problem(problem.place, problem.what, problem.remedy, tuple(names))
        for problem, names in affected.items()
    ]
