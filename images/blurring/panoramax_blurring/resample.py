"""Enlarge small pieces (bicubic) and average regions into a few cells, with plain matrices."""

import functools

import numpy as np
from numpy.typing import NDArray

SHARPNESS = -0.75


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The usual bicubic kernel (Keys 1981)."""
    d, a = np.abs(distance), SHARPNESS
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


@functools.lru_cache(maxsize=16)
def _matrix(source: int, target: int, *, linear: bool = False) -> NDArray[np.float32]:
    """float32[target, source]: weights of the source samples; the edge is repeated."""
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    base = np.floor(centres).astype(int)
    matrix = np.zeros((target, source), np.float32)
    for step in range(-1, 3):
        distance = centres - (base + step)
        weights = np.maximum(0.0, 1 - np.abs(distance)) if linear else _cubic(distance)
        np.add.at(matrix, (np.arange(target), (base + step).clip(0, source - 1)), weights)
    return matrix


def stretch(values: NDArray[np.float32], width: int, height: int, *, linear: bool = False) -> NDArray[np.float32]:
    """Resize float32[h, w, c] to [height, width, c], not smaller than before."""
    rows = np.tensordot(_matrix(values.shape[0], height, linear=linear), values, axes=(1, 0))
    columns = np.tensordot(_matrix(values.shape[1], width, linear=linear), rows, axes=(1, 1))
    return columns.transpose(1, 0, 2)


def enlarge(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bicubic enlargement of uint8[h, w, 3]."""
    large = stretch(pixels.astype(np.float32), width, height)
    return np.ascontiguousarray(large.round().clip(0, 255).astype(np.uint8))


def cell_means(pixels: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.float32]:
    """Mean colour of a grid of cells: uint8[h, w, 3] -> float32[rows, columns, 3]."""
    bands = np.array_split(pixels, rows, axis=0)
    means = [[part.mean(axis=(0, 1)) for part in np.array_split(band, columns, axis=1)] for band in bands]
    return np.array(means, np.float32)
