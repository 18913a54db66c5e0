"""Metadata: every embedded picture goes, every other byte stays."""

import base64
import random
import struct
from collections.abc import Callable

import pytest

from panoramax_blurring import exif as exif_module
from panoramax_blurring.embedded import blank_text_pictures, holds_jpeg
from panoramax_blurring.jpegfile import parse
from panoramax_blurring.metadata import XMP, assemble, filter_header, read_orientation

Make = Callable[..., bytes]


@pytest.mark.parametrize("order", ["<", ">"])
def test_thumbnail_goes_and_nothing_else_moves(jpeg: Make, exif: Make, order: str) -> None:
    thumbnail = jpeg(32, 16)
    payload = exif(thumbnail=thumbnail, note=b"maker note", order=order)
    scrubbed, removed = exif_module.scrub(payload)
    assert len(scrubbed) == len(payload)
    assert removed == ["EXIF thumbnail"]
    assert not holds_jpeg(scrubbed)
    second = payload.index(b"maker note") + len(b"maker note")
    link = payload.index(struct.pack(order + "I", second - 6), 14)
    assert scrubbed[:link] == payload[:link]
    assert scrubbed[link + 4 : second] == payload[link + 4 : second]
    assert scrubbed[link : link + 4] == bytes(4)
    assert not any(scrubbed[-len(thumbnail) :])


def test_uncompressed_thumbnail_goes(exif: Make) -> None:
    payload = bytearray(exif(thumbnail=b"\x55" * 300))
    at = payload.index(struct.pack("<H", 0x201))
    payload[at : at + 2] = struct.pack("<H", 0x111)
    at = payload.index(struct.pack("<H", 0x202))
    payload[at : at + 2] = struct.pack("<H", 0x117)
    assert b"\x55" * 4 not in exif_module.scrub(bytes(payload))[0]


@pytest.mark.parametrize("first", [b"\xff", b"\x00"])
def test_preview_in_a_maker_note_goes(jpeg: Make, exif: Make, first: bytes) -> None:
    preview = first + jpeg(40, 24)[1:]
    payload = exif(note=b"before" + preview + b"after!")
    scrubbed, removed = exif_module.scrub(payload)
    assert removed == ["JPEG inside EXIF"]
    assert preview[20:60] not in scrubbed
    assert scrubbed.index(b"before") == payload.index(b"before")
    assert b"after!" in scrubbed


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_and_reset(exif: Make, orientation: int) -> None:
    payload = exif(orientation=orientation)
    assert exif_module.read_orientation(payload) == orientation
    upright, _ = exif_module.scrub(payload, (96, 160))
    assert exif_module.read_orientation(upright) == 1
    at = upright.index(struct.pack("<HHI", 0xA002, 4, 1)) + 8
    assert struct.unpack_from("<I", upright, at)[0] == 96
    assert struct.unpack_from("<I", upright, at + 12)[0] == 160


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_senseless_orientation_counts_as_upright(exif: Make, value: int) -> None:
    assert exif_module.read_orientation(exif(orientation=value)) == 1


def test_hostile_exif_ends_quickly_and_keeps_no_picture(jpeg: Make, exif: Make) -> None:
    generator = random.Random(7)
    payload = exif(orientation=6, thumbnail=jpeg(32, 16), note=b"x" * 40)
    for _ in range(1500):
        changed = bytearray(payload)
        for _ in range(generator.randint(1, 6)):
            position = generator.randrange(6, 120)
            changed[position] = generator.choice([0, 1, 4, 8, 127, 255, generator.randrange(256)])
        try:
            scrubbed, _ = exif_module.scrub(bytes(changed), (16, 32))
        except exif_module.ExifError:
            continue
        assert len(scrubbed) == len(payload)
        assert not holds_jpeg(scrubbed)


def test_exif_directory_that_links_to_itself(exif: Make) -> None:
    payload = bytearray(exif(thumbnail=b"t" * 20))
    payload[-24:-20] = struct.pack("<I", 8)
    assert len(exif_module.scrub(bytes(payload))[0]) == len(payload)


def test_exif_in_which_a_picture_covers_the_directory_is_left_out(jpeg: Make) -> None:
    # The directory's offset ends with the picture's first byte.
    payload = b"Exif\0\0MM\0*" + b"\0\0\0" + jpeg(16, 8) + bytes(600)
    with pytest.raises(exif_module.ExifError):
        exif_module.scrub(payload)


