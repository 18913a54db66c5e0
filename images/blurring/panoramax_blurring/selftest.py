"""Does the whole service do its work? A picture with a known face and plate goes through it; both must be covered."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from .detectors import Detector
from .errors import ModelError
from .pipeline import blur
from .settings import Settings

MIN_COVERED = 0.9


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


def _covered(box: list[int], area: tuple[int, int, int, int]) -> float:
    width = min(box[2], area[2]) - max(box[0], area[0])
    height = min(box[3], area[3]) - max(box[1], area[1])
    return max(0, width) * max(0, height) / ((box[2] - box[0]) * (box[3] - box[1]))
