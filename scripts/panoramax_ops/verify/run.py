"""Which checks there are, and in which order: what needs accounts comes between their making and their end."""

from __future__ import annotations

from panoramax_ops.verify import accounts, audit, inside, outside
from panoramax_ops.verify.model import Check


def plan(*, read_only: bool) -> tuple[Check, ...]:
    """The checks in their order. With `read_only`, nothing is uploaded."""
    checks = (
        *outside.CHECKS,
        *inside.CHECKS,
        *accounts.OPENING,
        *audit.CHECKS,
        *accounts.CLOSING,
    )
    return tuple(check for check in checks if not (read_only and check.uploads))
