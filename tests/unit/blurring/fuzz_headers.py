"""Fuzzes what reads strangers' bytes before anything else does: the JPEG structure, EXIF, XMP and Photoshop resources.

fuzz_headers.py CORPUS [-max_total_time=600 ...]: options are libFuzzer's. Inputs that lead somewhere new are added to
the folder CORPUS; one that breaks a promise is written to crash-* in the working directory, and ends the run.
Every input is read as a whole file, and as the content of each kind of metadata segment.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "images" / "blurring"))

with atheris.instrument_imports(include=["panoramax_blurring"]):
    from panoramax_blurring import embedded, exif, jpegfile, metadata
    from panoramax_blurring.errors import JpegError

LARGEST_PAYLOAD = 65533
SIZES = (None, (16, 32))


def check_file(data: bytes) -> None:
    """A file is refused, or what is made of it without looking at its pixels is the same picture and nothing else."""
    try:
        source = jpegfile.parse(data)
    except JpegError:
        return
    assert 0 < source.width < 1 << 16
    assert 0 < source.height < 1 << 16
    assert 1 <= metadata.read_orientation(source) <= 8
    for size in SIZES:
        header = metadata.filter_header(source, size)
        for _, payload in header.kept:
            check_clean(payload)
        again = jpegfile.parse(metadata.assemble(source, header))
        assert (again.width, again.height, again.components) == (source.width, source.height, source.components)
        assert again.progressive == source.progressive
        assert not again.trailing_bytes


def check_clean(payload: bytes) -> None:
    """No picture is left, as binary data or as text, and the segment fits its length field."""
    assert len(payload) <= LARGEST_PAYLOAD
    assert not embedded.holds_jpeg(payload)
    if payload.startswith((exif.MARK, metadata.XMP)):
        assert embedded.blank_text_pictures(payload)[1] == 0


def check_exif(data: bytes) -> None:
    """EXIF is refused, or comes out as long as it was, upright, and without a picture."""
    payload = (exif.MARK + data)[:LARGEST_PAYLOAD]
    assert 1 <= exif.read_orientation(payload) <= 8
    for size in SIZES:
        try:
            scrubbed, _ = exif.scrub(payload, size)
        except exif.ExifError:
            continue
        assert len(scrubbed) == len(payload)
        check_clean(scrubbed)
        # What is left can still be read, by others too.
        assert 1 <= exif.read_orientation(scrubbed) <= 8
        entries = exif.Tiff(scrubbed)
        entries.directory(entries.first)


def check_segments(data: bytes) -> None:
    """The other kinds of metadata segments."""
    for marker, start in ((metadata.APP1, metadata.XMP), (metadata.APP13, metadata.PHOTOSHOP), *metadata.KEPT):
        kept, _ = metadata.filter_segment(marker, (start + data)[:LARGEST_PAYLOAD], None)
        if kept is not None:
            check_clean(kept)


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever the service did not expect, if a promise is broken."""
    check_file(data)
    check_exif(data)
    check_segments(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
