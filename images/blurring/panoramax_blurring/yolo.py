"""Decode the raw head of a one-class YOLOv8: box distribution [1,64,h,w] and score logit [1,1,h,w] per stride."""

import numpy as np

from .engines import Outputs
from .geometry import Boxes, no_boxes, suppress

STRIDES = (8, 16, 32)
BINS = 16
WITHIN_TILE = 0.45


def decode(outputs: Outputs, threshold: float) -> Boxes:
    """Boxes of one tile whose score is above the threshold (0 < threshold < 1)."""
    logit = np.log(threshold / (1 - threshold))
    bins = np.arange(BINS, dtype=np.float32)
    found = [no_boxes()]
    for stride, distribution, scores in zip(STRIDES, outputs[::2], outputs[1::2], strict=True):
        y, x = np.nonzero(scores[0, 0] > logit)
        if len(y):
            sides = distribution[0][:, y, x].T.reshape(-1, 4, BINS)
            weights = np.exp(sides - sides.max(axis=2, keepdims=True))
            left, top, right, bottom = ((weights @ bins) / weights.sum(axis=2)).T
            score = 1 / (1 + np.exp(-scores[0, 0, y, x]))
            edges = [x + 0.5 - left, y + 0.5 - top, x + 0.5 + right, y + 0.5 + bottom]
            found.append(np.stack([*(edge * stride for edge in edges), score], axis=1).astype(np.float32))
    return suppress(np.concatenate(found), WITHIN_TILE)
