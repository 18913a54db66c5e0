"""One picture from bytes to bytes: parse, turn upright, detect, replace blocks, clean metadata, check the result."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import metadata, turbojpeg
from .detectors import Detector
from .embedded import holds_jpeg
from .errors import JpegError, RefusedError
from .fill import Patches, block_rows, make_patches
from .geometry import Detection
from .jpegfile import SOI, JpegFile, parse
from .scene import MIN_PANORAMA_WIDTH, Scene, divisors
from .settings import Settings

CHECK_DIVISOR = 8


@dataclass
class Blurred:
    """The answer: a JPEG file, what was blurred, what metadata was left out, seconds by step, and whose work it is."""

    data: bytes
    width: int
    height: int
    detections: list[Detection]
    areas: list[tuple[int, int, int, int]]
    dropped: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    #: name and address of the engine that blurred, if it was not this program
    engine: str = ""
    #: whether it came back from there with nothing visibly changed: right for many pictures, and a sign of failure
    unchanged: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Number of boxes by kind."""
        return dict(Counter(detection.kind for detection in self.detections))


def check_limits(source: JpegFile, settings: Settings) -> None:
    """Raises RefusedError (413) for a picture with more pixels than allowed; nothing was decoded yet."""
    limit = settings.max_pixels * 2 // 3 if source.progressive else settings.max_pixels
    if source.width * source.height > limit:
        raise RefusedError(f"{source.width} x {source.height} pixels are more than the limit of {limit}", 413)


def blur(data: bytes, detectors: Sequence[Detector], settings: Settings) -> Blurred:
    """Blur one picture.

    Raises:
        RefusedError: not a picture that can be blurred safely, or too large.
        Exception: anything else; the caller must not pass the input on.
    """
    clock = Clock()
    original = parse(data)
    check_limits(original, settings)
    work, size = upright(original)
    clock.lap("read")
    detections, patches, clean = _detect(work, detectors, clock)
    if patches.rows or not clean:
        coded = turbojpeg.transform(work.data, progressive=work.progressive, edit=patches.editor())
        if not patches.complete(block_rows(work)):
            msg = "not every block was replaced"
            raise RuntimeError(msg)
        work = parse(coded)
    header = metadata.filter_header(original, size)
    answer = metadata.assemble(work, header)
    check_answer(answer, work)
    clock.lap("write")
    return Blurred(answer, work.width, work.height, detections, patches.areas, header.dropped, clock.seconds)


def upright(original: JpegFile) -> tuple[JpegFile, tuple[int, int] | None]:
    """The picture as it is to be looked at, and its size if it had to be turned for that."""
    orientation = metadata.read_orientation(original)
    if orientation == 1:
        return original, None
    turned = parse(turbojpeg.transform(original.data, turbojpeg.UPRIGHT[orientation]))
    return turned, (turned.width, turned.height)


def _detect(work: JpegFile, detectors: Sequence[Detector], clock: "Clock") -> tuple[list[Detection], Patches, bool]:
    """Regions and their new blocks; the pixels are freed on return, before the coefficients need the memory."""
    width, height, space = turbojpeg.colourspace(work.data)
    if (width, height) != (work.width, work.height) or space not in ("rgb", "ycc", "grey"):
        raise JpegError(f"read in two ways: {width} x {height} {space}")
    levels = {d: turbojpeg.decode(work.data, (width, height), d) for d in divisors((width, height))}
    panorama = width == 2 * height and width >= MIN_PANORAMA_WIDTH
    scene = Scene({divisor: pixels for divisor, (pixels, _) in levels.items()}, panorama)
    clock.lap("decode")
    detections: list[Detection] = []
    for detector in detectors:
        detections += detector.detect(scene)
        clock.lap(detector.name)
    patches = make_patches(work, space, scene.levels[1], detections)
    return detections, patches, all(clean for _, clean in levels.values())


def check_answer(answer: bytes, expected: JpegFile) -> None:
    """The answer must read back as the same picture, and no second picture may be in it."""
    result = parse(answer)
    size = (result.width, result.height)
    if size != (expected.width, expected.height) or result.trailing_bytes:
        msg = "the answer is not one picture of the expected size"
        raise RuntimeError(msg)
    if holds_jpeg(answer[len(SOI) :]):
        raise JpegError("a second picture is hidden where no camera puts one")
    turbojpeg.decode(answer, size, CHECK_DIVISOR)


class Clock:
    """Seconds between laps, by name."""

    def __init__(self) -> None:
        """Starts now."""
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Count the seconds since the last lap under a name."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
        self.last = now
