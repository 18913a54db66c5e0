"""Sign in as a person does: the tests use what the verifier uses."""

from __future__ import annotations

from panoramax_ops.signing_in import SignInError, client, sign_in

__all__ = ["SignInError", "client", "sign_in"]
