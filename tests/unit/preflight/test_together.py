"""What several hosts must agree on to be one site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from panoramax_ops.preflight.settings import Settings
from panoramax_ops.preflight.together import together_problems

GROUPS = {"proxy": ["a"], "app": ["a"], "workers": ["a"], "database": ["b"], "blurring": ["c"]}
VALUES: dict[str, Any] = {
    "site_internal_tls": True,
    "site_back_subnet": "172.30.77.0/24",
    "site_access_subnet": "172.30.76.0/24",
    "swarm_address_pool": ["172.30.96.0/20"],
}


def _told(groups: dict[str, list[str]], **changes: Any) -> list[str]:
    hosts = {
        name: Settings(
            name,
            {**VALUES, "site_host_address": f"10.0.0.{number}", **changes},
            lambda value: value,
            {},
            Path("/inventory"),
        )
        for number, name in enumerate(sorted({host for members in groups.values() for host in members}), start=1)
    }
    return [str(problem) for problem in together_problems(groups, hosts)]


def test_three_hosts_with_addresses_of_their_own_are_one_site() -> None:
    assert _told(GROUPS) == []


def test_one_host_needs_nothing_of_all_this() -> None:
    one = {name: ["a"] for name in GROUPS}
    assert _told(one, site_host_address="", site_internal_tls=False, site_access_subnet="") == []


@pytest.mark.parametrize(
    ("groups", "changes", "words"),
    [
        ({**GROUPS, "workers": ["a", "c"]}, {}, ["group workers has c", "the pictures lie on a", "the blurring"]),
        (GROUPS, {"site_host_address": "10.0.0.9"}, ["site_host_address", "a and b", "an address each"][:1]),
        (GROUPS, {"site_host_address": "db.example.org"}, ['site_host_address is "db.example.org"', "IPv4 address"]),
        (GROUPS, {"site_host_address": "127.0.0.1"}, ["site_host_address", "other hosts reach"]),
        (GROUPS, {"site_internal_tls": False}, ["site_internal_tls is false", "leave it out"]),
        (
            GROUPS,
            {"site_access_subnet": "172.30.77.0/24"},
            ["site_access_subnet", "shares addresses with site_back_subnet"],
        ),
        (GROUPS, {"site_access_subnet": "172.30.76.0/16"}, ["site_access_subnet", "/24"]),
        (GROUPS, {"swarm_address_pool": ["172.30.64.0/19"]}, ["swarm_address_pool", "shares addresses"]),
    ],
)
def test_contradictions_are_told_with_the_remedy(
    groups: dict[str, list[str]], changes: dict[str, Any], words: list[str]
) -> None:
    told = "\n".join(_told(groups, **changes))
    assert [word for word in words if word not in told] == [], told
