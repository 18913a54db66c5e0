"""Filters of role `blurring`: one declaration, several instances of it; detectors as their service reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def blurring_instance(name: str, service: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """The service under that name, at its fixed address on the back network if it has one."""
    network = {"name": "back", "address": addresses[name]} if name in addresses else "back"
    return {**service, "name": name, "networks": [network]}


def blurring_without(entry: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The mapping without some of its keys."""
    left_out = set(keys)
    return {key: value for key, value in entry.items() if key not in left_out}


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names of the filters."""
        return {"blurring_instance": blurring_instance, "blurring_without": blurring_without}
