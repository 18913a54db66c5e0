"""A picture with a known face and a known plate, and whether they can still be recognised."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass

import docker
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[int, int, int, int]
# Nothing that is less wide than this, in pixels, can be recognised, blurred or not.
RECOGNISABLE = 10


@dataclass(frozen=True)
class Known:
    """A picture with a known face and a known plate, in pixels of the original."""

    name: str
    jpeg: bytes
    boxes: dict[str, Box]

    @property
    def image(self) -> Image.Image:
        """The picture in grey."""
        return Image.open(io.BytesIO(self.jpeg)).convert("L")


def self_test_picture(project: str, engine: docker.DockerClient) -> Known:
    """The blurring service's own test picture: NASA's portrait of Eileen Collins beside a drawn car."""

    def read(path: str) -> bytes:
        stream, _ = engine.containers.get(f"{project}-blurring").get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
            member = tar.extractfile(tar.getmembers()[0])
            assert member
            return member.read()

    boxes = {kind: tuple(box) for kind, box in json.loads(read("/models/selftest.json")).items()}
    return Known("flat", read("/models/selftest.jpg"), boxes)


def _detail(image: Image.Image, box: Box) -> float:
    """Mean absolute Laplacian in the inner part of a box: what eyes, noses and characters are made of."""
    width, height = box[2] - box[0], box[3] - box[1]
    inner = (box[0] + width // 8, box[1] + height // 8, box[2] - width // 8, box[3] - height // 8)
    pixels: NDArray[np.float64] = np.asarray(image.crop(inner), dtype=np.float64)
    return float(
        np.abs(
            4 * pixels[1:-1, 1:-1] - pixels[:-2, 1:-1] - pixels[2:, 1:-1] - pixels[1:-1, :-2] - pixels[1:-1, 2:]
        ).mean()
    )


def assert_gone(original: Image.Image, handed_out: Image.Image, box: Box, what: str) -> None:
    """Fail if what is in a box of the original can be recognised in what was made of it, of whatever size."""
    factor = handed_out.width / original.width
    scaled: Box = (int(box[0] * factor), int(box[1] * factor), int(box[2] * factor), int(box[3] * factor))
    if scaled[2] - scaled[0] < RECOGNISABLE or scaled[3] - scaled[1] < RECOGNISABLE:
        return
    before = _detail(original.resize(handed_out.size, Image.Resampling.LANCZOS), scaled)
    after = _detail(handed_out, scaled)
    assert after < before / 3, f"{what}: detail {before:.1f} before, {after:.1f} after"
