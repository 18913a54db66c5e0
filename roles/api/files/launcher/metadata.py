"""What the metadata of a picture tells about the person who took it, kept to that person and administrators.

Upstream shows every EXIF and XMP tag of a picture to everybody who may see it (facts 5.5): serial numbers, by which all
pictures of one camera can be told apart from all others wherever they are, names of owner, artist and copyright holder,
free texts, the name of the computer, and the name of the file. Others need none of it to look at a picture, so they get
what describes the picture itself: place, time, optics, exposure and geometry. The list names what is shown, not what is
hidden: makers add tags of their own.

Files are as they were sent, apart from faces, plates and previews: who may see a picture can read this in a download.
"""

import re
from collections.abc import Mapping
from typing import Any

_SHOWN = re.compile(
    r"""
    Exif\.GPSInfo\.GPS(?:VersionID|(?:Latitude|Longitude|Altitude|Track|ImgDirection|Speed)(?:Ref)?|TimeStamp|DateStamp
        |DOP|MapDatum|HPositioningError|MeasureMode|Differential|Status)
  | Exif\.Image\.(?:Make|Model|Orientation|DateTime(?:Original)?|ImageWidth|ImageLength|[XY]Resolution|ResolutionUnit
        |YCbCrPositioning|ExifTag|GPSTag)
  | Exif\.Photo\.(?:DateTime(?:Original|Digitized)|SubSecTime(?:Original|Digitized)?|OffsetTime(?:Original|Digitized)?
        |Make|Model|LensModel|LensMake|LensSpecification|ExifVersion|FlashpixVersion|ColorSpace|Pixel[XY]Dimension
        |ExposureTime|FNumber|ISOSpeedRatings|PhotographicSensitivity|SensitivityType|ExposureProgram|ExposureMode
        |ExposureBiasValue|ShutterSpeedValue|ApertureValue|MaxApertureValue|BrightnessValue|MeteringMode|LightSource
        |Flash|FocalLength|FocalLengthIn35mmFilm|FocalPlane[XY]Resolution|FocalPlaneResolutionUnit|DigitalZoomRatio
        |WhiteBalance|SceneCaptureType|SceneType|SensingMethod|CustomRendered|Contrast|Saturation|Sharpness|GainControl
        |SubjectDistanceRange|ComponentsConfiguration|CompressedBitsPerPixel)
  | Xmp\.GPano\.(?!StitchingSoftware|CaptureSoftware)\w+
  | Xmp\.Camera\.(?:Yaw|Pitch|Roll)
    """,
    re.VERBOSE,
)
_ARTIST = "Exif.Image.Artist"
_FILE_NAME = "original_file:name"


def for_others(item: dict[str, Any], artist: str | None) -> dict[str, Any]:
    """Return a STAC item as people other than its owner see it; ``artist`` is what EXIF says, if anything."""
    properties = {key: value for key, value in item["properties"].items() if key != _FILE_NAME}
    properties["exif"] = {tag: value for tag, value in properties.get("exif", {}).items() if _SHOWN.fullmatch(tag)}
    # Upstream names the artist as a second producer, the one without an account.
    providers = [one for one in item["providers"] if "id" in one or one.get("name") != artist]
    return {**item, "properties": properties, "providers": providers}


def register(_app: Any) -> None:
    """Let the API show it to owners and administrators only.

    Raises:
        AttributeError: upstream's program is built in another way than this was written for: better not to start.
    """
    from geovisio.utils import auth
    from geovisio.web import items

    make_item = items.dbPictureToStacItem

    def item(row: Mapping[str, Any], *arguments: Any, **options: Any) -> dict[str, Any]:
        made: dict[str, Any] = make_item(row, *arguments, **options)
        # Upstream remembers both for the request.
        account = auth.get_current_account()
        if account is not None and (str(account.id) == str(row["account_id"]) or account.can_see_all()):
            return made
        return for_others(made, row["exif"].get(_ARTIST))

    items.dbPictureToStacItem = item
