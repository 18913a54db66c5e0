"""Boxes. Raw detections are float32[n, 5]: x1, y1, x2, y2 in pixels of the upright picture, score."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
FACE, PLATE = "face", "plate"
MIN_WIDTH, MIN_HEIGHT = 4, 3


def no_boxes() -> Boxes:
    """An empty set of raw detections."""
    return np.zeros((0, 5), np.float32)


@dataclass(frozen=True)
class Detection:
    """A region to blur: kind, x1, y1, x2, y2 in pixels inside the picture, score."""

    kind: str
    box: tuple[float, float, float, float]
    score: float


def suppress(boxes: Boxes, overlap: float) -> Boxes:
    """Drop boxes that overlap a better one by more than `overlap` (intersection over union)."""
    order = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    area = (order[:, 2] - order[:, 0]) * (order[:, 3] - order[:, 1])
    left = np.ones(len(order), bool)
    for index, box in enumerate(order):
        if left[index]:
            rest = order[index + 1 :]
            width = np.minimum(rest[:, 2], box[2]) - np.maximum(rest[:, 0], box[0])
            height = np.minimum(rest[:, 3], box[3]) - np.maximum(rest[:, 1], box[1])
            common = width.clip(0) * height.clip(0)
            left[index + 1 :] &= common <= overlap * (area[index + 1 :] + area[index] - common)
    return order[left]


@dataclass(frozen=True)
class Rules:
    """What a detection of one kind must look like, and how far its box is widened on each side (share of its side)."""

    kind: str
    margin: float
    min_ratio: float
    max_ratio: float
    max_width: float
    max_area: float


FACE_RULES = Rules(FACE, margin=0.2, min_ratio=0.3, max_ratio=2.5, max_width=1.0, max_area=0.35)
PLATE_RULES = Rules(PLATE, margin=0.15, min_ratio=0.6, max_ratio=9.0, max_width=0.5, max_area=0.05)
#: a plate 52 cm wide fills 43 degrees only from 66 cm away: larger finds in a panorama are walls and railings
PANORAMA_PLATE_RULES = replace(PLATE_RULES, max_width=0.12, max_area=0.006)


def plausible(boxes: Boxes, rules: Rules, size: tuple[int, int]) -> Boxes:
    """The boxes that obey the rules in a picture of `size` (width, height)."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    ratio = width / np.maximum(height, 1e-6)
    good = (width >= MIN_WIDTH) & (height >= MIN_HEIGHT) & (width <= rules.max_width * size[0])
    good &= (ratio >= rules.min_ratio) & (ratio <= rules.max_ratio)
    return boxes[good & (width * height <= rules.max_area * size[0] * size[1])]


def to_detections(boxes: Boxes, rules: Rules, size: tuple[int, int], *, panorama: bool) -> list[Detection]:
    """Filter, widen, cut to the picture; a box across the seam of a panorama becomes two."""
    found = []
    width, height = size
    for x1, y1, x2, y2, score in plausible(boxes, rules, size).tolist():
        dx, dy = rules.margin * (x2 - x1), rules.margin * (y2 - y1)
        left, right, top, bottom = x1 - dx, x2 + dx, max(0.0, y1 - dy), min(float(height), y2 + dy)
        spans = [(left, right)]
        if panorama:
            spans += [(left + width, right + width), (left - width, right - width)]
        for start, stop in spans:
            start, stop = max(0.0, start), min(float(width), stop)
            if stop > start and bottom > top:
                found.append(Detection(rules.kind, (start, top, stop, bottom), round(score, 3)))
    return found
