"""The policy as tables for people: the part of `docs/security.md` between two markers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from panoramax_ops.policy import Policy, PolicyError, Rule

BEGIN: Final = "<!-- policy: made by scripts/policy.py docs, do not edit -->"
END: Final = "<!-- end of policy -->"
HEADINGS: Final = {"api": "API", "identity": "Identity pages (Keycloak)", "website": "Website"}
WHO: Final = {
    "anonymous": "anonymous",
    "signed_in": "signed in",
    "owner": "owner",
    "administrator": "administrator",
    "nobody": "**nobody**",
}


def _remarks(rule: Rule) -> Iterator[str]:
    if rule.queries:
        yield "query: " + ", ".join(query.name for query in rule.queries)
    if rule.limit:
        yield f"limited: {rule.limit}"
    if rule.option:
        yield f"only with the option {rule.option}"


def tables(policy: Policy) -> str:
    """Markdown: what may be called by whom, and the rules on queries."""
    lines = [
        BEGIN,
        "",
        f"Routes of geovisio {policy.version}. GET includes HEAD; what is not named here is denied.",
        "",
    ]
    for section, heading in HEADINGS.items():
        lines += [f"### {heading}", "", "| Methods | Path | Who | Why |", "|---|---|---|---|"]
        for rule in (rule for rule in policy.rules if rule.section == section):
            why = "; ".join([rule.why, *_remarks(rule)])
            lines.append(f"| {' '.join(rule.methods)} | `{rule.path}` | {WHO[rule.who.value]} | {why} |")
        lines.append("")
    lines += ["### Queries", "", "| Rule | Why |", "|---|---|"]
    lines += [f"| {query.name} | {query.why} |" for query in policy.queries.values()]
    return "\n".join([*lines, "", END])


def with_tables(document: str, policy: Policy) -> str:
    """A document with the tables between its markers brought up to date.

    Raises:
        PolicyError: the markers are not there.
    """
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise PolicyError(f"the document needs the lines {BEGIN!r} and {END!r}, between which the tables go")
    return head + tables(policy) + tail


def update(document: Path, policy: Policy, *, write: bool = True) -> bool:
    """Bring a file up to date; returns whether it was not. `write` false only looks.

    Raises:
        PolicyError: as `with_tables`, or the file cannot be read.
    """
    try:
        old = document.read_text(encoding="utf-8")
        new = with_tables(old, policy)
    except (OSError, PolicyError) as error:
        raise PolicyError(f"{document}: {error}") from error
    if write and new != old:
        document.write_text(new, encoding="utf-8")
    return new != old
