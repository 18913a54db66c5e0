"""A decoded picture at several sizes, cut into tiles for the networks; a panorama wraps around."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .resample import enlarge

Pixels = NDArray[np.uint8]
STRIDE = 32
MAX_TILE, OVERLAP = 960, 96
MIN_PANORAMA_WIDTH = 2000
#: divisor -> pixels (of that size) seen again beyond the right edge of a panorama
WRAP = {1: 256, 2: 192, 4: 192, 8: 96}
#: divisor -> smallest picture (pixels) that is looked at in this size too: large objects need the small sizes
LEVELS = {1: 0, 2: 1_000_000, 4: 3_000_000, 8: 24_000_000}


@dataclass(frozen=True)
class Tile:
    """Pixels BGR uint8[h, w, 3]; picture coordinates are x + column / scale, y + row / scale."""

    pixels: Pixels
    x: float
    y: float
    scale: float


def divisors(size: tuple[int, int]) -> list[int]:
    """The sizes (divisors 1, 2, 4, 8) in which a picture of (width, height) is looked at."""
    return [divisor for divisor, minimum in LEVELS.items() if size[0] * size[1] >= minimum]


def split(length: int, limit: int, overlap: int) -> tuple[int, list[int]]:
    """As few equal, overlapping pieces <= limit as possible: their length (a multiple of 32) and their starts."""
    count = 1 if length <= limit else -(-(length - overlap) // (limit - overlap))
    piece = -(-(length + (count - 1) * overlap) // count)
    piece = -(-piece // STRIDE) * STRIDE
    return piece, [0] if count == 1 else [round(k * (length - piece) / (count - 1)) for k in range(count)]


@dataclass(frozen=True)
class Scene:
    """The levels of a picture (divisor -> BGR uint8[h, w, 3]); divisor 1 is always there."""

    levels: dict[int, Pixels]
    panorama: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        height, width = self.levels[1].shape[:2]
        return width, height

    @property
    def smallest(self) -> int:
        """The largest divisor there is."""
        return max(self.levels)

    def cut(self, divisor: int, area: tuple[int, int, int, int], fill: int) -> Pixels:
        """Pixels of (x, y, width, height) of a level; wraps around in a panorama, else padded with `fill`."""
        x, y, width, height = area
        level = self.levels[divisor]
        rows = level[y : y + height]
        part = rows[:, x : x + width]
        if self.panorama and x + width > level.shape[1]:
            part = np.concatenate([part, rows[:, max(0, x - level.shape[1]) : x + width - level.shape[1]]], axis=1)
        if part.shape[:2] == (height, width):
            return np.ascontiguousarray(part)
        padded = np.full((height, width, 3), fill, np.uint8)
        padded[: part.shape[0], : part.shape[1]] = part[:, :width]
        return padded

    def tiles(self, divisor: int, band: tuple[float, float], *, fill: int, enlarged: float = 1.0) -> Iterator[Tile]:
        """Tiles over a band (shares of the height) of a level, optionally enlarged."""
        height, width = self.levels[divisor].shape[:2]
        top, bottom = int(height * band[0]), int(np.ceil(height * band[1]))
        width += WRAP[divisor] if self.panorama else 0
        limit, overlap = int(MAX_TILE / enlarged), int(OVERLAP / enlarged)
        tile_height, rows = split(bottom - top, limit, overlap)
        tile_width, columns = split(width, limit, overlap)
        for row in rows:
            for column in columns:
                pixels = self.cut(divisor, (column, top + row, tile_width, tile_height), fill)
                if enlarged != 1.0:
                    pixels = enlarge(pixels, _whole(tile_width, enlarged), _whole(tile_height, enlarged))
                scale = (pixels.shape[1] / tile_width) / divisor
                yield Tile(pixels, column * divisor, (top + row) * divisor, scale)


def _whole(side: int, factor: float) -> int:
    return round(side * factor / STRIDE) * STRIDE
