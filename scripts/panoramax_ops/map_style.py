"""The style of the map's background: the plain one of the website, and over it what the operator's own tiles show.

Three usual schemas of vector tiles are drawn: OpenMapTiles, Protomaps and Shortbread, whose layers have different names
for the same things. Names of places are not drawn: MapLibre needs glyph files for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

WATER, LAND, GREEN, BUILT = "#cfdde6", "#f4f3ee", "#e3ebd6", "#ddd8d0"
_ROAD_WIDTH = ["interpolate", ["exponential", 1.5], ["zoom"], 6, 0.4, 12, 1.2, 16, 6, 20, 40]

# Names of source layers in the order in which they are drawn, and how.
_AREAS = (
    ("earth", LAND),
    ("land", GREEN),
    ("landcover", GREEN),
    ("landuse", "#ebeee2"),
    ("park", GREEN),
    ("ocean", WATER),
    ("water", WATER),
    ("water_polygons", WATER),
    ("building", BUILT),
    ("buildings", BUILT),
)
_LINES = (
    ("waterway", "#b9cfdc", 1),
    ("water_lines", "#b9cfdc", 1),
    ("transportation", "#c9c4bb", _ROAD_WIDTH),
    ("roads", "#c9c4bb", _ROAD_WIDTH),
    ("streets", "#c9c4bb", _ROAD_WIDTH),
    ("boundary", "#b3a9b8", 1),
    ("boundaries", "#b3a9b8", 1),
)
KNOWN_LAYERS = frozenset(name for name, *_ in (*_AREAS, *_LINES))
PLAIN: dict[str, Any] = {
    "version": 8,
    "name": "own",
    "sources": {"countries": {"type": "geojson", "data": "/map/countries.json", "attribution": "Natural Earth"}},
    "layers": [
        {"id": "background", "type": "background", "paint": {"background-color": WATER}},
        {
            "id": "land",
            "type": "fill",
            "source": "countries",
            "filter": ["==", ["geometry-type"], "Polygon"],
            "paint": {"fill-color": LAND, "fill-antialias": False},
        },
    ],
}


def own_style(source: dict[str, Any], layers: Iterable[str] = ()) -> dict[str, Any]:
    """A MapLibre style with the tiles of `source` (type, url or tiles) over the plain background.

    `layers` are the source layers that vector tiles have; without any, all known ones are drawn.
    """
    present = set(layers) or KNOWN_LAYERS
    drawn = [{"id": "own", "type": "raster", "source": "own"}] if source["type"] == "raster" else _vector(present)
    return {**PLAIN, "sources": {**PLAIN["sources"], "own": source}, "layers": [*PLAIN["layers"], *drawn]}


def _vector(present: Iterable[str]) -> list[dict[str, Any]]:
    common = {"source": "own", "minzoom": 4}
    areas = [
        {
            **common,
            "id": f"own-{name}",
            "type": "fill",
            "source-layer": name,
            "filter": ["==", ["geometry-type"], "Polygon"],
            "paint": {"fill-color": colour},
        }
        for name, colour in _AREAS
        if name in present
    ]
    lines = [
        {
            **common,
            "id": f"own-{name}",
            "type": "line",
            "source-layer": name,
            "filter": ["==", ["geometry-type"], "LineString"],
            "layout": {"line-cap": "round", "line-join": "round"},
            "paint": {"line-color": colour, "line-width": width},
        }
        for name, colour, width in _LINES
        if name in present
    ]
    return areas + lines
