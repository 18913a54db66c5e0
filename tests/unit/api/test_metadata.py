"""Which metadata of a picture people other than its owner see."""

from __future__ import annotations

from typing import Any

import pytest
from launcher import metadata


def item(*tags: str) -> dict[str, Any]:
    """A STAC item as upstream makes it, with these EXIF tags."""
    return {
        "id": "x",
        "providers": [{"name": "jane", "id": "1", "roles": ["producer"]}, {"name": "Jane Doe", "roles": ["producer"]}],
        "properties": {"original_file:name": "Jane.jpg", "license": "x", "exif": dict.fromkeys(tags, "Jane Doe")},
    }


@pytest.mark.parametrize(
    "tag",
    [
        "Exif.Photo.BodySerialNumber",
        "Exif.Photo.LensSerialNumber",
        "Exif.Photo.CameraOwnerName",
        "Exif.Photo.ImageUniqueID",
        "Exif.Photo.UserComment",
        "Exif.Image.Artist",
        "Exif.Image.Copyright",
        "Exif.Image.HostComputer",
        "Exif.Image.ImageDescription",
        "Exif.Image.CameraSerialNumber",
        "Exif.Image.XPAuthor",
        "Exif.Canon.OwnerName",
        "Exif.GPSInfo.GPSAreaInformation",
        "Exif.GPSInfo.GPSDestLatitude",
        "Xmp.dc.creator",
        "Xmp.aux.SerialNumber",
        "Xmp.GPano.CaptureSoftware",
        "Iptc.Application2.Byline",
        "What.ever.comes.next",
    ],
)
def test_what_tells_about_a_person_is_left_out(tag: str) -> None:
    assert metadata.for_others(item(tag), "Jane Doe")["properties"]["exif"] == {}


@pytest.mark.parametrize(
    "tag",
    [
        "Exif.Image.Make",
        "Exif.Image.Model",
        "Exif.Photo.DateTimeOriginal",
        "Exif.Photo.FocalLength",
        "Exif.Photo.ISOSpeedRatings",
        "Exif.GPSInfo.GPSLatitude",
        "Exif.GPSInfo.GPSLatitudeRef",
        "Exif.GPSInfo.GPSImgDirection",
        "Exif.GPSInfo.GPSHPositioningError",
        "Xmp.GPano.PoseHeadingDegrees",
        "Xmp.Camera.Yaw",
    ],
)
def test_what_describes_the_picture_stays(tag: str) -> None:
    assert list(metadata.for_others(item(tag), None)["properties"]["exif"]) == [tag]


def test_the_artist_is_no_producer_and_the_file_has_no_name() -> None:
    shown = metadata.for_others(item(), "Jane Doe")
    assert [one["name"] for one in shown["providers"]] == ["jane"]
    assert set(shown["properties"]) == {"license", "exif"}
