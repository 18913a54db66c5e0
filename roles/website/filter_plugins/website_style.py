"""Filter of role `website`: the operator's colour as a style sheet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

# The code is shared with the scripts beside the roles; at the end of the path, where it hides nothing of others.
sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts"))

from panoramax_ops.colours import colour_problem


class WebsiteColourError(ValueError):
    """The colour cannot be used."""


def website_style(colour: str) -> str:
    """Style sheet that sets the site's colour.

    Raises WebsiteColourError, naming variable and remedy, if it is not `#rrggbb` or too light for white text.
    """
    if problem := colour_problem(colour):
        raise WebsiteColourError(f"website_colour: {problem}")
    return f":root {{ --brand: {colour.lower()}; }}\n"


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Names of the filters."""
        return {"website_style": website_style}
