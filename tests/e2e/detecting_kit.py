"""What tests of detectors share: a street with a sign, a site whose detectors come and go, and what they found."""

from __future__ import annotations

import io
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw, ImageFont

from conftest import ROOT, Site, playbook
from pictures import geovisio_pictures, unique

DOCUMENT = ROOT / "docs" / "detection.md"
BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
# Where the sign is drawn on the street, in pixels. (Black capitals on white would be blurred, as a licence plate.)
PANEL, COLOUR, WRITING = (1240, 600, 1890, 800), "#8f0000", "Café du Port"


def example() -> str:
    """The document's block of the inventory, after its commands have fetched the model that it names."""
    found = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    settings, commands = (next(body for kind, body in found if kind == wanted) for wanted in ("yaml", "sh"))
    assert "size: 1920" in settings
    subprocess.run(["sh", "-ec", commands], cwd=ROOT, check=True, capture_output=True)
    # Four times faster, for all the pictures that other tests have left; the sign is large enough.
    return str(settings.replace("size: 1920", "size: 960"))


def street() -> bytes:
    """A real photo of a street, with a sign put up."""
    with Image.open(geovisio_pictures() / "e1.jpg") as photo:
        image = photo.convert("RGB")
        exif = photo.info["exif"]
    draw = ImageDraw.Draw(image)
    draw.rectangle(PANEL, fill=COLOUR)
    draw.text((1565, 700), WRITING, fill="white", anchor="mm", font=ImageFont.truetype(FONT, 80))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif)
    return unique(out.getvalue())


def own_upload(session: httpx.Client) -> tuple[str, str]:
    """Upload the street. Returns the identifiers of its sequence and of the picture, once it is published."""
    asked = {"title": "Signs", "estimated_nb_files": 1, "no_deduplication": True}
    made = session.post("/api/upload_sets", json=asked).json()["id"]
    files = {"file": ("street.jpg", street(), "image/jpeg")}
    answer = session.post(f"/api/upload_sets/{made}/files", files=files)
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 60
    while not (state := session.get(f"/api/upload_sets/{made}").json())["ready"]:
        assert time.monotonic() < deadline, state
        time.sleep(0.3)
    return str(state["associated_collections"][0]["id"]), str(answer.json()["picture_id"])


@dataclass
class Detectors:
    """The detectors of a site, as the inventory declares them and the script tells of them."""

    site: Site

    @property
    def file(self) -> Path:
        """Where the test's detectors stand."""
        return self.site.inventory / "group_vars" / "all" / "detectors.yml"

    def deploy(self, detectors: str) -> str:
        """Bring the site's detectors in step with such a block; none for an empty one. Returns what was said."""
        self.file.write_text(detectors, encoding="utf-8")
        if not detectors:
            self.file.unlink()
        return playbook(self.site.inventory, "detection.yml")

    def script(self, *arguments: str) -> Any:
        """What scripts/detections.py answers."""
        done = self.site.run("detections.py", "--json", *arguments, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def found_in(session: httpx.Client, where: tuple[str, str], key: str) -> list[dict[str, Any]]:
    """The annotations of a picture that have a tag of such a key: box and tags."""
    item = session.get(f"/api/collections/{where[0]}/items/{where[1]}")
    assert item.status_code == 200, item.text
    found = []
    for annotation in item.json()["properties"]["annotations"]:
        tags = {tag["key"]: tag["value"] for tag in annotation["semantics"]}
        if key in tags:
            corners = annotation["shape"]["coordinates"][0]
            assert len(corners) == 5
            found.append({"id": annotation["id"], "tags": tags, "box": (*corners[0], *corners[2])})
    return found


def common(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Share of the smaller of two boxes that lies in both."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(0, width) * max(0, height) / smaller
