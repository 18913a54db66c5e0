"""Find pictures hidden inside other data: JPEG streams in maker notes, base64 text in XMP."""

import re
from collections.abc import Iterator

#: the start of a picture and the marker of its first segment, which any number of FF may precede (T.81 B.1.1.2)
JPEG_START = re.compile(rb"\xff?\xd8\xff+[\xc0-\xcf\xdb\xdd\xe0-\xef\xf7\xfe]", re.DOTALL)
#: base64 of JPEG, PNG, GIF, WebP (RIFF) and anything else that is long and solid
TEXT_PICTURE = re.compile(
    rb"(?:/9j/|iVBORw0KG|R0lGOD|UklGR)(?:[A-Za-z0-9+/=\s]|&#x[0-9A-Fa-f]{1,4};){48,}|[A-Za-z0-9+/]{1500,}={0,2}"
)


def _ends(data: bytes, start: int) -> int:
    """Offset after the JPEG stream whose first segment begins at `start`; the end of the data if it does not close."""
    position = start
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xD9:
            return position + 2
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xDA:
            match = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]").search(data, position)
            if match is None:
                break
            position = match.start()
    last = data.rfind(b"\xff\xd9", start)
    return len(data) if last < 0 else last + 2


def jpeg_streams(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of every JPEG stream inside binary data.

    Some maker notes spoil the first byte of their preview: a start without it counts if a second segment follows.
    """
    position = 0
    while match := JPEG_START.search(data, position):
        start = match.start()
        first = match.end() - 2
        whole = data[start] == 0xFF
        length = int.from_bytes(data[first + 2 : first + 4], "big")
        if whole or data[first + 2 + length : first + 3 + length] == b"\xff":
            end = max(_ends(data, first), match.end())
            yield start, end
            position = end
        else:
            position = match.end() - 2


def holds_jpeg(data: bytes) -> bool:
    """Whether any JPEG stream is in the data."""
    return next(jpeg_streams(data), None) is not None


def blank_jpegs(data: bytearray) -> int:
    """Overwrite every embedded JPEG stream with zeros, in place; how many there were."""
    found = list(jpeg_streams(bytes(data)))
    for start, end in found:
        data[start:end] = bytes(end - start)
    return len(found)


def blank_text_pictures(data: bytes) -> tuple[bytes, int]:
    """Replace base64 pictures by as many spaces: every offset and length stays valid."""
    return TEXT_PICTURE.subn(lambda match: b" " * len(match.group()), data)
