"""Filter of role `blurring`: one declaration, several instances of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def blurring_instance(name: str, service: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """The service under that name, at its fixed address on the back network if it has one."""
    network = {"name": "back", "address": addresses[name]} if name in addresses else "back"
    return {**service, "name": name, "networks": [network]}


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names of the filters."""
        return {"blurring_instance": blurring_instance}
