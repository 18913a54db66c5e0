"""Whether text can be read on a colour."""

from __future__ import annotations

import re

#: Least contrast of text to its background for ordinary text, WCAG 2.2, success criterion 1.4.3.
MINIMUM_CONTRAST = 4.5


def contrast_with_white(colour: str) -> float:
    """Contrast ratio, 1 to 21, of `#rrggbb` to white after WCAG 2.2 (relative luminance of sRGB)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def colour_problem(colour: str) -> str:
    """Why white text cannot stand on a colour, with the remedy; empty if it can."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return f"{colour!r} is not a colour; write it as '#rrggbb', in quotes"
    contrast = contrast_with_white(colour)
    if contrast < MINIMUM_CONTRAST:
        return (
            f"white text on {colour} has a contrast of {contrast:.1f} to 1, "
            f"{MINIMUM_CONTRAST} is needed to read it; choose a darker colour"
        )
    return ""
