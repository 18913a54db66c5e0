"""What the blurring says to pictures that it cannot blur safely, and to too many at once, as it is deployed."""

from __future__ import annotations

import io
import struct
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import docker
import httpx
import pytest
from PIL import Image

from conftest import Site
from known import Known

CALLERS = 40


@pytest.fixture(scope="module")
def address(site: Site, engine: docker.DockerClient) -> str:
    """Where the service listens on the internal network, which this machine can reach."""
    networks = engine.containers.get(f"{site.project}-blurring").attrs["NetworkSettings"]["Networks"]
    return f"http://{networks[f'{site.project}-back']['IPAddress']}:8001"


def post(address: str, picture: bytes) -> httpx.Response:
    return httpx.post(f"{address}/blur/", files={"picture": ("p.jpg", picture, "image/jpeg")}, timeout=120)


def saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def patched(jpeg: bytes, offset: int, new: bytes) -> bytes:
    """The file with bytes of its frame header replaced, counted from its marker."""
    at = jpeg.index(b"\xff\xc0") + offset
    return jpeg[:at] + new + jpeg[at + len(new) :]


BAD: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "no bytes": (400, lambda _: b""),
    "truncated": (422, lambda jpeg: jpeg[: len(jpeg) * 2 // 3]),
    "truncated, with an end": (422, lambda jpeg: jpeg[: len(jpeg) * 2 // 3] + b"\xff\xd9"),
    "CMYK": (422, lambda jpeg: saved(Image.open(io.BytesIO(jpeg)).convert("CMYK"), "JPEG")),
    "12 bits": (422, lambda jpeg: patched(jpeg, 4, b"\x0c")),
    "arithmetic coding": (422, lambda jpeg: patched(jpeg, 1, b"\xc9")),
    "a PNG": (415, lambda jpeg: saved(Image.open(io.BytesIO(jpeg)), "PNG")),
    "dimensions of a zip bomb": (413, lambda jpeg: patched(jpeg, 5, b"\xff\xff\xff\xff")),
    "millions of segments": (422, lambda jpeg: jpeg[:2] + b"\xff\xfe\0\x02" * 5_000_000 + jpeg[2:]),
    "200 MB": (413, lambda jpeg: jpeg + bytes(200_000_000)),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_picture_is_refused_with_a_reason(address: str, known: Known, fault: str) -> None:
    status, spoil = BAD[fault]
    try:
        answer = post(address, spoil(known.jpeg))
    except httpx.WriteError:
        # Who is told in the middle of 200 MB that they are too many may not get to read it.
        assert status == 413
        return
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})


def test_damaged_exif_costs_only_the_exif(address: str, known: Known) -> None:
    hostile = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 0x8769, 4, 0xFFFFFFFF, 0xFFFFFFF0)
    segment = struct.pack(">BBH", 0xFF, 0xE1, len(hostile) + 2) + hostile
    answer = post(address, known.jpeg[:2] + segment + known.jpeg[2:])
    assert answer.status_code == 200
    assert b"Exif" not in answer.content


def test_a_flood_is_turned_away_and_leaves_the_service_as_it_was(address: str, known: Known) -> None:
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(lambda _: post(address, known.jpeg), range(CALLERS)))
    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) == {200, 503}, counts
    assert counts[200] >= 8
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code == 503)
    assert httpx.get(f"{address}/healthz", timeout=30).status_code == 200
