"""What a PMTiles file says about itself (specification version 3, https://github.com/protomaps/PMTiles).

Only header and metadata are read, a few kilobytes, however large the file is.
"""

from __future__ import annotations

import gzip
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HEADER_BYTES = 127
_NO_COMPRESSION, _GZIP = 1, 2
_KINDS = {1: "vector", 2: "raster", 3: "raster", 4: "raster"}


class PmtilesError(ValueError):
    """The file cannot be used as a background map; the text says why."""


@dataclass(frozen=True)
class Pmtiles:
    """`kind` is vector or raster; zooms as in web maps; `layers` names the source layers of vector tiles."""

    kind: str
    min_zoom: int
    max_zoom: int
    layers: tuple[str, ...]


def read_pmtiles(path: Path) -> Pmtiles:
    """Read header and metadata. Raises PmtilesError if there is no such file, or it is none that browsers can show."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            if len(header) < _HEADER_BYTES or header[:7] != b"PMTiles":
                raise PmtilesError("it is not a PMTiles file")
            if header[7] != 3:
                raise PmtilesError(f"it is of PMTiles version {header[7]}; convert it to version 3")
            start, length = struct.unpack_from("<QQ", header, 24)
            compression, _tiles, kind, min_zoom, max_zoom = header[97:102]
            file.seek(start)
            metadata = _metadata(file.read(length), compression)
    except OSError as error:
        raise PmtilesError(f"it cannot be read ({error.strerror})") from error
    if kind not in _KINDS:
        raise PmtilesError("its tiles are neither vector tiles nor PNG, JPEG or WebP")
    layers = tuple(str(layer["id"]) for layer in metadata.get("vector_layers", []) if "id" in layer)
    return Pmtiles(_KINDS[kind], min_zoom, max_zoom, layers)


def _metadata(raw: bytes, compression: int) -> dict[str, Any]:
    if compression not in (_NO_COMPRESSION, _GZIP):
        raise PmtilesError("its directory is compressed by neither gzip nor nothing, which browsers cannot read")
    try:
        found = json.loads(gzip.decompress(raw) if compression == _GZIP else raw)
    except (OSError, EOFError, ValueError) as error:
        raise PmtilesError("its metadata cannot be read: the file is damaged, or was not copied whole") from error
    return found if isinstance(found, dict) else {}
