"""Does the whole service do its work? A picture with a known face and plate goes through it; both must be covered."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import turbojpeg
from .detectors import Detector
from .errors import EngineError, ModelError
from .jpegfile import parse
from .pipeline import blur
from .settings import Settings

MIN_COVERED = 0.9
#: share of its detail that a blurred face or plate may still have
MAX_DETAIL = 1 / 3


def check_files(models: Path) -> None:
    """Compare every file with the checksums made when the image was built.

    Raises:
        ModelError: a file is missing or differs.
    """
    try:
        lines = (models / "SHA256SUMS").read_text().splitlines()
        for expected, name in (line.split(maxsplit=1) for line in lines):
            if hashlib.sha256((models / name).read_bytes()).hexdigest() != expected:
                msg = f"{models / name} is damaged"
                raise ModelError(msg)
    except OSError as error:
        msg = f"models are missing: {error}"
        raise ModelError(msg) from error


class SelfTest:
    """The picture of the image and where its face and plate are."""

    def __init__(self, models: Path) -> None:
        self.picture = (models / "selftest.jpg").read_bytes()
        self.expected: dict[str, list[int]] = json.loads((models / "selftest.json").read_text())

    def run(self, detectors: Sequence[Detector], settings: Settings) -> None:
        """Blur the picture and look at the result.

        Raises:
            ModelError: the face or the plate is not covered by one replaced area.
        """
        result = blur(self.picture, detectors, settings)
        for kind, box in self.expected.items():
            best = max((_covered(box, area) for area in result.areas), default=0.0)
            if best < MIN_COVERED:
                msg = f"self-test: the known {kind} is covered by {best:.0%} only"
                raise ModelError(msg)

    def compare(self, answer: bytes) -> None:
        """Look for the face and the plate in somebody else's answer, which does not say what it blurred.

        Raises:
            EngineError: one of them is as it was, or nearly.
        """
        before, after = _grey(self.picture), _grey(answer)
        for kind, box in self.expected.items():
            left = _detail(after, box) / _detail(before, box)
            if left > MAX_DETAIL:
                msg = f"self-test: the known {kind} was not blurred ({left:.0%} of its detail is left)"
                raise EngineError(msg)


def _grey(jpeg: bytes) -> NDArray[np.float32]:
    source = parse(jpeg)
    pixels, _ = turbojpeg.decode(jpeg, (source.width, source.height))
    grey: NDArray[np.float32] = pixels.mean(axis=2, dtype=np.float32)
    return grey


def _detail(grey: NDArray[np.float32], box: list[int]) -> float:
    """Mean absolute Laplacian in the inner part of a box: what eyes, noses and characters are made of."""
    width, height = box[2] - box[0], box[3] - box[1]
    rows, columns = slice(box[1] + height // 8, box[3] - height // 8), slice(box[0] + width // 8, box[2] - width // 8)
    part = grey[rows, columns]
    inner = 4 * part[1:-1, 1:-1] - part[:-2, 1:-1] - part[2:, 1:-1] - part[1:-1, :-2] - part[1:-1, 2:]
    return float(np.abs(inner).mean())


def _covered(box: list[int], area: tuple[int, int, int, int]) -> float:
    width = min(box[2], area[2]) - max(box[0], area[0])
    height = min(box[3], area[3]) - max(box[1], area[1])
    return max(0, width) * max(0, height) / ((box[2] - box[0]) * (box[3] - box[1]))
