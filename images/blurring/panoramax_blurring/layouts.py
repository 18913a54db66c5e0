"""What operators' own models answer, as boxes: float32[n, 6]: x1, y1, x2, y2 in pixels of the input, score, class."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
#: Areas of a map that are looked at, at most: noise must not take for ever.
MAX_AREAS = 2000


class LayoutError(ValueError):
    """The model's answer does not have the declared layout; the message says what it has."""


def none() -> Boxes:
    """No boxes."""
    return np.zeros((0, 6), np.float32)


def _best(boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> Boxes:
    """Centre, width, height and a score for each class: the best class of each box, where it reaches the threshold."""
    best = scores.argmax(axis=1)
    score = scores[np.arange(len(scores)), best]
    keep = score >= threshold
    x, y, width, height = boxes[keep].T
    edges = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    return np.asarray(np.stack([*edges, score[keep], best[keep]], axis=1), np.float32)


def _flat(output: NDArray[np.float32], columns: int, layout: str) -> NDArray[np.float32]:
    """[1, n, columns] or [1, columns, n] as [n, columns]."""
    if output.ndim == 3 and output.shape[0] == 1:
        rows: NDArray[np.float32] = output[0]
        if columns in rows.shape:
            return rows if rows.shape[1] == columns else rows.T
    raise LayoutError(f"layout {layout} needs an output of [1, n, {columns}], the model has {list(output.shape)}")


def yolo(output: NDArray[np.float32], labels: int, threshold: float) -> Boxes:
    """[1, 4 + labels, n], as YOLOv8 and YOLO11 are exported: centre, size, a score for each class."""
    rows = _flat(output, 4 + labels, "yolo")
    return _best(rows[:, :4], rows[:, 4:], threshold)


def yolo_objectness(output: NDArray[np.float32], labels: int, threshold: float) -> Boxes:
    """[1, n, 5 + labels], as YOLOv5, YOLOv7 and decoded YOLOX: centre, size, objectness, a score for each class."""
    rows = _flat(output, 5 + labels, "yolo-objectness")
    return _best(rows[:, :4], rows[:, 5:] * rows[:, 4:5], threshold)


def boxes(output: NDArray[np.float32], labels: int, threshold: float) -> Boxes:
    """[1, n, 6], as models with their own suppression: left, top, right, bottom, score, class."""
    rows = _flat(output, 6, "boxes")
    known = (rows[:, 4] >= threshold) & (rows[:, 5] >= 0) & (rows[:, 5] < labels)
    return np.asarray(rows[known], np.float32)


def pixel_map(output: NDArray[np.float32], labels: int, threshold: float) -> Boxes:
    """[1, labels, h, w], a probability for each pixel: each connected area above 0.3 whose mean is high enough."""
    if output.ndim != 4 or output.shape[:2] != (1, labels):
        raise LayoutError(f"layout map needs an output of [1, {labels}, h, w], the model has {list(output.shape)}")
    found = [none()]
    for number, plane in enumerate(output[0]):
        for x1, y1, x2, y2, score in areas(plane):
            if score >= threshold:
                found.append(np.array([[x1, y1, x2, y2, score, number]], np.float32))
    return np.concatenate(found)


def areas(plane: NDArray[np.float32], level: float = 0.3) -> list[tuple[int, int, int, int, float]]:
    """Bounding boxes and mean probability of connected areas (by sides) above the level, the largest first."""
    above = plane > level
    edges = np.diff(np.pad(above, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    before: list[int] = []
    current: list[int] = []
    for run in range(len(rows)):
        if run and rows[run] != rows[run - 1]:
            before = current if rows[run] == rows[run - 1] + 1 else []
            current = []
        for other in before:
            if starts[other] < ends[run] and starts[run] < ends[other]:
                parent[root(run)] = root(other)
        current.append(run)
    groups: dict[int, list[int]] = {}
    for run in range(len(rows)):
        groups.setdefault(root(run), []).append(run)
    largest = sorted(groups.values(), key=lambda runs: -int((ends[runs] - starts[runs]).sum()))[:MAX_AREAS]
    found = []
    for runs in largest:
        total = sum(float(plane[rows[run], starts[run] : ends[run]].sum()) for run in runs)
        box = (starts[runs].min(), rows[runs].min(), ends[runs].max(), rows[runs].max() + 1)
        left, top, right, bottom = (int(side) for side in box)
        found.append((left, top, right, bottom, total / int((ends[runs] - starts[runs]).sum())))
    return found


Decoder = Callable[[NDArray[np.float32], int, float], Boxes]
LAYOUTS: dict[str, Decoder] = {"yolo": yolo, "yolo-objectness": yolo_objectness, "boxes": boxes, "map": pixel_map}


def suppress(found: Boxes, overlap: float) -> Boxes:
    """Drop boxes that overlap a better one of their class by more than `overlap` (share of the smaller one)."""
    order = found[np.argsort(-found[:, 4], kind="stable")]
    area = (order[:, 2] - order[:, 0]) * (order[:, 3] - order[:, 1])
    left = np.ones(len(order), bool)
    for index, box in enumerate(order):
        if left[index]:
            rest = order[index + 1 :]
            width = np.minimum(rest[:, 2], box[2]) - np.maximum(rest[:, 0], box[0])
            height = np.minimum(rest[:, 3], box[3]) - np.maximum(rest[:, 1], box[1])
            smaller = np.minimum(area[index], area[index + 1 :]).clip(1e-6)
            same = rest[:, 5] == box[5]
            left[index + 1 :] &= ~(same & (width.clip(0) * height.clip(0) > overlap * smaller))
    return order[left]
