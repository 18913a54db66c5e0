"""JPEG files, as much as the verifier needs: give a picture a place and a date, and tell where it has detail.

No library decodes pictures on the controller. To see that a face is gone it is enough to read the Huffman-coded
coefficients (ITU-T T.81): a blurred area has next to none besides the mean of each block of 8x8 pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

ZIGZAG_LENGTH = 64
START, END, SCAN = 0xD8, 0xD9, 0xDA
STANDALONE = frozenset({0x01, START, *range(0xD0, 0xD8)})


class JpegError(ValueError):
    """The file is no JPEG, or of a kind that is not read here (only baseline, Huffman-coded)."""


@dataclass(frozen=True)
class _Component:
    identifier: int
    horizontal: int
    vertical: int
    table: int


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Marker, offset and payload of each segment up to the first scan, which it ends with."""
    if data[:2] != b"\xff\xd8":
        raise JpegError("no JPEG")
    offset = 2
    while offset + 4 <= len(data):
        if data[offset] != 0xFF:
            raise JpegError(f"no marker at byte {offset}")
        marker = data[offset + 1]
        if marker == 0xFF or marker in STANDALONE:
            offset += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if offset + 2 + length > len(data):
            break
        yield marker, offset, data[offset + 4 : offset + 2 + length]
        if marker == SCAN:
            return
        offset += 2 + length
    raise JpegError("ends before its picture begins")


def located(picture: bytes, longitude: float, latitude: float, when: datetime, note: str) -> bytes:
    """The picture with EXIF of its own (degrees, UTC), in place of whatever it had, and a note that makes it unique."""
    kept = b"".join(
        picture[offset : offset + 4 + len(payload)]
        for marker, offset, payload in _segments(picture)
        if marker not in {0xE1, 0xFE, SCAN}
    )
    scan = next(offset for marker, offset, _ in _segments(picture) if marker == SCAN)
    exif = b"Exif\0\0" + _exif(longitude, latitude, when)
    comment = note.encode()
    added = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload
        for marker, payload in ((0xE1, exif), (0xFE, comment))
    )
    return b"\xff\xd8" + added + kept + picture[scan:]


def _exif(longitude: float, latitude: float, when: datetime) -> bytes:
    """A TIFF structure with IFD0, the EXIF IFD and the GPS IFD, big-endian."""
    date = when.strftime("%Y:%m:%d %H:%M:%S").encode() + b"\0"
    taken = [(0x9003, 2, date), (0x9011, 2, b"+00:00\0")]
    place = [
        (0x0001, 2, b"N\0" if latitude >= 0 else b"S\0"),
        (0x0002, 5, _degrees(latitude)),
        (0x0003, 2, b"E\0" if longitude >= 0 else b"W\0"),
        (0x0004, 5, _degrees(longitude)),
    ]

    def main(exif: int, gps: int) -> bytes:
        pointers = [(0x8769, 4, struct.pack(">I", exif)), (0x8825, 4, struct.pack(">I", gps))]
        return _ifd([(0x010F, 2, b"verifier"), *pointers], 8)

    # What a directory holds does not change its length.
    exif = 8 + len(main(0, 0))
    gps = exif + len(_ifd(taken, exif))
    return b"MM\0*" + struct.pack(">I", 8) + main(exif, gps) + _ifd(taken, exif) + _ifd(place, gps)


