"""What keeps several hosts from being one site: where things run, and how the hosts reach each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from panoramax_ops.preflight.hosts import GROUPS
from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import Settings, relative


def together_problems(groups: Mapping[str, Sequence[str]], hosts: Mapping[str, Settings]) -> Iterator[Problem]:
    """Sentences about hosts that carry one site; none where that is one host. `hosts` are the settings of each."""
    carrying = [host for host in hosts if any(host in groups.get(group, ()) for group in GROUPS)]
    if len(carrying) < 2:
        return
    first = hosts[carrying[0]]
    elsewhere = [host for host in groups.get("workers", ()) if host not in groups.get("app", ())]
    if elsewhere and groups.get("app"):
        yield Problem(
            relative(first.directory / "hosts.yml"),
            f"group workers has {', '.join(elsewhere)}, but the pictures lie on {', '.join(groups['app'])} (group app)",
            "name that host in group workers; what may run elsewhere is the blurring",
        )
    for host in carrying:
        if hosts[host].usable("site_internal_tls", bool) is False:
            yield hosts[host].problem("site_internal_tls", "between hosts the services must talk TLS: leave it out")
            break
    yield from _addresses({host: hosts[host] for host in carrying})
    yield from _networks(first)


def _addresses(hosts: Mapping[str, Settings]) -> Iterator[Problem]:
    owners: dict[ipaddress.IPv4Address, str] = {}
    for host, settings in hosts.items():
        try:
            address = ipaddress.IPv4Address(settings.text("site_host_address"))
        except ValueError:
            address = None
        if address is None or address.is_loopback or address.is_unspecified:
            remedy = f"give the IPv4 address by which the other hosts reach {host}"
            yield settings.problem("site_host_address", remedy)
        elif address in owners:
            yield settings.problem("site_host_address", f"{host} and {owners[address]} need an address each")
        else:
            owners[address] = host


def _networks(settings: Settings) -> Iterator[Problem]:
    taken: dict[str, ipaddress.IPv4Network] = {}
    pools = settings.usable("swarm_address_pool", list) or []
    wanted = [(name, settings.text(name)) for name in ("site_back_subnet", "site_access_subnet")]
    for name, text in [*wanted, *(("swarm_address_pool", str(pool)) for pool in pools)]:
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError:
            if name != "site_back_subnet":
                yield settings.problem(name, "give a private network that nothing else uses, e.g. 172.30.76.0/24")
            continue
        if name == "site_access_subnet" and network.prefixlen != 24:
            yield settings.problem(name, "give a private /24 network that nothing else uses, e.g. 172.30.76.0/24")
        for other, range_ in taken.items():
            if network.overlaps(range_):
                yield settings.problem(name, f"it shares addresses with {other} ({range_}): give it a range of its own")
        taken[name] = network
