"""An engine of another make behind our service: a real HTTP server that blurs, or fails in every way we know of."""

from __future__ import annotations

import http.server
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from starlette.testclient import TestClient

from panoramax_blurring.app import create_app
from panoramax_blurring.engine_client import EngineClient
from panoramax_blurring.foreign import ForeignWork
from panoramax_blurring.jpegfile import parse
from panoramax_blurring.metadata import read_orientation
from panoramax_blurring.proof import Signer
from panoramax_blurring.selftest import SelfTest
from panoramax_blurring.service import Service
from panoramax_blurring.settings import Settings, SettingsError

Make = Callable[..., bytes]
PICTURE = "5a6c1c1e-0000-4000-8000-000000000001"
FACE, PLATE = (40, 32, 120, 112), (160, 128, 300, 160)


def encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def street() -> Image.Image:
    """A grey picture with two places full of detail, the only ones that the engine knows how to find."""
    pixels = np.full((240, 320, 3), 120, np.uint8)
    generator = np.random.default_rng(5)
    for left, top, right, bottom in (FACE, PLATE):
        pixels[top:bottom, left:right] = generator.integers(0, 255, (bottom - top, right - left, 1), np.uint8)
    return Image.fromarray(pixels)


def blurred(jpeg: bytes) -> bytes:
    """What an engine makes of a picture: coded anew, with the two places blurred."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    for box in (FACE, PLATE):
        image.paste(image.crop(box).filter(ImageFilter.GaussianBlur(9)), box)
    return encode(image)


class Engine:
    """An HTTP server; `answer(picture)` gives status and body."""

    def __init__(self) -> None:
        self.answer: Callable[[bytes], tuple[int, bytes]] = lambda picture: (200, blurred(picture))
        self.name = "SGBlur"
        self.seen: list[bytes] = []
        self.says_length = True
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                picture = body[body.index(b"\r\n\r\n") + 4 : body.rindex(b"\r\n--")]
                engine.seen.append(picture)
                status, content = engine.answer(picture)
                self.send_response(status)
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("x-sgblur", json.dumps({"service_name": engine.name, "annotations": []}))
                if engine.says_length:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def client(engine: Engine, tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "selftest.jpg").write_bytes(encode(street()))
    (tmp_path / "selftest.json").write_text(json.dumps({"face": FACE, "plate": PLATE}))
    settings = Settings(foreign_url=engine.url, foreign_timeout=1.0)
    work = ForeignWork(EngineClient(engine.url), SelfTest(tmp_path), settings)
    with TestClient(create_app(Service(work, settings), Signer(b"a key for the tests", {"faces.onnx": "ab"}))) as made:
        yield made


def post(client: TestClient, picture: bytes) -> Any:
    return client.post("/blur/", files={"picture": ("p.jpg", picture)}, headers={"X-Picture-Id": PICTURE})


def healthy(client: TestClient) -> bool:
    return bool(client.get("/healthz").status_code == 200)


def test_the_engine_blurs_and_the_proof_says_so(
    client: TestClient, engine: Engine, exif: Make, with_segments: Make, jpeg: Make
) -> None:
    assert healthy(client)
    note = b"a note of the camera's maker"
    picture = with_segments(encode(street()), (0xE1, exif(thumbnail=jpeg(16, 8), note=note)))
    answer = post(client, picture)
    assert answer.status_code == 200
    # What it sent is not what the engine got: nothing but the picture itself.
    assert note not in engine.seen[-1]
    assert note in answer.content
    assert answer.content.count(b"\xff\xd8\xff") == 1
    inner = (60, 52, 100, 92)
    assert np.asarray(Image.open(io.BytesIO(answer.content)).convert("L").crop(inner)).std() < 20
    said = json.loads(json.loads(answer.headers["x-sgblur"])["proof"]["statement"])
    assert said["engine"] == f"SGBlur at {engine.url}"
    assert "models" not in said


def test_an_answer_of_no_announced_length_is_read_to_its_end(client: TestClient, engine: Engine) -> None:
    engine.says_length = False
    assert healthy(client)
    assert post(client, encode(street())).status_code == 200


def test_a_turned_picture_is_sent_upright(client: TestClient, engine: Engine, exif: Make, with_segments: Make) -> None:
    assert healthy(client)
    turned = street().transpose(Image.Transpose.ROTATE_90)
    answer = post(client, with_segments(encode(turned), (0xE1, exif(orientation=6))))
    assert answer.status_code == 200
    source = parse(answer.content)
    assert (source.width, source.height, read_orientation(source)) == (320, 240, 1)
    assert Image.open(io.BytesIO(engine.seen[-1])).size == (320, 240)


def hang(_: bytes) -> tuple[int, bytes]:
    """Answer when nobody waits any more."""
    time.sleep(2.5)
    return 500, b""


FAULTS: dict[str, Callable[[bytes], tuple[int, bytes]]] = {
    "echo": lambda picture: (200, picture),
    "echo coded anew": lambda picture: (200, encode(Image.open(io.BytesIO(picture)))),
    "garbage": lambda _: (200, bytes(range(256)) * 20),
    "empty": lambda _: (200, b""),
    "half": lambda picture: (200, blurred(picture)[:-900]),
    "smaller": lambda picture: (200, encode(Image.open(io.BytesIO(picture)).resize((160, 120)))),
    "another picture": lambda _: (200, encode(Image.new("RGB", (320, 240), (255, 0, 0)))),
    "endless": lambda _: (200, bytes(5_000_000)),
    "failing": lambda _: (500, b""),
    "redirecting": lambda _: (302, b""),
    "busy": lambda _: (503, b""),
    "hanging": hang,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_the_engine_gets_through(client: TestClient, engine: Engine, fault: str) -> None:
    assert healthy(client)
    engine.answer = FAULTS[fault]
    answer = post(client, encode(street()))
    assert answer.status_code in (500, 503)
    assert b"\xff\xd8\xff" not in answer.content
    assert post(client, encode(street())).status_code == 503


def test_nothing_is_believed_of_an_engine_that_never_blurs(client: TestClient, engine: Engine) -> None:
    engine.answer = FAULTS["echo"]
    assert not healthy(client)
    assert "the known face was not blurred" in client.get("/healthz").json()["detail"]
    assert post(client, encode(street())).status_code == 503


def test_a_picture_with_nothing_to_blur_is_answered_after_one_more_test(client: TestClient, engine: Engine) -> None:
    assert healthy(client)
    assert post(client, encode(Image.new("RGB", (320, 240), (120, 90, 60)))).status_code == 200
    assert len(engine.seen) == 3
    assert post(client, encode(street())).status_code == 200
    assert len(engine.seen) == 4


def test_what_the_engine_refuses_is_refused_with_its_reason(client: TestClient, engine: Engine) -> None:
    assert healthy(client)
    engine.answer = lambda _: (422, b'{"detail": "not  this one"}')
    answer = post(client, encode(street()))
    assert (answer.status_code, answer.json()) == (422, {"detail": "the engine refuses it: not this one"})


def test_an_engine_cannot_put_anything_else_into_the_proof(client: TestClient, engine: Engine) -> None:
    engine.name = 'x","picture":"y'
    assert healthy(client)
    said = json.loads(json.loads(post(client, encode(street())).headers["x-sgblur"])["proof"]["statement"])
    assert (said["engine"], said["picture"]) == (f"an engine without a name at {engine.url}", PICTURE)


def test_an_engine_that_is_down_is_said(client: TestClient, engine: Engine) -> None:
    assert healthy(client)
    engine.server.shutdown()
    engine.server.server_close()
    assert post(client, encode(street())).status_code == 500
    assert "gave no answer (ConnectionRefusedError)" in client.get("/healthz").json()["detail"]


@pytest.mark.parametrize(
    "url",
    [
        "sgblur:8001",
        "https://sgblur",
        "http://user:word@sgblur",
        "http://sgblur/blur",
        "http://sgblur:99999",
        "http://",
    ],
)
def test_an_address_that_is_no_address_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match="BLUR_FOREIGN_URL"):
        EngineClient(url)


def test_a_timeout_that_the_service_would_not_survive_is_named() -> None:
    with pytest.raises(SettingsError, match="BLUR_FOREIGN_TIMEOUT"):
        Settings.from_environment({"BLUR_FOREIGN_TIMEOUT": "300"})
