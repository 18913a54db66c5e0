"""An engine of another make does the blurring; this program answers for what comes back.

The engine gets the upright picture without its metadata, and nobody else than this program talks to it. Its answer
counts if it is one whole JPEG of the same size that shows the same place; the metadata is put back from the original,
cleaned as always. Whether the engine blurs at all, no single answer can tell: a picture without faces comes back as it
was. So it has to blur the known face and plate, at most a minute before any picture, and once more after one that came
back with nothing changed.
"""

import numpy as np
from numpy.typing import NDArray

from . import metadata, turbojpeg
from .engine_client import EngineClient
from .errors import EngineError, RefusedError
from .jpegfile import JpegFile, parse
from .pipeline import CHECK_DIVISOR, Blurred, Clock, check_answer, check_limits, upright
from .selftest import SelfTest
from .settings import Settings

TRUSTED_SECONDS = 60.0
LONGEST_TEST = 30.0
#: share of the picture (seen at an eighth of its size) that has to be as it was, within so many levels of 255
SAME_SHARE, SAME_LEVELS = 0.5, 24
#: markers that say how the colours of one coding are stored; they belong to the coding, not to the picture
CODING = (metadata.APP0, metadata.APP14)


class ForeignWork:
    """See `work.Work`."""

    trusted_seconds = TRUSTED_SECONDS

    def __init__(self, client: EngineClient, selftest: SelfTest, settings: Settings) -> None:
        self._client, self._selftest, self._settings = client, selftest, settings
        self.name = f"the engine at {client.address}"

    def blur(self, data: bytes) -> Blurred:
        """Have one picture blurred.

        Raises:
            RefusedError: not a picture that can be blurred safely, or the engine refuses it.
            EngineError: the engine did not do its work.
        """
        return self._blur(data, self._settings.foreign_timeout)

    def test(self) -> None:
        """Have the known face and plate blurred.

        Raises:
            Exception: they are still there, or there was no proper answer.
        """
        self._selftest.compare(
            self._blur(self._selftest.picture, min(LONGEST_TEST, self._settings.foreign_timeout)).data
        )

    def _blur(self, data: bytes, patience: float) -> Blurred:
        clock = Clock()
        original = parse(data)
        check_limits(original, self._settings)
        work, size = upright(original)
        before = self._pixels(work)
        clock.lap("read")
        answer = self._client.ask(_bare(original, work), patience)
        clock.lap("engine")
        coded, after = self._read(answer.data)
        if (coded.width, coded.height) != (work.width, work.height):
            raise EngineError(
                f"the engine answered with {coded.width} x {coded.height} pixels"
                f" instead of {work.width} x {work.height}"
            )
        same = np.abs(after.astype(np.int16) - before).max(axis=2) <= SAME_LEVELS
        if same.mean() < SAME_SHARE:
            raise EngineError("the engine answered with another picture")
        header = metadata.filter_header(original, size)
        theirs = metadata.filter_header(coded).kept
        header.kept = [entry for entry in theirs if entry[0] == metadata.APP0] + [
            entry for entry in header.kept if entry[0] not in CODING
        ]
        result = metadata.assemble(coded, header)
        check_answer(result, coded)
        clock.lap("write")
        by = f"{answer.name} at {self._client.address}"
        unchanged = bool(same.all())
        return Blurred(result, work.width, work.height, [], [], header.dropped, clock.seconds, by, unchanged)

    def _read(self, answer: bytes) -> tuple[JpegFile, NDArray[np.uint8]]:
        """Structure and small pixels of an answer. What is wrong with it is not the fault of what was sent."""
        try:
            coded = parse(answer)
            check_limits(coded, self._settings)
            return coded, self._pixels(coded)
        except RefusedError as error:
            raise EngineError(f"the engine's answer cannot be used: {error}") from error

    @staticmethod
    def _pixels(source: JpegFile) -> NDArray[np.uint8]:
        return turbojpeg.decode(source.data, (source.width, source.height), CHECK_DIVISOR)[0]


def _bare(original: JpegFile, work: JpegFile) -> bytes:
    """The upright picture with nothing that tells where, when, by whom or with what it was taken."""
    header = metadata.filter_header(original)
    header.kept = [entry for entry in header.kept if entry[0] in CODING]
    return metadata.assemble(work, header)
