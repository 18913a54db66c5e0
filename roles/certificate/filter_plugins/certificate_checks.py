"""Filter of role `certificate`: what speaks against a certificate. Reads files of the controller."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

# The code is shared with the scripts beside the roles; at the end of the path, where it hides nothing of others.
sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts"))

from panoramax_ops.certificates import problems


def certificate_problems(
    certificate: str, key: str, domain: str, days: int = 0, issuer: str = "", authority: str = ""
) -> list[str]:
    """Sentences for an operator, none if the certificate will do; see `panoramax_ops.certificates.problems`."""
    return problems(
        Path(certificate),
        Path(key),
        str(domain),
        days=int(days),
        issuer_file=Path(issuer) if issuer else None,
        authority_file=Path(authority) if authority else None,
    )


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Names of the filters."""
        return {"certificate_problems": certificate_problems}
