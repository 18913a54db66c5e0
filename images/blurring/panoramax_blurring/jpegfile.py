"""The structure of a JPEG file: segments, frame, quantisation tables, and where its picture really ends.

Strict on purpose (ITU-T T.81 annex B): what a camera never writes is refused, because two programs could read it as two
different pictures.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import JpegError

SOI, EOI, SOS, DQT, DHT, DRI, COM, APP0 = b"\xff\xd8", 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE, 0xE0
FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}  # baseline, extended, progressive (value: is it progressive)
FRAME_SIZE = 6
MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
FILL = re.compile(rb"\xff+")
MAX_SCANS = 200  # cameras and encoders write at most some 15
#: one more fills no picture that would be accepted, but millions of empty ones would fill the memory
MAX_SEGMENTS = 4096
MAX_SAMPLING = 4
GREY, COLOUR = 1, 3


@dataclass(frozen=True)
class Segment:
    """A marker segment; `start` is the offset of its FF byte, `end` the offset after it."""

    marker: int
    start: int
    end: int

    @property
    def is_metadata(self) -> bool:
        """Whether it is an APPn or COM segment."""
        return APP0 <= self.marker < APP0 + 16 or self.marker == COM


@dataclass(frozen=True)
class Component:
    """One colour plane: horizontal and vertical sampling factors and its quantisation table."""

    h: int
    v: int
    table: int


@dataclass(frozen=True)
class JpegFile:
    """A parsed JPEG file. `scans` are the segments and entropy-coded runs from the first SOS to before the EOI."""

    data: bytes
    segments: tuple[Segment, ...]
    scans: tuple[Segment, ...]
    end: int
    width: int
    height: int
    progressive: bool
    components: tuple[Component, ...]
    tables: dict[int, NDArray[np.float32]]

    def payload(self, segment: Segment) -> bytes:
        """The segment without marker and length."""
        return self.data[segment.start + 4 : segment.end]

    @property
    def trailing_bytes(self) -> int:
        """Bytes after the end of the picture (previews, second pictures, maker data)."""
        return len(self.data) - self.end

    @property
    def mcu(self) -> tuple[int, int]:
        """Width and height in pixels of the unit that every component divides into whole 8x8 blocks."""
        if len(self.components) == GREY:
            return 8, 8
        return 8 * max(c.h for c in self.components), 8 * max(c.v for c in self.components)


def parse(data: bytes) -> JpegFile:
    """Parse a whole file.

    Raises:
        JpegError: not a JPEG, cut off, or of a kind this service does not edit (arithmetic, lossless, hierarchical,
            12 bits, CMYK, size left open).
    """
    if data[:2] != SOI:
        raise JpegError("not a JPEG file", 415)
    segments = tuple(_header(data))
    first_scan = segments[-1].end if segments else 2
    scans = tuple(_scans(data, first_scan))
    frames = [segment for segment in segments if segment.marker in FRAMES]
    if len(frames) != 1:
        raise JpegError(f"{len(frames)} frames instead of one")
    width, height, components = _frame(data[frames[0].start + 4 : frames[0].end])
    tables: dict[int, NDArray[np.float32]] = {}
    for segment in segments:
        if segment.marker == DQT:
            tables.update(_tables(data[segment.start + 4 : segment.end]))
    missing = {c.table for c in components} - tables.keys()
    if missing:
        raise JpegError(f"quantisation table {min(missing)} is missing")
    end = scans[-1].end + 2
    progressive = FRAMES[frames[0].marker]
    return JpegFile(data, segments, scans, end, width, height, progressive, components, tables)


def _segment(data: bytes, start: int) -> Segment:
    if start + 4 > len(data) or data[start] != 0xFF:
        raise JpegError("cut off or damaged between segments")
    length = int(struct.unpack_from(">H", data, start + 2)[0])
    if length < 2 or start + 2 + length > len(data):
        raise JpegError("a segment is longer than the file")
    return Segment(data[start + 1], start, start + 2 + length)


def _marker(data: bytes, position: int) -> int:
    """Offset of the FF byte that belongs to a marker, behind any number of others (T.81 B.1.1.2)."""
    match = FILL.match(data, position)
    return match.end() - 1 if match else position


def _header(data: bytes) -> Iterator[Segment]:
    position = 2
    for _ in range(MAX_SEGMENTS):
        segment = _segment(data, _marker(data, position))
        if segment.marker == SOS:
            return
        if segment.marker not in FRAMES and segment.marker not in (DQT, DHT, DRI) and not segment.is_metadata:
            raise JpegError(f"marker {segment.marker:02X} (kind of JPEG) is not supported")
        yield segment
        position = segment.end
    raise JpegError(f"more than {MAX_SEGMENTS} segments")


def _scans(data: bytes, position: int) -> Iterator[Segment]:
    """Segments from the first SOS on; an SOS includes its entropy-coded data."""
    position = _marker(data, position)
    count = 0
    for _ in range(MAX_SEGMENTS):
        segment = _segment(data, position)
        end = segment.end
        if segment.marker == SOS:
            count += 1
            following = MARKER_IN_SCAN.search(data, end)
            if following is None:
                raise JpegError("cut off: no end of image")
            end = following.start()
        elif segment.marker not in (DHT, DRI) and not segment.is_metadata:
            raise JpegError(f"marker {segment.marker:02X} between scans")
        if count > MAX_SCANS:
            raise JpegError("too many scans")
        yield Segment(segment.marker, segment.start, end)
        position = _marker(data, end)
        if data[position : position + 2] == bytes([0xFF, EOI]):
            return
    raise JpegError(f"more than {MAX_SEGMENTS} segments")


def _frame(payload: bytes) -> tuple[int, int, tuple[Component, ...]]:
    if len(payload) < FRAME_SIZE or len(payload) != FRAME_SIZE + 3 * payload[5]:
        raise JpegError("damaged frame header")
    precision, height, width, count = struct.unpack_from(">BHHB", payload)
    if precision != 8:
        raise JpegError(f"{precision} bits per sample: only 8 are supported")
    if not width or not height:
        raise JpegError("picture without width or height")
    if count not in (GREY, COLOUR):
        raise JpegError(f"{count} colour components (CMYK?): only grey and three colours are supported")
    raw = [payload[FRAME_SIZE + 3 * k : FRAME_SIZE + 3 * k + 3] for k in range(count)]
    components = tuple(Component(entry[1] >> 4, entry[1] & 15, entry[2]) for entry in raw)
    if any(not 1 <= factor <= MAX_SAMPLING for c in components for factor in (c.h, c.v)):
        raise JpegError("damaged sampling factors")
    return width, height, components


def _zigzag() -> NDArray[np.intp]:
    """Row-major position of each of the 64 coefficients in file order (T.81 figure A.6)."""
    cells = [(y, x) for y in range(8) for x in range(8)]
    cells.sort(key=lambda c: (c[0] + c[1], c[0] if (c[0] + c[1]) % 2 else c[1]))
    return np.array([8 * y + x for y, x in cells])


ZIGZAG = _zigzag()


def _tables(payload: bytes) -> Iterator[tuple[int, NDArray[np.float32]]]:
    position = 0
    while position < len(payload):
        wide, table = payload[position] >> 4, payload[position] & 15
        size = 128 if wide else 64
        values = payload[position + 1 : position + 1 + size]
        if wide > 1 or table > 3 or len(values) != size:
            raise JpegError("damaged quantisation table")
        natural = np.empty(64, np.float32)
        natural[ZIGZAG] = np.frombuffer(values, ">u2" if wide else "u1")
        if not natural.all():
            raise JpegError("a quantisation step of zero")
        yield table, natural.reshape(8, 8)
        position += 1 + size
