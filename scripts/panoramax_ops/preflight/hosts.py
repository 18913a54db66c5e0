"""The hosts of an inventory and the groups that they are in."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import relative

# What each group of hosts carries, and whether it may have more than one host.
GROUPS = {
    "proxy": ("the proxy", False),
    "app": ("API, Keycloak and website", False),
    "workers": ("the workers", True),
    "blurring": ("the blurring", True),
    "database": ("the database", False),
}
# These are Ansible's own.
_OWN = ("all", "ungrouped")


def host_problems(groups: Mapping[str, Sequence[str]], directory: Path) -> Iterator[Problem]:
    """Groups without a host, with too many, or of a name that is nearly one of ours; hosts that carry nothing."""
    place = relative(directory / "hosts.yml")
    for group, (what, several) in GROUPS.items():
        hosts = groups.get(group, ())
        if not hosts:
            remedy = f"name one under children, {group}; it carries {what} (one host may be in all groups)"
            yield Problem(place, f"group {group} has no host", remedy)
        elif len(hosts) > 1 and not several:
            remedy = f"keep one of them, a site has {what} once"
            yield Problem(place, f"group {group} has {len(hosts)} hosts, {', '.join(hosts)}", remedy)
    for group in groups:
        near = difflib.get_close_matches(group, GROUPS, n=1, cutoff=0.75)
        if group not in GROUPS and group not in _OWN and near:
            yield Problem(place, f"group {group} is not one of the site's", f"did you mean {near[0]}?")
    carrying = {host for group in GROUPS for host in groups.get(group, ())}
    for host in groups.get("all", ()):
        if host not in carrying:
            remedy = f"put it into one of {', '.join(GROUPS)}, or remove it"
            yield Problem(place, f"host {host} is in no group of the site", remedy)
