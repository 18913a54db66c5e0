"""Reading the detail of pictures, and giving them a place, compared with a real decoder."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime

import pytest
from PIL import ExifTags, Image, ImageFilter

from panoramax_ops.verify.jpeg import JpegError, detail, located
from panoramax_ops.verify.model import ClaimBrokenError
from panoramax_ops.verify.photo import Photo, blurred

SIZE = (200, 136)
BOX = (0.2, 0.2, 0.6, 0.6)


def noise() -> Image.Image:
    generator = random.Random(7)
    return Image.frombytes("RGB", SIZE, generator.randbytes(SIZE[0] * SIZE[1] * 3))


def jpeg(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


def covered(image: Image.Image) -> Image.Image:
    box = tuple(round(part * size) for part, size in zip(BOX, SIZE * 2, strict=True))
    area = image.crop(box).resize((3, 3)).resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BICUBIC)  # type: ignore[arg-type]
    result = image.copy()
    result.paste(area, box)  # type: ignore[arg-type]
    return result


@pytest.mark.parametrize(
    "options",
    [{"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"optimize": True}, {"restart_marker_blocks": 3}],
    ids=str,
)
def test_detail_of_what_is_covered_is_gone(options: dict[str, int]) -> None:
    image = noise()
    before, after = detail(jpeg(image, **options)), detail(jpeg(covered(image), **options))
    assert (before.width, before.height) == SIZE
    assert after.inside(BOX) < 0.3 * before.inside(BOX)
    elsewhere = (0.7, 0.0, 1.0, 1.0)
    assert after.inside(elsewhere) == pytest.approx(before.inside(elsewhere), rel=0.02)


def test_grey_pictures_and_flat_ones() -> None:
    assert detail(jpeg(noise().convert("L"))).inside((0, 0, 1, 1)) > 0
    assert detail(jpeg(Image.new("RGB", SIZE, "teal"))).inside((0, 0, 1, 1)) == 0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JPEG"),
        (b"GIF89a", "no JPEG"),
        (jpeg(noise(), progressive=True), "not a baseline"),
        (jpeg(noise())[:300], "ends before"),
        (jpeg(noise())[:-2000], "ends within"),
    ],
    ids=["empty", "gif", "progressive", "cut in the head", "cut in the picture"],
)
def test_what_is_not_read(data: bytes, why: str) -> None:
    with pytest.raises(JpegError, match=why):
        detail(data)


def test_an_area_of_no_block() -> None:
    with pytest.raises(JpegError, match="smaller"):
        detail(jpeg(noise())).inside((0.5, 0.5, 0.51, 0.51))


@pytest.mark.parametrize(("longitude", "latitude"), [(-123.3933, -48.8767), (2.25, 48.5), (179.9999, 0.0)])
def test_place_and_date_as_others_read_them(longitude: float, latitude: float) -> None:
    before = jpeg(noise().filter(ImageFilter.BLUR), comment=b"mine", exif=b"Exif\0\0old")
    when = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    after = located(before, longitude, latitude, when, "unique")
    with Image.open(io.BytesIO(after)) as image, Image.open(io.BytesIO(before)) as same:
        assert image.tobytes() == same.tobytes()
        assert image.info["comment"] == b"unique"
        place = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        taken = image.getexif().get_ifd(ExifTags.IFD.Exif)
    degrees = {
        tag: sum(float(part) / 60**power for power, part in enumerate(place[tag]))
        for tag in (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude)
    }
    north = 1 if place[ExifTags.GPS.GPSLatitudeRef] == "N" else -1
    east = 1 if place[ExifTags.GPS.GPSLongitudeRef] == "E" else -1
    assert north * degrees[ExifTags.GPS.GPSLatitude] == pytest.approx(latitude, abs=1e-5)
    assert east * degrees[ExifTags.GPS.GPSLongitude] == pytest.approx(longitude, abs=1e-5)
    assert taken[ExifTags.Base.DateTimeOriginal] == "2026:05:04 03:02:01"


def test_a_blurring_that_returns_its_input_is_named() -> None:
    image = noise()
    original = jpeg(image)
    photo = Photo(original, {"face": BOX}, "u", "p", "c", "o", 0)
    assert blurred(photo, jpeg(covered(image)), detail(original)).startswith("face ")
    with pytest.raises(ClaimBrokenError, match="face 100%"):
        blurred(photo, original, detail(original))