def _degrees(value: float) -> bytes:
    """Degrees, minutes and seconds as three fractions."""
    seconds = round(abs(value) * 3600 * 100)
    return struct.pack(">6I", seconds // 360000, 1, seconds // 6000 % 60, 1, seconds % 6000, 100)


def _ifd(entries: Sequence[tuple[int, int, bytes]], at: int) -> bytes:
    """One directory: tag, type (2 text, 4 number, 5 fractions) and value of each entry, for an offset."""
    size = {2: 1, 4: 4, 5: 8}
    table, values = b"", b""
    begin = at + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        count = len(value) // size[kind]
        if len(value) <= 4:
            table += struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")
        else:
            table += struct.pack(">HHII", tag, kind, count, begin + len(values))
            values += value + b"\0" * (len(value) % 2)
    return struct.pack(">H", len(entries)) + table + bytes(4) + values


def _huffman(payload: bytes) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Each table of a DHT segment: its number, and for every 16 bits that may come, (length of the code, symbol)."""
    offset = 0
    while offset < len(payload):
        number, counts = payload[offset], payload[offset + 1 : offset + 17]
        symbols = payload[offset + 17 : offset + 17 + sum(counts)]
        table: list[tuple[int, int]] = []
        index = 0
        for length, count in enumerate(counts, start=1):
            for _ in range(count):
                table += [(length, symbols[index])] * (1 << (16 - length))
                index += 1
        table += [(0, 0)] * (65536 - len(table))
        yield number, table
        offset += 17 + len(symbols)


class _Bits:
    """The scan's bits, without stuffed bytes; restart markers are passed over by `align`."""

    def __init__(self, data: bytes) -> None:
        self._parts = self._split(data)
        self._load(next(self._parts))

    @staticmethod
    def _split(data: bytes) -> Iterator[bytes]:
        begin = offset = 0
        while (offset := data.find(b"\xff", offset)) >= 0 and offset + 1 < len(data):
            marker = data[offset + 1]
            if marker == 0:
                offset += 2
                continue
            yield data[begin:offset].replace(b"\xff\x00", b"\xff")
            if not 0xD0 <= marker <= 0xD7:
                return
            begin = offset = offset + 2
        raise JpegError("ends within its picture")

    def _load(self, part: bytes) -> None:
        self._data = part + b"\xff" * 8
        self._position = 0

    def align(self) -> None:
        """Go on after the next restart marker."""
        self._load(next(self._parts))

    def peek(self, count: int) -> int:
        """The next bits, up to 16, which stay."""
        byte, bit = divmod(self._position, 8)
        chunk = int.from_bytes(self._data[byte : byte + 4].ljust(4, b"\xff"), "big")
        return (chunk >> (32 - bit - count)) & ((1 << count) - 1)

    def symbol(self, table: list[tuple[int, int]]) -> int:
        """The next Huffman-coded symbol."""
        length, symbol = table[self.peek(16)]
        if not length:
            raise JpegError("a code that no table has")
        self._position += length
        return symbol

    def value(self, size: int) -> int:
        """The next coefficient of so many bits."""
        if not size:
            return 0
        raw = self.peek(size)
        self._position += size
        return raw if raw >> (size - 1) else raw - (1 << size) + 1


@dataclass(frozen=True)
class Detail:
    """How much detail each 8x8 block of the brightness has: the sum of its coefficients' sizes, without the mean."""

    width: int
    height: int
    columns: int
    blocks: Sequence[int]

    def inside(self, box: Sequence[float]) -> int:
        """Detail of the blocks that lie wholly in a box (left, top, right, bottom in parts of width and height)."""
        left, right = -(-int(box[0] * self.width) // 8), int(box[2] * self.width) // 8
        top, bottom = -(-int(box[1] * self.height) // 8), int(box[3] * self.height) // 8
        if right <= left or bottom <= top:
            raise JpegError("the area is smaller than a block")
        return sum(
            self.blocks[row * self.columns + column] for row in range(top, bottom) for column in range(left, right)
        )


def detail(data: bytes) -> Detail:
    """Read the detail of a picture. Raises JpegError if it is none, is damaged, or is not baseline."""
    tables: dict[int, list[tuple[int, int]]] = {}
    quantisers: dict[int, list[int]] = {}
    components: list[_Component] = []
    width = height = interval = 0
    for marker, offset, payload in _segments(data):
        if marker in {0xC0, 0xC1}:
            height, width, count = struct.unpack_from(">HHB", payload, 1)
            components = [
                _Component(payload[i], payload[i + 1] >> 4, payload[i + 1] & 15, payload[i + 2])
                for i in range(6, 6 + 3 * count, 3)
            ]
        elif 0xC2 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            raise JpegError("not a baseline JPEG")
        elif marker == 0xC4:
            tables.update(_huffman(payload))
        elif marker == 0xDB:
            quantisers.update(_quantisers(payload))
        elif marker == 0xDD:
            (interval,) = struct.unpack(">H", payload)
        elif marker == SCAN:
            count = payload[0]
            if count != len(components) or not components:
                raise JpegError("more than one scan")
            chosen = [(payload[2 + 2 * i] >> 4, 16 | (payload[2 + 2 * i] & 15)) for i in range(count)]
            scan = _Bits(data[offset + 4 + len(payload) :])
            return _read(scan, components, chosen, tables, quantisers, (width, height), interval)
    raise JpegError("no scan")


def _quantisers(payload: bytes) -> Iterator[tuple[int, list[int]]]:
    offset = 0
    while offset < len(payload):
        wide, number = payload[offset] >> 4, payload[offset] & 15
        form = f">{ZIGZAG_LENGTH}{'H' if wide else 'B'}"
        yield number, list(struct.unpack_from(form, payload, offset + 1))
        offset += 1 + struct.calcsize(form)


def _read(
    bits: _Bits,
    components: list[_Component],
    chosen: list[tuple[int, int]],
    tables: dict[int, list[tuple[int, int]]],
    quantisers: dict[int, list[int]],
    size: tuple[int, int],
    interval: int,
) -> Detail:
    most_h = max(component.horizontal for component in components)
    most_v = max(component.vertical for component in components)
    if len(components) == 1:
        components = [_Component(components[0].identifier, 1, 1, components[0].table)]
        most_h = most_v = 1
    across, down = -(-size[0] // (8 * most_h)), -(-size[1] // (8 * most_v))
    luma = components[0]
    columns = across * luma.horizontal
    found = [0] * (columns * down * luma.vertical)
    for unit in range(across * down):
        if interval and unit and unit % interval == 0:
            bits.align()
        row, column = divmod(unit, across)
        for index, component in enumerate(components):
            mean, other = (tables[number] for number in chosen[index])
            quantiser = quantisers[component.table]
            for v in range(component.vertical):
                for h in range(component.horizontal):
                    amount = _block(bits, mean, other, quantiser)
                    if index == 0:
                        at = (row * luma.vertical + v) * columns + column * luma.horizontal + h
                        found[at] = amount
    return Detail(size[0], size[1], columns, found)


def _block(bits: _Bits, mean: list[tuple[int, int]], other: list[tuple[int, int]], quantiser: list[int]) -> int:
    """Read one block; return the sum of the sizes of its coefficients but the mean."""
    bits.value(bits.symbol(mean))
    total, index = 0, 1
    while index < ZIGZAG_LENGTH:
        symbol = bits.symbol(other)
        run, size = symbol >> 4, symbol & 15
        if size == 0:
            if run != 15:
                break
            index += 16
            continue
        index += run
        if index >= ZIGZAG_LENGTH:
            raise JpegError("more coefficients than a block has")
        total += abs(bits.value(size)) * quantiser[index]
        index += 1
    return total
