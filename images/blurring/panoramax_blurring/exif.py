"""EXIF (a TIFF structure in APP1): read the orientation; remove every embedded picture without moving a byte.

The segment keeps its length and every offset, so GPS, maker notes and everything else stay byte for byte the same.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .embedded import blank_jpegs, blank_text_pictures

MARK = b"Exif\0\0"
ORIENTATION, EXIF_IFD, SUB_IFDS = 0x0112, 0x8769, 0x014A
PIXEL_X, PIXEL_Y = 0xA002, 0xA003
JPEG_OFFSET, JPEG_LENGTH = 0x0201, 0x0202
#: offsets and lengths of uncompressed strips and tiles
PIECES = ((0x0111, 0x0117), (0x0144, 0x0145), (JPEG_OFFSET, JPEG_LENGTH))
SHORT, LONG, IFD_TYPE = 3, 4, 13
SIZES = {SHORT: 2, LONG: 4, IFD_TYPE: 4}
MAX_ENTRIES = 1000
MAX_IFDS = 16
MAX_PIECES = 256


class ExifError(ValueError):
    """The segment is not readable EXIF; it is left out as a whole."""


@dataclass(frozen=True)
class Entry:
    """One directory entry: offset of its 12 bytes in the TIFF data, tag, type and count."""

    offset: int
    tag: int
    kind: int
    count: int


class Tiff:
    """Bounds-checked access to the TIFF data of an EXIF segment."""

    def __init__(self, payload: bytes) -> None:
        self.data = bytearray(payload[len(MARK) :])
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(self.data[:4]))
        if order is None or len(self.data) < 8:
            raise ExifError("no TIFF header")
        self.order = order
        self.first = self.unsigned(4, LONG)

    def unsigned(self, offset: int, kind: int) -> int:
        """A 16 or 32 bit number.

        Raises:
            ExifError: outside the segment.
        """
        size = SIZES[kind]
        if offset < 0 or offset + size > len(self.data):
            raise ExifError("a number lies outside the segment")
        return int.from_bytes(self.data[offset : offset + size], "little" if self.order == "<" else "big")

    def put(self, offset: int, kind: int, value: int) -> None:
        """Overwrite a number that `unsigned` could read."""
        self.unsigned(offset, kind)
        struct.pack_into(self.order + ("H" if kind == SHORT else "I"), self.data, offset, value)

    def directory(self, offset: int) -> tuple[list[Entry], int]:
        """Entries of the directory at an offset, and the offset of its link to the next one.

        Raises:
            ExifError: it does not fit into the segment.
        """
        count = self.unsigned(offset, SHORT)
        link = offset + 2 + 12 * count
        if count > MAX_ENTRIES or link > len(self.data):
            raise ExifError("a directory is longer than the segment")
        starts = range(offset + 2, link, 12)
        return [Entry(p, self.unsigned(p, SHORT), self.unsigned(p + 2, SHORT), self.unsigned(p + 4, LONG))
                for p in starts], link  # fmt: skip

    def values(self, entry: Entry) -> list[int]:
        """The numbers of a SHORT, LONG or IFD entry (nothing for other types), as far as they lie inside."""
        size = SIZES.get(entry.kind)
        if size is None:
            return []
        total = size * entry.count
        start = entry.offset + 8 if total <= 4 else self.unsigned(entry.offset + 8, LONG)
        stop = min(start + total, len(self.data) - size + 1)
        return [self.unsigned(p, entry.kind) for p in range(start, stop, size)]

    def blank(self, start: int, length: int) -> None:
        """Zero a range, as far as it lies behind the header and inside the segment."""
        start, stop = max(8, start), min(start + length, len(self.data))
        if stop > start:
            self.data[start:stop] = bytes(stop - start)


def read_orientation(payload: bytes) -> int:
    """EXIF orientation 1 to 8; 1 where it is missing, out of range or unreadable."""
    try:
        tiff = Tiff(payload)
        for entry in tiff.directory(tiff.first)[0]:
            if entry.tag == ORIENTATION:
                values = tiff.values(entry)
                return values[0] if values and 1 <= values[0] <= 8 else 1
    except ExifError:
        pass
    return 1


def scrub(payload: bytes, upright_size: tuple[int, int] | None = None) -> tuple[bytes, list[str]]:
    """Remove every embedded picture from an EXIF segment.

    Args:
        payload: the segment's payload, beginning with the EXIF mark.
        upright_size: new width and height if the picture was rotated: the orientation becomes 1.

    Returns:
        The payload (same length) and what was removed.

    Raises:
        ExifError: the main directory cannot be read, or no more, because a picture was in the middle of it.
    """
    tiff = Tiff(payload)
    removed: list[str] = []
    entries, link = tiff.directory(tiff.first)
    if upright_size is not None:
        _set_upright(tiff, entries, upright_size)
    for owner in (entries, *_sub_directories(tiff, entries)):
        removed += ["picture data in EXIF"] * _blank_pieces(tiff, owner)
    thumbnail = tiff.unsigned(link, LONG) if link + 4 <= len(tiff.data) else 0
    if thumbnail:
        removed.append("EXIF thumbnail")
        for owner in _chain(tiff, thumbnail):
            _blank_pieces(tiff, owner)
        tiff.put(link, LONG, 0)
    removed += ["JPEG inside EXIF"] * blank_jpegs(tiff.data)
    data, texts = blank_text_pictures(bytes(tiff.data))
    removed += ["base64 picture inside EXIF"] * texts
    clean = Tiff(MARK + data)
    clean.directory(clean.first)
    return MARK + data, removed


def _set_upright(tiff: Tiff, entries: list[Entry], size: tuple[int, int]) -> None:
    for entry in entries:
        if entry.tag == ORIENTATION and entry.kind in SIZES:
            tiff.put(entry.offset + 8, entry.kind, 1)
        if entry.tag == EXIF_IFD:
            for offset in tiff.values(entry)[:1]:
                _set_size(tiff, offset, size)


def _set_size(tiff: Tiff, offset: int, size: tuple[int, int]) -> None:
    try:
        entries = tiff.directory(offset)[0]
    except ExifError:
        return
    for entry in entries:
        if entry.tag in (PIXEL_X, PIXEL_Y) and entry.kind in SIZES and entry.count == 1:
            tiff.put(entry.offset + 8, entry.kind, size[entry.tag == PIXEL_Y])


def _sub_directories(tiff: Tiff, entries: list[Entry]) -> Iterator[list[Entry]]:
    for entry in entries:
        if entry.tag in (SUB_IFDS, EXIF_IFD):
            for offset in _safe_values(tiff, entry)[:MAX_IFDS]:
                yield from _chain(tiff, offset)


def _chain(tiff: Tiff, offset: int) -> Iterator[list[Entry]]:
    """The directories linked from an offset on; ends at the first that cannot be read."""
    for _ in range(MAX_IFDS):
        try:
            entries, link = tiff.directory(offset)
        except ExifError:
            return
        yield entries
        offset = tiff.unsigned(link, LONG) if link + 4 <= len(tiff.data) else 0
        if not offset:
            return


def _safe_values(tiff: Tiff, entry: Entry) -> list[int]:
    try:
        return tiff.values(entry)
    except ExifError:
        return []


def _blank_pieces(tiff: Tiff, entries: list[Entry]) -> int:
    """Zero what the picture-data tags of a directory point at; how many pieces."""
    by_tag = {entry.tag: entry for entry in entries}
    count = 0
    for starts, lengths in PIECES:
        if starts in by_tag:
            sizes = _safe_values(tiff, by_tag[lengths]) if lengths in by_tag else []
            places = _safe_values(tiff, by_tag[starts])
            if len(places) > MAX_PIECES:
                places, sizes = [min(places)], []
            for index, start in enumerate(places):
                tiff.blank(start, sizes[index] if index < len(sizes) else len(tiff.data))
                count += 1
    return count
