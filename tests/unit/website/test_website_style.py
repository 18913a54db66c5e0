"""The operator's colour: refused by name when it cannot be read, else one line of style."""

from __future__ import annotations

import pytest

from panoramax_ops.colours import contrast_with_white
from website_style import WebsiteColourError, website_style


@pytest.mark.parametrize(("colour", "ratio"), [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54)])
def test_contrast_is_that_of_wcag(colour: str, ratio: float) -> None:
    assert contrast_with_white(colour) == pytest.approx(ratio, abs=0.01)


def test_colour_becomes_a_style_sheet() -> None:
    assert website_style("#1C5FD4") == ":root { --brand: #1c5fd4; }\n"


@pytest.mark.parametrize("colour", ["", "blue", "#12345", "#1234567", "1c5fd4", "#1c5fd4; } body { display: none"])
def test_anything_else_is_refused(colour: str) -> None:
    with pytest.raises(WebsiteColourError, match="website_colour"):
        website_style(colour)


def test_light_colour_is_refused_with_its_contrast() -> None:
    with pytest.raises(WebsiteColourError, match=r"1\.1 to 1.*darker"):
        website_style("#ffff00")
