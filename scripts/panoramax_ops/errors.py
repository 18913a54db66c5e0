"""How the scripts say that something is wrong: what, where, and what to do about it."""

from __future__ import annotations


class OpsError(Exception):
    """Something that a person can mend. The message names value and place, `remedy` what to do."""

    exit_code = 2

    def __init__(self, message: str, remedy: str = "") -> None:
        """`remedy` is a sentence in the imperative, or a command."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class RefusedError(OpsError):
    """The request is not acceptable, or there is a finding; nothing was changed. Exit code 1."""

    exit_code = 1


class UnableError(OpsError):
    """The request could not be carried out (something is down, missing or not configured). Exit code 2."""
