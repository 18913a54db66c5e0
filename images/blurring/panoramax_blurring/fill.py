"""What replaces a box: a few flat colours, as quantised DCT blocks of the file's own tables.

At most 4x4 cells for a face and 2x1 for a plate, 5 bits per channel: a finer mosaic can be searched by brute force
(plates) or recognised by classifiers (faces), and a Gaussian blur can be undone. Nothing else of the original survives.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .geometry import FACE, Detection
from .jpegfile import GREY, JpegFile
from .resample import cell_means, stretch
from .turbojpeg import BlockEditor

LUMA = np.array([0.114, 0.587, 0.299], np.float32)  # of B, G, R (JFIF 1.02)
FACE_CELLS = 4


def _dct_matrix() -> NDArray[np.float32]:
    k, n = np.arange(8)[:, None], np.arange(8)[None, :]
    scale = np.where(k == 0, math.sqrt(1 / 8), math.sqrt(2 / 8))
    return (scale * np.cos((2 * n + 1) * k * math.pi / 16)).astype(np.float32)


DCT = _dct_matrix()


def cells(kind: str, width: int, height: int) -> tuple[int, int]:
    """Columns and rows of the colour grid for a box."""
    if kind != FACE:
        return 2, 1
    longest = max(width, height)
    return max(1, round(FACE_CELLS * width / longest)), max(1, round(FACE_CELLS * height / longest))


def flatten(region: NDArray[np.uint8], kind: str, width: int, height: int) -> NDArray[np.float32]:
    """BGR float32[height, width, 3] that keeps only the coarse colours of BGR uint8[h, w, 3]."""
    columns, rows = cells(kind, region.shape[1], region.shape[0])
    coarse = (cell_means(region, min(columns, region.shape[1]), min(rows, region.shape[0])) // 8) * 8 + 4
    return stretch(coarse, width, height, linear=True).clip(0, 255)


@dataclass
class Patches:
    """New coefficients by component and block row: (first block, int16[blocks, 64])."""

    rows: dict[tuple[int, int], list[tuple[int, NDArray[np.int16]]]] = field(default_factory=dict)
    #: boxes as pixels of whole units, for tests and the log
    areas: list[tuple[int, int, int, int]] = field(default_factory=list)
    written: set[tuple[int, int]] = field(default_factory=set)

    def editor(self) -> BlockEditor:
        """The callback that puts the patches into the picture."""

        def edit(component: int, row: int, blocks: NDArray[np.int16]) -> None:
            for first, new in self.rows.get((component, row), ()):
                count = min(len(new), len(blocks) - first)
                blocks[first : first + count] = new[:count]
                self.written.add((component, row))

        return edit

    def complete(self, heights: Iterable[int]) -> bool:
        """Whether every row was written, rows beyond the number of block rows of a component excepted."""
        limits = list(heights)
        return all(row >= limits[component] for component, row in self.rows.keys() - self.written)


def _planes(colours: NDArray[np.float32], space: str) -> list[NDArray[np.float32]]:
    luma = colours @ LUMA
    if space == "grey":
        return [luma]
    if space == "rgb":
        return [colours[..., 2], colours[..., 1], colours[..., 0]]
    return [luma, (colours[..., 0] - luma) / 1.772 + 128, (colours[..., 2] - luma) / 1.402 + 128]


def _blocks(plane: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.int16]:
    """Level shift, 8x8 DCT and quantisation of float32[8 m, 8 n]: int16[m, n, 64]."""
    height, width = plane.shape[0] // 8, plane.shape[1] // 8
    tiles = plane.reshape(height, 8, width, 8).transpose(0, 2, 1, 3) - 128
    return np.rint(DCT @ tiles @ DCT.T / table).astype(np.int16).reshape(height, width, 64)


def block_rows(source: JpegFile) -> list[int]:
    """Number of 8x8 block rows of each component."""
    if len(source.components) == GREY:
        return [-(-source.height // 8)]
    tallest = max(c.v for c in source.components)
    return [-(-source.height * c.v // (tallest * 8)) for c in source.components]


def make_patches(source: JpegFile, space: str, pixels: NDArray[np.uint8], detections: Iterable[Detection]) -> Patches:
    """New blocks for every detection; boxes grow to whole units so that no block keeps a part of the original."""
    unit_width, unit_height = source.mcu
    columns, rows = -(-source.width // unit_width), -(-source.height // unit_height)
    patches = Patches()
    for detection in detections:
        x1, y1, x2, y2 = detection.box
        left, top = max(0, int(x1) // unit_width), max(0, int(y1) // unit_height)
        right, bottom = min(columns, -(-math.ceil(x2) // unit_width)), min(rows, -(-math.ceil(y2) // unit_height))
        if right <= left or bottom <= top:
            continue
        area = (left * unit_width, top * unit_height, right * unit_width, bottom * unit_height)
        patches.areas.append(area)
        region = pixels[area[1] : area[3], area[0] : area[2]]
        colours = flatten(region, detection.kind, area[2] - area[0], area[3] - area[1])
        for index, (component, plane) in enumerate(zip(source.components, _planes(colours, space), strict=True)):
            across = 1 if len(source.components) == GREY else component.h
            down = 1 if len(source.components) == GREY else component.v
            wide, high = (right - left) * across, (bottom - top) * down
            shrunk = _shrink(plane, 8 * wide, 8 * high)
            blocks = _blocks(shrunk, source.tables[component.table])
            for offset in range(high):
                patches.rows.setdefault((index, top * down + offset), []).append((left * across, blocks[offset]))
    return patches


def _shrink(plane: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Average float32[h, w] down to [height, width], whole factors only (sampling factors divide the unit)."""
    down, across = plane.shape[0] // height, plane.shape[1] // width
    if (height * down, width * across) != plane.shape:
        rows = np.arange(height) * plane.shape[0] // height
        columns = np.arange(width) * plane.shape[1] // width
        return plane[np.ix_(rows, columns)]
    averaged: NDArray[np.float32] = plane.reshape(height, down, width, across).mean(axis=(1, 3))
    return averaged
