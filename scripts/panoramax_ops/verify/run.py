"""Which checks there are, and in which order: what needs accounts comes between their making and their end."""

from __future__ import annotations

from panoramax_ops.verify import accounts, audit, features, inside, outside, pictures, proofs, realm, realm_audit
from panoramax_ops.verify.model import Stage, left_out

READ_ONLY = "left out by --read-only: it needs a picture"


def plan(*, read_only: bool) -> tuple[Stage, ...]:
    """The checks in their order. With `read_only`, nothing is uploaded."""
    at_rest = (*inside.CHECKS, *proofs.CHECKS, *outside.CHECKS, *realm.CHECKS, *realm_audit.CHECKS)
    return (
        Stage((*accounts.OPENING, audit.SERVED, *at_rest), side_by_side=True),
        Stage((*audit.CHECKS, *features.CHECKS), side_by_side=True),
        Stage(tuple(left_out(check, READ_ONLY) for check in pictures.CHECKS) if read_only else pictures.CHECKS),
        Stage(accounts.CLOSING),
    )
