"""Faces and plates are gone from everything that the site hands out: hd, sd, thumbnail and the tiles of panoramas."""

from __future__ import annotations

import io
import time
from typing import Any

import docker
import httpx
import numpy as np
import pytest
from PIL import Image

from conftest import ARTEFACTS, Site
from known import Box, Known, assert_gone, self_test_picture
from pictures import geovisio_pictures, unique

# Where the self-test picture is pasted into a panorama: at the height at which people and cars stand.
PASTED_AT = (2600, 1330)


def _panorama(pasted: Known) -> Known:
    """A real 360 degree picture with the test picture pasted into the street."""
    path = geovisio_pictures() / "3.jpg"
    with Image.open(path) as street:
        exif = street.info["exif"]
        street.paste(Image.open(io.BytesIO(pasted.jpeg)), PASTED_AT)
        out = io.BytesIO()
        street.save(out, "JPEG", quality=92, exif=exif)
    x, y = PASTED_AT
    boxes = {kind: (box[0] + x, box[1] + y, box[2] + x, box[3] + y) for kind, box in pasted.boxes.items()}
    return Known("panorama", out.getvalue(), boxes)


@pytest.fixture(scope="module")
def known(site: Site, engine: docker.DockerClient) -> list[Known]:
    flat = self_test_picture(site.project, engine)
    return [flat, _panorama(flat)]


@pytest.fixture(scope="module")
def uploaded(user: httpx.Client, known: list[Known]) -> dict[str, dict[str, Any]]:
    """The pictures, uploaded with isBlurred=true: the claim of a client that nothing needs blurring must not count."""
    made = user.post(
        "/api/upload_sets", json={"title": "Known", "estimated_nb_files": len(known), "no_deduplication": True}
    )
    assert made.status_code == 200, made.text
    upload_set = made.json()["id"]
    for index, picture in enumerate(known):
        answer = user.post(
            f"/api/upload_sets/{upload_set}/files",
            files={"file": (f"{picture.name}.jpg", unique(picture.jpeg), "image/jpeg")},
            data={
                "isBlurred": "true",
                "override_capture_time": f"2026-11-0{index + 1}T10:00:00Z",
                "override_latitude": "48.1",
                "override_longitude": str(-1.6 + index / 10),
            },
        )
        assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        state = user.get(f"/api/upload_sets/{upload_set}").json()
        if state.get("ready"):
            break
        time.sleep(1)
    items: dict[str, dict[str, Any]] = {}
    for collection in state["associated_collections"]:
        for item in user.get(f"/api/collections/{collection['id']}/items").json()["features"]:
            items[item["properties"]["original_file:name"].removesuffix(".jpg")] = item
    assert set(items) == {picture.name for picture in known}, state
    return items


def _fetched(client: httpx.Client, path: str, name: str) -> Image.Image:
    answer = client.get(path)
    assert answer.status_code == 200, path
    ARTEFACTS.mkdir(exist_ok=True)
    (ARTEFACTS / f"blurred-{name}.jpg").write_bytes(answer.content)
    return Image.open(io.BytesIO(answer.content)).convert("L")


@pytest.mark.parametrize("name", ["flat", "panorama"])
@pytest.mark.parametrize("kind", ["face", "plate"])
@pytest.mark.parametrize("size", ["hd", "sd", "thumb"])
def test_it_isassert_gone(
    name: str, kind: str, size: str, known: list[Known], uploaded: dict[str, dict[str, Any]], other_user: httpx.Client
) -> None:
    (picture,) = [picture for picture in known if picture.name == name]
    path = f"/api/pictures/{uploaded[name]['id']}/{size}.jpg"
    assert_gone(
        picture.image, _fetched(other_user, path, f"{name}-{size}"), picture.boxes[kind], f"{name} {kind} {size}"
    )


@pytest.mark.parametrize("kind", ["face", "plate"])
def test_it_is_gone_from_the_tiles(
    kind: str, known: list[Known], uploaded: dict[str, dict[str, Any]], other_user: httpx.Client
) -> None:
    picture, item = known[1], uploaded["panorama"]
    (matrix,) = item["properties"]["tiles:tile_matrix_sets"]["geovisio"]["tileMatrix"]
    width, height = int(matrix["tileWidth"]), int(matrix["tileHeight"])
    box = picture.boxes[kind]
    column, row = (box[0] + box[2]) // 2 // width, (box[1] + box[3]) // 2 // height
    tile = _fetched(other_user, f"/api/pictures/{item['id']}/tiled/{column}_{row}.jpg", f"tile-{kind}")
    left, top = column * width, row * height
    original = picture.image.crop((left, top, left + tile.width, top + tile.height))
    inside: Box = (
        max(0, box[0] - left),
        max(0, box[1] - top),
        min(tile.width, box[2] - left),
        min(tile.height, box[3] - top),
    )
    assert_gone(original, tile, inside, f"tile {column}_{row} {kind}")


def test_the_rest_of_the_picture_is_as_it_was(
    known: list[Known], uploaded: dict[str, dict[str, Any]], other_user: httpx.Client
) -> None:
    picture = known[1]
    handed_out = _fetched(other_user, f"/api/pictures/{uploaded['panorama']['id']}/hd.jpg", "panorama-hd")
    assert handed_out.size == picture.image.size
    sky: Box = (0, 0, handed_out.width, handed_out.height // 5)
    difference = np.abs(
        np.asarray(picture.image.crop(sky), np.int16) - np.asarray(handed_out.crop(sky), np.int16)
    ).max()
    assert difference == 0
