"""The parser of JPEG files: what it reads, and what it refuses."""

import struct
from collections.abc import Callable

import numpy as np
import pytest

from panoramax_blurring.errors import JpegError
from panoramax_blurring.jpegfile import MAX_SEGMENTS, ZIGZAG, parse

Jpeg = Callable[..., bytes]


def test_zigzag_follows_the_standard() -> None:
    assert ZIGZAG[:12].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]
    assert ZIGZAG[-3:].tolist() == [55, 62, 63]
    assert sorted(ZIGZAG.tolist()) == list(range(64))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_reads_size_sampling_and_tables(jpeg: Jpeg, subsampling: str, progressive: bool) -> None:
    source = parse(jpeg(161, 97, subsampling=subsampling, progressive=progressive))
    assert (source.width, source.height, source.progressive) == (161, 97, progressive)
    expected = {"4:4:4": (8, 8), "4:2:2": (16, 8), "4:2:0": (16, 16)}[subsampling]
    assert source.mcu == expected
    assert all(np.all(table >= 1) for table in source.tables.values())
    assert source.trailing_bytes == 0


def test_sees_what_follows_the_picture(jpeg: Jpeg) -> None:
    source = parse(jpeg() + b"\xff\xd8second picture\xff\xd9")
    assert source.trailing_bytes == 18


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(50), b"\xff\xd8\xff\xe0\0\x01"]
)
def test_refuses_what_is_no_jpeg(data: bytes) -> None:
    with pytest.raises(JpegError):
        parse(data)


def test_refuses_every_truncation(jpeg: Jpeg) -> None:
    data = jpeg(64, 48)
    for length in range(len(data)):
        with pytest.raises(JpegError):
            parse(data[:length])


def _with_frame(data: bytes, change: Callable[[bytearray, int], None]) -> bytes:
    out = bytearray(data)
    change(out, data.index(b"\xff\xc0"))
    return bytes(out)


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF, 0xDE])
def test_refuses_other_kinds_of_jpeg(jpeg: Jpeg, marker: int) -> None:
    def change(data: bytearray, at: int) -> None:
        data[at + 1] = marker

    with pytest.raises(JpegError, match=r"not supported|frames"):
        parse(_with_frame(jpeg(), change))


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [(4, 12, "12 bits"), (5, 0, "width or height"), (11, 0, "sampling"), (11, 0x51, "sampling"), (12, 7, "missing")],
)
def test_refuses_a_doubtful_frame(jpeg: Jpeg, offset: int, value: int, reason: str) -> None:
    def change(data: bytearray, at: int) -> None:
        data[at + offset] = value
        if offset == 5:
            data[at + 6] = 0

    with pytest.raises(JpegError, match=reason):
        parse(_with_frame(jpeg(), change))


def test_refuses_cmyk(jpeg: Jpeg) -> None:
    with pytest.raises(JpegError, match="4 colour components"):
        parse(jpeg(mode="CMYK"))


def test_refuses_two_frames_and_pictures_inside_the_scan(jpeg: Jpeg) -> None:
    data = jpeg()
    at = data.index(b"\xff\xc0")
    frame = data[at : at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]]
    with pytest.raises(JpegError, match="2 frames"):
        parse(data[:at] + frame + data[at:])
    with pytest.raises(JpegError):
        parse(data[:-2] + data + b"\xff\xd9")


@pytest.mark.parametrize("marker", [b"\xff\xc4", b"\xff\xda"])
def test_millions_of_empty_segments_are_not_even_counted(jpeg: Jpeg, marker: bytes) -> None:
    data = jpeg()
    at = data.index(marker)
    flood = b"\xff\xfe\0\x02" * MAX_SEGMENTS
    with pytest.raises(JpegError, match="more than 4096 segments"):
        parse(data[:at] + flood + data[at:])
    progressive = jpeg(progressive=True)
    at = progressive.rindex(marker)
    with pytest.raises(JpegError, match="more than 4096 segments"):
        parse(progressive[:at] + flood + progressive[at:])


def test_any_number_of_fill_bytes_before_a_marker(jpeg: Jpeg) -> None:
    data = jpeg()
    padded = data
    for marker in (b"\xff\xdb", b"\xff\xda"):
        padded = padded.replace(marker, b"\xff" * 1_000_000 + marker, 1)
    assert (parse(padded).width, parse(padded).height) == (160, 96)


def test_refuses_a_zero_quantisation_step(jpeg: Jpeg) -> None:
    data = bytearray(jpeg())
    data[data.index(b"\xff\xdb") + 6] = 0
    with pytest.raises(JpegError, match="zero"):
        parse(bytes(data))


def test_any_single_changed_byte_is_read_or_refused(jpeg: Jpeg) -> None:
    data = jpeg(32, 24)
    header = data.index(b"\xff\xda") + 14
    for position in range(header):
        for value in (0, 0x7F, 0xD8, 0xFF):
            changed = data[:position] + bytes([value]) + data[position + 1 :]
            try:
                parse(changed)
            except JpegError:
                continue
