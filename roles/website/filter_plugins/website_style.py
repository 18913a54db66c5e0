"""Filter of role `website`: the operator's colour as a style sheet."""

from __future__ import annotations

import re
from collections.abc import Callable

#: Least contrast of text to its background for ordinary text, WCAG 2.2, success criterion 1.4.3.
MINIMUM_CONTRAST = 4.5


class WebsiteColourError(ValueError):
    """The colour cannot be used."""


def contrast_with_white(colour: str) -> float:
    """Contrast ratio, 1 to 21, of `#rrggbb` to white after WCAG 2.2 (relative luminance of sRGB)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def website_style(colour: str) -> str:
    """Style sheet that sets the site's colour.

    Raises WebsiteColourError, naming variable and remedy, if it is not `#rrggbb` or too light for white text.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise WebsiteColourError(f"website_colour: {colour!r} is not a colour; write it as '#rrggbb', in quotes")
    contrast = contrast_with_white(colour)
    if contrast < MINIMUM_CONTRAST:
        raise WebsiteColourError(
            f"website_colour: white text on {colour} has a contrast of {contrast:.1f} to 1, "
            f"{MINIMUM_CONTRAST} is needed to read it; choose a darker colour"
        )
    return f":root {{ --brand: {colour.lower()}; }}\n"


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Names of the filters."""
        return {"website_style": website_style}
