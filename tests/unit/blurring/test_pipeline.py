"""The whole way of a picture, with detectors that say what they are told."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from panoramax_blurring import turbojpeg
from panoramax_blurring.detectors import Detector
from panoramax_blurring.errors import JpegError, RefusedError
from panoramax_blurring.jpegfile import JpegFile, parse
from panoramax_blurring.pipeline import Blurred, blur
from panoramax_blurring.settings import Settings

Make = Callable[..., bytes]
MakeDetector = Callable[..., Detector]
Coefficients = dict[tuple[int, int], Any]
ReadCoefficients = Callable[[bytes], Coefficients]
SETTINGS = Settings()


def run(data: bytes, *detectors: Detector) -> Blurred:
    chosen: Sequence[Detector] = detectors
    return blur(data, chosen, SETTINGS)


def _inside(source: JpegFile, component: int, row: int, count: int, areas: list[tuple[int, int, int, int]]) -> Any:
    """Which blocks of a block row lie in one of the areas: bool[count]."""
    unit_width, unit_height = source.mcu
    single = len(source.components) == 1
    across = 1 if single else source.components[component].h
    down = 1 if single else source.components[component].v
    result = np.zeros(count, bool)
    for left, top, right, bottom in areas:
        if top // unit_height * down <= row < bottom // unit_height * down:
            result[left // unit_width * across : right // unit_width * across] = True
    return result


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"subsampling": "4:2:0"},
        {"subsampling": "4:2:0", "progressive": True},
        {"subsampling": "4:2:0", "restart_marker_blocks": 3},
        {"subsampling": "4:4:4", "keep_rgb": True},
        {"mode": "L"},
        {"mode": "L", "progressive": True},
        {"quality": 30, "optimize": True},
    ],
)
@pytest.mark.parametrize("size", [(160, 96), (171, 93)])
def test_coefficients_outside_the_boxes_are_the_same(
    jpeg: Make, detector: MakeDetector, coefficients: ReadCoefficients, options: dict[str, Any], size: tuple[int, int]
) -> None:
    data = jpeg(*size, **options)
    result = run(data, detector(("face", 40, 30, 70, 60), ("plate", 120, 70, 400, 300)))
    source = parse(data)
    before, after = coefficients(data), coefficients(result.data)
    assert before.keys() == after.keys()
    changed = 0
    for (component, row), blocks in before.items():
        inside = _inside(source, component, row, len(blocks), result.areas)
        differs = (blocks != after[component, row]).any(axis=1)
        assert not differs[~inside].any()
        changed += int(differs.sum())
        if component == 0:
            assert differs[inside].all()
    assert changed
    again = parse(result.data)
    assert all(np.array_equal(source.tables[key], again.tables[key]) for key in again.tables)
    assert again.progressive == source.progressive


def test_fill_keeps_only_coarse_colours_and_looks_like_the_place(detector: MakeDetector) -> None:
    base = Image.new("RGB", (160, 96), (200, 40, 30))
    stripes = np.array(base)
    stripes[32:64:2, 48:112] = (0, 200, 90)
    out = io.BytesIO()
    Image.fromarray(stripes).save(out, "JPEG", quality=95, subsampling="4:4:4")
    result = run(out.getvalue(), detector(("plate", 48, 32, 112, 64)))
    pixels = np.array(Image.open(io.BytesIO(result.data))).astype(int)
    area = pixels[32:64, 48:112]
    assert np.abs(np.diff(area, axis=0)).max() <= 4
    assert np.abs(area.mean(axis=(0, 1)) - stripes[32:64, 48:112].mean(axis=(0, 1))).max() < 8
    assert np.abs(pixels[:24] - np.array((200, 40, 30))).max() < 6


def test_without_boxes_the_scan_is_untouched(
    jpeg: Make, detector: MakeDetector, exif: Make, with_segments: Make
) -> None:
    data = jpeg(200, 100)
    result = run(with_segments(data, (0xE1, exif(thumbnail=jpeg(16, 8)))) + b"more", detector())
    assert result.data.endswith(data[data.index(b"\xff\xdb") :])
    assert result.data.count(b"\xff\xd8\xff") == 1
    assert result.dropped == ["EXIF thumbnail", "4 bytes after the picture"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("boxes", [(), (("face", 0.0, 0.0, 8.0, 8.0),)])
def test_every_orientation_comes_out_upright(
    jpeg: Make, detector: MakeDetector, exif: Make, with_segments: Make, orientation: int, boxes: tuple[Any, ...]
) -> None:
    data = with_segments(jpeg(160, 96, subsampling="4:2:0"), (0xE1, exif(orientation=orientation)))
    expected = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))).astype(int)
    result = run(data, detector(*boxes))
    answer = Image.open(io.BytesIO(result.data))
    assert answer.getexif()[0x112] == 1
    assert answer.getexif().get_ifd(0x8769)[0xA002] == answer.width
    assert answer.getexif().get_ifd(0x8769)[0xA003] == answer.height
    assert answer.size == (expected.shape[1], expected.shape[0]) == (result.width, result.height)
    assert np.abs(np.array(answer).astype(int)[24:, 24:] - expected[24:, 24:]).mean() < 3


def test_the_detector_sees_the_upright_picture_at_its_sizes(
    jpeg: Make, detector: MakeDetector, exif: Make, with_segments: Make
) -> None:
    finder: Any = detector()
    run(with_segments(jpeg(1600, 1200), (0xE1, exif(orientation=6))), finder)
    scene = finder.seen[0]
    assert scene.size == (1200, 1600)
    assert {divisor: level.shape[:2] for divisor, level in scene.levels.items()} == {1: (1600, 1200), 2: (800, 600)}
    assert not scene.panorama


def test_a_picture_of_two_to_one_is_a_panorama(jpeg: Make, detector: MakeDetector) -> None:
    finder: Any = detector()
    run(jpeg(2048, 1024), finder)
    assert finder.seen[0].panorama


def test_limits_are_checked_before_decoding(jpeg: Make, detector: MakeDetector) -> None:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(RefusedError, match="more than the limit") as caught:
        run(bytes(data), detector())
    assert caught.value.status == 413
    small = Settings(max_pixels=160 * 96)
    assert blur(jpeg(160, 96), [detector()], small).width == 160
    with pytest.raises(RefusedError):
        blur(jpeg(160, 96, progressive=True), [detector()], small)


def test_truncated_data_is_refused_even_with_an_end_marker(jpeg: Make, detector: MakeDetector) -> None:
    data = jpeg(320, 240)
    for length in (len(data) // 2, len(data) - 40, data.index(b"\xff\xda") + 20):
        with pytest.raises(RefusedError):
            run(data[:length] + b"\xff\xd9", detector())


def test_bytes_that_merely_look_like_the_start_of_a_picture_are_no_picture(
    jpeg: Make, detector: MakeDetector, with_segments: Make
) -> None:
    telemetry = b"GoPro" + b"\xff\xd8\xff\x12" * 20
    assert telemetry in run(with_segments(jpeg(), (0xE6, telemetry)), detector()).data


def test_a_picture_hidden_in_the_tables_is_refused(jpeg: Make, detector: MakeDetector) -> None:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xdb") + 10
    data[at : at + 4] = b"\xff\xd8\xff\xe0"
    with pytest.raises(JpegError, match="hidden"):
        run(bytes(data), detector())


def test_padding_before_the_end_is_accepted_and_not_passed_on(jpeg: Make, detector: MakeDetector) -> None:
    data = jpeg(160, 96)
    result = run(data[:-2] + b"padding of a camera" + data[-2:], detector())
    assert b"padding" not in result.data
    assert np.array_equal(np.array(Image.open(io.BytesIO(result.data))), np.array(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("position", [0.3, 0.5, 0.7, 0.9])
def test_a_damaged_scan_never_comes_back_as_it_was(jpeg: Make, detector: MakeDetector, position: float) -> None:
    data = bytearray(jpeg(320, 240))
    at = int(len(data) * position)
    data[at : at + 8] = b"\x00\xff\x00\xff\x00\x00\x12\x34"
    try:
        result = run(bytes(data), detector(("face", 100, 100, 140, 140)))
    except JpegError:
        return
    assert result.data != bytes(data)


def test_an_error_in_a_detector_is_not_swallowed(jpeg: Make) -> None:
    class Broken:
        name = "broken"

        def detect(self, _scene: object) -> list[Any]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(jpeg(), Broken())


def test_an_error_in_the_editor_crosses_the_library(jpeg: Make) -> None:
    def edit(_component: int, row: int, _blocks: Any) -> None:
        if row == 2:
            raise KeyError("row")

    with pytest.raises(KeyError):
        turbojpeg.transform(jpeg(), edit=edit)
