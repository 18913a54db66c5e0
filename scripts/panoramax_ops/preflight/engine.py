"""Who does the blurring: an engine of another make must run on the site's own internal network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import Settings

BUILTIN = "builtin"
_ADDRESS = re.compile(r"http://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):([0-9]{1,5})")


def internal_host(value: str) -> str | None:
    """Host of an address like http://NAME:PORT; None for anything else."""
    address = _ADDRESS.fullmatch(value)
    return address[1] if address and 1 <= int(address[2]) <= 65535 else None


def known_hosts(settings: Settings) -> set[str]:
    """Names of the services that the inventory declares."""
    services = settings.usable("site_extra_services", list) or []
    known = {str(service.get(key) or "").partition(":")[0] for service in services for key in ("role", "address")}
    return known - {""}


def engine(settings: Settings) -> Iterator[Problem]:
    """Pictures that are not blurred yet go to no other place than to a service of this inventory."""
    value = settings.text("site_blurring_engine")
    if value == BUILTIN:
        return
    host = internal_host(value)
    if host is None:
        yield settings.problem("site_blurring_engine", "give builtin, or an engine of your own as http://NAME:PORT")
        return
    if host not in known_hosts(settings):
        yield settings.problem(
            "site_blurring_engine",
            f"{host} is no service of site_extra_services, and pictures that are not blurred yet must not leave"
            " the site; declare the engine there (docs/blurring.md)",
        )
    taken, most = (settings.usable(name, int) for name in ("blurring_foreign_timeout", "blurring_picture_timeout"))
    if taken and most and taken >= most:
        yield settings.problem(
            "blurring_foreign_timeout", f"give less than blurring_picture_timeout ({most}), after which it restarts"
        )
