"""Filter of role `proxy`: the policy file as nginx's rules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

# The code is shared with the scripts beside the roles; at the end of the path, where it hides nothing of others.
sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts"))

from panoramax_ops.policy import load_policy, with_services
from panoramax_ops.policy_nginx import render


def proxy_gate(
    policy_file: str, realm: str, options: Iterable[str] = (), services: Iterable[Mapping[str, str]] = ()
) -> str:
    """nginx's maps for a policy file; raises `PolicyError`, which names the entry that cannot be used."""
    policy = with_services(load_policy(Path(policy_file)), services)
    return render(policy, str(realm), [str(option) for option in options])


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Names of the filters."""
        return {"proxy_gate": proxy_gate}
