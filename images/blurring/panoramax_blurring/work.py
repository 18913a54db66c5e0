"""Who blurs: this program's own detectors, or an engine of another make (`foreign.py`)."""

from collections.abc import Sequence
from math import inf
from typing import Protocol

from .detectors import Detector
from .pipeline import Blurred, blur
from .selftest import SelfTest
from .settings import Settings


class Work(Protocol):
    """What the service has done for each picture, and for its health check.

    Attributes:
        name: What does it, for people to read.
        trusted_seconds: How long a passed test counts before the next picture needs another one.
    """

    name: str
    trusted_seconds: float

    def blur(self, data: bytes) -> Blurred:
        """Blur one picture; see `pipeline.blur` for what it raises."""

    def test(self) -> None:
        """Blur a picture with a known face and plate.

        Raises:
            Exception: they are not covered, or something failed before.
        """


class OwnWork:
    """The detectors of this program. They do not change while it runs, so that a passed test holds."""

    trusted_seconds = inf

    def __init__(self, detectors: Sequence[Detector], selftest: SelfTest, settings: Settings) -> None:
        self._detectors, self._selftest, self._settings = detectors, selftest, settings
        self.name = ", ".join(detector.name for detector in detectors)

    def blur(self, data: bytes) -> Blurred:
        """See `Work`."""
        return blur(data, self._detectors, self._settings)

    def test(self) -> None:
        """See `Work`."""
        self._selftest.run(self._detectors, self._settings)
