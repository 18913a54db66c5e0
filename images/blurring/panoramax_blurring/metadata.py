"""Which metadata segments survive: the original bytes, without any embedded picture.

A list of what is kept, not of what is dropped: an unknown APPn segment may hold a preview (Samsung, DJI, Google depth
maps, FlashPix, MPF), so it goes.
"""

import struct
from dataclasses import dataclass, field

from . import exif
from .embedded import blank_text_pictures, holds_jpeg
from .jpegfile import COM, JpegFile, Segment

XMP = b"http://ns.adobe.com/xap/1.0/\0"
JFIF, PHOTOSHOP = b"JFIF\0", b"Photoshop 3.0\0"
JFIF_SIZE = 14
RESOURCE_KINDS = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
THUMBNAIL_RESOURCES = (1033, 1036)
APP0, APP1, APP13, APP14 = 0xE0, 0xE1, 0xED, 0xEE
#: kept as they are, if no JPEG hides inside
KEPT = ((0xE2, b"ICC_PROFILE\0"), (0xE6, b"GoPro"), (APP14, b"Adobe"), (COM, b""))


@dataclass
class Header:
    """The metadata segments of the answer (marker, payload) and what was left out."""

    kept: list[tuple[int, bytes]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def _clean_photoshop(payload: bytes) -> tuple[bytes, list[str]]:
    """Image resources without thumbnails; cut where the structure is damaged."""
    out, dropped = bytearray(PHOTOSHOP), []
    position = len(PHOTOSHOP)
    while payload[position : position + 4] in RESOURCE_KINDS:
        number = int.from_bytes(payload[position + 4 : position + 6], "big")
        name_end = position + 6 + (payload[position + 6] + 2 & ~1 if position + 6 < len(payload) else 0)
        size = int.from_bytes(payload[name_end : name_end + 4], "big")
        end = name_end + 4 + (size + 1 & ~1)
        if name_end + 4 > len(payload) or name_end + 4 + size > len(payload):
            dropped.append("damaged Photoshop resources")
            break
        resource = payload[position:end]
        if number in THUMBNAIL_RESOURCES or holds_jpeg(resource):
            dropped.append(f"Photoshop resource {number}")
        else:
            out += resource
        position = end
    return bytes(out), dropped


def filter_segment(marker: int, payload: bytes, upright_size: tuple[int, int] | None) -> tuple[bytes | None, list[str]]:
    """What is kept of one segment (None: nothing), and what was dropped."""
    kept, dropped = _clean(marker, payload, upright_size)
    # What takes known pictures out of a segment may leave another one, where none belongs: then nothing of it stays.
    if kept is not None and not holds_jpeg(kept):
        return kept, dropped
    label = f"COM {len(payload)} bytes" if marker == COM else f"APP{marker - APP0} {payload[:12]!r}"
    return None, dropped or [label]


def _clean(marker: int, payload: bytes, upright_size: tuple[int, int] | None) -> tuple[bytes | None, list[str]]:
    if marker == APP0 and payload[:5] == JFIF and len(payload) >= JFIF_SIZE:
        rest = payload[JFIF_SIZE:]
        return payload[: JFIF_SIZE - 2] + b"\0\0", ["JFIF thumbnail"] if rest else []
    if marker == APP1 and payload.startswith(exif.MARK):
        try:
            return exif.scrub(payload, upright_size)
        except exif.ExifError as error:
            return None, [f"EXIF: {error}"]
    if marker == APP1 and payload.startswith(XMP):
        text, count = blank_text_pictures(payload)
        return text, ["base64 picture in XMP"] * count
    if marker == APP13 and payload.startswith(PHOTOSHOP):
        return _clean_photoshop(payload)
    known = any(marker == kind and payload.startswith(start) for kind, start in KEPT)
    return payload if known else None, []


def filter_header(source: JpegFile, upright_size: tuple[int, int] | None = None) -> Header:
    """The metadata of the answer, from the original file; `upright_size` if the picture was rotated."""
    header = Header()
    for segment in source.segments:
        if segment.is_metadata:
            payload, dropped = filter_segment(segment.marker, source.payload(segment), upright_size)
            header.dropped += dropped
            if payload is not None:
                header.kept.append((segment.marker, payload))
    header.dropped += ["metadata between scans" for segment in source.scans if segment.is_metadata]
    if source.trailing_bytes:
        header.dropped.append(f"{source.trailing_bytes} bytes after the picture")
    return header


def read_orientation(source: JpegFile) -> int:
    """EXIF orientation 1 to 8 of a file; 1 if it has none."""
    for segment in source.segments:
        if segment.marker == APP1 and source.payload(segment).startswith(exif.MARK):
            return exif.read_orientation(source.payload(segment))
    return 1


def assemble(coded: JpegFile, header: Header) -> bytes:
    """The file of the answer: the kept metadata, then tables, frame and scans of the coded picture."""
    parts = [b"\xff\xd8"]
    if all(marker != APP14 for marker, _ in header.kept):
        # Written by the library where a picture is stored as RGB: without it colours would be read as YCbCr.
        parts += [_raw(coded, segment) for segment in coded.segments if segment.marker == APP14]
    for marker, payload in header.kept:
        parts += [struct.pack(">BBH", 0xFF, marker, len(payload) + 2), payload]
    parts += [_raw(coded, segment) for segment in (*coded.segments, *coded.scans) if not segment.is_metadata]
    return b"".join([*parts, b"\xff\xd9"])


def _raw(source: JpegFile, segment: Segment) -> bytes:
    return source.data[segment.start : segment.end]
