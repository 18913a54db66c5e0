"""Filter of role `website`: the style of the map's background where the operator has tiles of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The code is shared with the scripts beside the roles; at the end of the path, where it hides nothing of others.
sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts"))

from panoramax_ops.map_style import own_style
from panoramax_ops.pmtiles import PmtilesError, read_pmtiles

_RASTER = (".png", ".jpg", ".jpeg", ".webp")
_MAX_ZOOM = 19


class WebsiteMapError(ValueError):
    """The file cannot be used."""


def website_map_style(public_url: str, file: str, tiles_url: str, attribution: str) -> dict[str, Any]:
    """MapLibre style for a PMTiles `file` on the controller, else for tiles of another server at `tiles_url`.

    Browsers get both from the site itself at `public_url`. Raises WebsiteMapError, naming the variable, if the file is
    none that they can show.
    """
    source: dict[str, Any] = {"attribution": attribution} if attribution else {}
    if not file:
        raster = tiles_url.partition("?")[0].lower().endswith(_RASTER)
        tiles = {"tiles": [f"{public_url}/map/tiles/{{z}}/{{x}}/{{y}}"], "maxzoom": _MAX_ZOOM if raster else 14}
        kind = {"type": "raster", "tileSize": 256} if raster else {"type": "vector"}
        return own_style({**source, **kind, **tiles})
    try:
        found = read_pmtiles(Path(file))
    except PmtilesError as error:
        raise WebsiteMapError(f"website_map_file: {file}: {error}") from error
    kind = {"type": "raster", "tileSize": 256} if found.kind == "raster" else {"type": "vector"}
    return own_style({**source, **kind, "url": f"pmtiles://{public_url}/map/own/background.pmtiles"}, found.layers)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Names of the filters."""
        return {"website_map_style": website_map_style}