def test_damaged_exif_is_left_out_as_a_whole(jpeg: Make, with_segments: Make) -> None:
    source = parse(with_segments(jpeg(), (0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f")))
    header = filter_header(source)
    assert all(marker != 0xE1 for marker, _ in header.kept)
    assert header.dropped == ["EXIF: a number lies outside the segment"]


def test_pictures_in_text_are_blanked_at_the_same_length(jpeg: Make) -> None:
    text = base64.b64encode(jpeg(40, 24))
    xmp = XMP + b'<x GPano:ProjectionType="equirectangular"><a>' + text + b"</a><b>kept</b></x>"
    clean, count = blank_text_pictures(xmp)
    assert count == 1
    assert len(clean) == len(xmp)
    assert text[:40] not in clean
    assert b'GPano:ProjectionType="equirectangular"' in clean
    assert b"<b>kept</b>" in clean


def test_ordinary_text_stays() -> None:
    text = XMP + b"<rdf:li>" + b"A sentence of many words, none of them a picture. " * 80 + b"</rdf:li>"
    assert blank_text_pictures(text) == (text, 0)


@pytest.mark.parametrize("start", [b"\xff\xd8\xff\xdb", b"\xff\xd8\xff\xff\xff\xe0", b"\xff\xd8\xff\xf7"])
def test_a_picture_as_binary_data_in_text_takes_the_text_with_it(jpeg: Make, with_segments: Make, start: bytes) -> None:
    header = filter_header(parse(with_segments(jpeg(), (0xE1, XMP + b"<x>" + start + b"\0\x02\xff"))))
    assert all(marker != 0xE1 for marker, _ in header.kept)
    assert len(header.dropped) == 1


def _resource(number: int, content: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + bytes(len(content) % 2)


def test_photoshop_thumbnails_go_and_captions_stay(jpeg: Make, with_segments: Make) -> None:
    caption, thumbnail = _resource(1028, b"IPTC!"), _resource(1036, b"\0" * 28 + jpeg(16, 16))
    body = b"Photoshop 3.0\0" + caption + thumbnail + _resource(1005, b"dpi")
    header = filter_header(parse(with_segments(jpeg(), (0xED, body))))
    assert (0xED, b"Photoshop 3.0\0" + caption + _resource(1005, b"dpi")) in header.kept
    assert header.dropped == ["Photoshop resource 1036"]


@pytest.mark.parametrize("size", [5, 0x7FFFFFFF, 0xFFFFFFFF])
def test_hostile_photoshop_lengths(jpeg: Make, with_segments: Make, size: int) -> None:
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 1028, 0, size) + b"abc"
    header = filter_header(parse(with_segments(jpeg(), (0xED, body))))
    assert (0xED, b"Photoshop 3.0\0") in header.kept


def test_only_known_segments_survive(jpeg: Make, with_segments: Make) -> None:
    kept = [
        (0xE2, b"ICC_PROFILE\0\1\1profile"),
        (0xE6, b"GoPro telemetry"),
        (0xFE, b"a comment"),
        (0xE1, XMP + b"<x/>"),
    ]
    gone = [
        (0xE2, b"MPF\0II*\0"),
        (0xE2, b"FPXR\0"),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40),
        (0xE0, b"JFXX\0\x10" + jpeg(8, 8)),
        (0xE4, b"preview" + jpeg(8, 8)),
        (0xEB, b"anything"),
        (0xFE, b"comment with " + jpeg(8, 8)),
        (0xE2, b"ICC_PROFILE\0" + jpeg(8, 8)),
    ]
    header = filter_header(parse(with_segments(jpeg(), *kept, *gone)))
    assert [entry for entry in header.kept if entry[0] != 0xE0] == kept
    assert len(header.dropped) == len(gone)


def test_jfif_thumbnail_goes(jpeg: Make) -> None:
    data = jpeg(48, 32)
    length = struct.unpack(">H", data[4:6])[0]
    body = data[6 : 4 + length][:12] + b"\x02\x02" + b"rgbrgbrgbrgb"
    changed = b"\xff\xd8\xff\xe0" + struct.pack(">H", len(body) + 2) + body + data[4 + length :]
    header = filter_header(parse(changed))
    assert header.kept[0] == (0xE0, body[:12] + b"\0\0")
    assert header.dropped == ["JFIF thumbnail"]


def test_assembled_file_has_one_start_and_the_same_scan(jpeg: Make, exif: Make, with_segments: Make) -> None:
    original = jpeg(80, 48, progressive=True)
    source = parse(with_segments(original, (0xE1, exif(thumbnail=jpeg(16, 8)))) + b"trailer" + jpeg(8, 8))
    answer = assemble(source, filter_header(source))
    assert answer.count(b"\xff\xd8\xff") == 1
    assert answer.endswith(original[original.index(b"\xff\xda") :])
    assert parse(answer).trailing_bytes == 0
    assert read_orientation(parse(answer)) == 1


def test_metadata_between_scans_goes(jpeg: Make) -> None:
    original = jpeg(80, 48, progressive=True)
    last_scan = original.rindex(b"\xff\xda")
    hidden = b"\xff\xee" + struct.pack(">H", 2 + 9) + b"hidden jp"
    source = parse(original[:last_scan] + hidden + original[last_scan:])
    assert b"hidden" not in assemble(source, filter_header(source))
