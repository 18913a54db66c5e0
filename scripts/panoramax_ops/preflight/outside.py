"""The operator's own services that the proxy asks, and the map that people see behind the pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from panoramax_ops.map_style import KNOWN_LAYERS
from panoramax_ops.pmtiles import PmtilesError, read_pmtiles
from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import Settings

_HOST = r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?"
# Nothing that nginx would read as anything but an address; each placeholder is looked for on its own.
_TEMPLATE = re.compile(_HOST + r"(?:/(?:[A-Za-z0-9._~@-]|\{[xyz]\})+)+(?:\?[A-Za-z0-9._~=&-]+)?")
_ADDRESS = re.compile(_HOST + r"(?:/[A-Za-z0-9._~-]+)*")
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".pbf", ".mvt")


def map_problem(value: str) -> str:
    """What to do about `site_map_tiles`; empty if it can be used."""
    if not value:
        return ""
    if "://" in value:
        return _problem_of_address(value)
    if not Path(value).is_absolute():
        return "give the whole path of a PMTiles file on the controller, or an address with {z}, {x} and {y}"
    try:
        found = read_pmtiles(Path(value))
    except PmtilesError as error:
        return f"{error}; name a PMTiles file on the controller"
    if found.kind == "vector" and not KNOWN_LAYERS & set(found.layers):
        return (
            f"its layers are {', '.join(found.layers) or 'not named'}; "
            "tiles in the schema of OpenMapTiles, Protomaps or Shortbread can be drawn, or pictures"
        )
    return ""


def _problem_of_address(value: str) -> str:
    if any(value.count(place) != 1 for place in ("{z}", "{x}", "{y}")) or not _TEMPLATE.fullmatch(value):
        return (
            "give an address of map tiles like https://tiles.example.org/{z}/{x}/{y}.png, each of {z}, {x} and {y} once"
        )
    if not value.partition("?")[0].endswith(_ENDINGS):
        return f"the address has to end with one of {' '.join(_ENDINGS)}, which says what the tiles are"
    return ""


def outside(settings: Settings) -> Iterator[Problem]:
    """Address search, map tiles, and the authority that signed for them."""
    geocoder = settings.text("site_geocoder")
    if geocoder and not _ADDRESS.fullmatch(geocoder):
        yield settings.problem(
            "site_geocoder",
            "give the address of a geocoder of your own that speaks Nominatim's interface, "
            "as https://HOST or https://HOST:PORT/PATH, without a slash at the end",
        )
    if problem := map_problem(settings.text("site_map_tiles")):
        yield settings.problem("site_map_tiles", problem)
    if (file := settings.text("site_outside_authority_file")) and not _holds_certificates(Path(file)):
        yield settings.problem(
            "site_outside_authority_file", "name a file on the controller with certificates in PEM form"
        )


def _holds_certificates(file: Path) -> bool:
    try:
        return "-----BEGIN CERTIFICATE-----" in file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return False
