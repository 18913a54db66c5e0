"""Who does the blurring: an engine of another make is on the site's internal network, or allowed to be outside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import Settings

BUILTIN, SGBLUR = "builtin", "sgblur"
_OUTSIDE = re.compile(r"https://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?")
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
    """Pictures that are not blurred yet go to a service of this inventory, or where the operator allows them to go."""
    value = settings.text("site_blurring_engine")
    if value == BUILTIN:
        return
    yield from _foreign_timeout(settings)
    if value == SGBLUR:
        return
    remedy = _remedy(settings, value)
    if remedy:
        yield settings.problem("site_blurring_engine", remedy)


def _remedy(settings: Settings, value: str) -> str:
    outside, host = _OUTSIDE.fullmatch(value), internal_host(value)
    if outside and 1 <= int(outside[2] or 443) <= 65535:
        if settings.usable("site_blurring_engine_outside", bool):
            return ""
        return (
            f"{outside[1]} is outside, and pictures that are not blurred yet must not leave the site; declare an engine"
            " in site_extra_services, or set site_blurring_engine_outside to true if that is meant (docs/blurring.md)"
        )
    if host is None:
        return "give builtin, sgblur, an engine of your own as http://NAME:PORT, or one outside as https://HOST"
    if host not in known_hosts(settings):
        return (
            f"{host} is no service of site_extra_services, and pictures that are not blurred yet must not leave"
            " the site; declare the engine there; one outside is reached by https:// only (docs/blurring.md)"
        )
    return ""


def _foreign_timeout(settings: Settings) -> Iterator[Problem]:
    taken, most = (settings.usable(name, int) for name in ("blurring_foreign_timeout", "blurring_picture_timeout"))
    if taken and most and taken >= most:
        yield settings.problem(
            "blurring_foreign_timeout", f"give less than blurring_picture_timeout ({most}), after which it restarts"
        )
