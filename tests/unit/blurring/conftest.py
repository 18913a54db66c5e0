"""Pictures and detectors for the tests of the blurring service; nothing here needs a model."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from panoramax_blurring import turbojpeg
from panoramax_blurring.geometry import Detection
from panoramax_blurring.scene import Scene

Coefficients = dict[tuple[int, int], NDArray[np.int16]]


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture in which every 8x8 block differs from its neighbours."""
    generator = np.random.default_rng(width * 10007 + height)
    coarse = generator.integers(0, 255, (-(-height // 8), -(-width // 8), 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    """make(width, height, mode="RGB", **options of Pillow) -> bytes of a JPEG file."""

    def make(width: int = 160, height: int = 96, mode: str = "RGB", **options: object) -> bytes:
        out = io.BytesIO()
        noise(width, height, mode).save(out, "JPEG", **{"quality": 90, **options})
        return out.getvalue()

    return make


@pytest.fixture
def with_segments() -> Callable[..., bytes]:
    """put(jpeg, (marker, payload), ...) -> the file with those segments right behind its start."""

    def put(data: bytes, *segments: tuple[int, bytes]) -> bytes:
        added = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
        return data[:2] + added + data[2:]

    return put


@pytest.fixture
def exif() -> Callable[..., bytes]:
    """make(orientation, thumbnail, note) -> payload of an EXIF segment with IFD0, Exif IFD, GPS-like data and IFD1."""

    def make(orientation: int = 1, thumbnail: bytes = b"", note: bytes = b"note", order: str = "<") -> bytes:
        def entry(tag: int, kind: int, count: int, value: int) -> bytes:
            packed = struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
            return struct.pack(order + "HHI", tag, kind, count) + packed

        exif_at = 8 + 2 + 2 * 12 + 4
        note_at = exif_at + 2 + 3 * 12 + 4
        second_at = note_at + len(note)
        thumbnail_at = second_at + 2 + 2 * 12 + 4
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
        main = struct.pack(order + "H", 2) + entry(0x112, 3, 1, orientation) + entry(0x8769, 4, 1, exif_at)
        main += struct.pack(order + "I", second_at if thumbnail else 0)
        inner = struct.pack(order + "H", 3) + entry(0x927C, 7, len(note), note_at)
        inner += entry(0xA002, 4, 1, 160) + entry(0xA003, 4, 1, 96) + struct.pack(order + "I", 0)
        second = struct.pack(order + "H", 2) + entry(0x201, 4, 1, thumbnail_at) + entry(0x202, 4, 1, len(thumbnail))
        second += struct.pack(order + "I", 0)
        return b"Exif\0\0" + head + main + inner + note + second + thumbnail

    return make


@pytest.fixture
def coefficients() -> Callable[[bytes], Coefficients]:
    """read(jpeg) -> the quantised blocks of each (component, block row)."""

    def read(data: bytes) -> Coefficients:
        found: Coefficients = {}

        def keep(component: int, row: int, blocks: NDArray[np.int16]) -> None:
            found[component, row] = blocks.copy()

        turbojpeg.transform(data, edit=keep)
        return found

    return read


@dataclass
class FixedDetector:
    """Says what it was told, and remembers what it saw."""

    detections: list[Detection]
    name: str = "fixed"
    seen: list[Scene] = field(default_factory=list)

    def detect(self, scene: Scene) -> list[Detection]:
        """See Detector."""
        self.seen.append(scene)
        return self.detections


@pytest.fixture
def detector() -> Callable[..., FixedDetector]:
    """make((kind, x1, y1, x2, y2), ...) -> a detector that finds exactly those boxes."""

    def make(*boxes: tuple[str, float, float, float, float]) -> FixedDetector:
        return FixedDetector([Detection(kind, (x1, y1, x2, y2), 0.9) for kind, x1, y1, x2, y2 in boxes])

    return make
