"""The web interface: admission, limits, refusals and answers. The detectors are told what to find."""

import email.parser
import email.policy
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from panoramax_blurring.app import create_app
from panoramax_blurring.errors import ModelError
from panoramax_blurring.pipeline import Blurred
from panoramax_blurring.proof import Signer
from panoramax_blurring.service import Service
from panoramax_blurring.settings import Settings, SettingsError
from panoramax_blurring.work import OwnWork

Make = Callable[..., bytes]
KEY = b"a key for the tests"
PICTURE = "5a6c1c1e-0000-4000-8000-000000000001"


class FakeSelfTest:
    """A self-test that passes until it is told otherwise."""

    def __init__(self) -> None:
        self.runs, self.error = 0, ""

    def run(self, _detectors: object, _settings: object) -> None:
        self.runs += 1
        if self.error:
            raise ModelError(self.error)


class Site:
    """A client and what stands behind it."""

    def __init__(self, client: TestClient, service: Service, selftest: FakeSelfTest) -> None:
        self.client, self.service, self.selftest = client, service, selftest

    def post(self, picture: bytes, **headers: str) -> Any:
        return self.client.post("/blur/", files={"picture": ("p.jpg", picture, "image/jpeg")}, headers=headers)


@pytest.fixture
def start(detector: Callable[..., Any]) -> Iterator[Callable[..., Site]]:
    """start(detector=None, **settings) -> Site; the client is closed at the end."""
    clients = []

    def make(finder: Any = None, **settings: Any) -> Site:
        selftest = FakeSelfTest()
        service = Service(
            OwnWork([finder or detector()], selftest, Settings(**settings)),  # type: ignore[arg-type]
            Settings(**settings),
        )
        client = TestClient(create_app(service, Signer(KEY, {"faces.onnx": "ab"})))
        client.__enter__()
        clients.append(client)
        assert client.get("/healthz").status_code == 200
        return Site(client, service, selftest)

    yield make
    for client in clients:
        client.__exit__(None, None, None)


def test_bare_answer(start: Callable[..., Site], jpeg: Make, detector: Callable[..., Any]) -> None:
    site = start(detector(("face", 10, 10, 40, 40)))
    answer = site.post(jpeg())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert json.loads(answer.headers["x-sgblur"])["annotations"] == []


def test_an_answer_is_signed_for_the_picture_that_was_named(start: Callable[..., Site], jpeg: Make) -> None:
    site, picture = start(), jpeg()
    answer = site.post(picture, **{"X-Picture-Id": PICTURE})
    proof = json.loads(answer.headers["x-sgblur"])["proof"]
    said = json.loads(proof["statement"])
    assert said["picture"] == PICTURE
    assert said["input"] == hashlib.sha256(picture).hexdigest()
    assert said["answer"] == hashlib.sha256(answer.content).hexdigest()
    assert said["models"] == {"faces.onnx": "ab"}
    assert proof["signature"] == hmac.new(KEY, proof["statement"].encode(), "sha256").hexdigest()


def test_what_nobody_named_is_not_signed(start: Callable[..., Site], jpeg: Make) -> None:
    assert "proof" not in json.loads(start().post(jpeg()).headers["x-sgblur"])


@pytest.mark.parametrize("name", ["1", PICTURE.upper(), PICTURE + '","x":"'])
def test_a_name_that_is_no_uuid_is_refused(start: Callable[..., Site], jpeg: Make, name: str) -> None:
    assert start().post(jpeg(), **{"X-Picture-Id": name}).status_code == 400


def test_a_key_must_be_there_and_long_enough(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("0123456789abcdef0123 faces.onnx\nff selftest.jpg\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        Signer.from_settings(Settings(models=tmp_path, proof_key=tmp_path / "key"))
    (tmp_path / "key").write_bytes(b"short\n")
    with pytest.raises(SettingsError, match="shorter than 16"):
        Signer.from_settings(Settings(models=tmp_path, proof_key=tmp_path / "key"))
    (tmp_path / "key").write_bytes(KEY + b"\n")
    proof = Signer.from_settings(Settings(models=tmp_path, proof_key=tmp_path / "key")).sign(
        PICTURE, b"", Blurred(b"", 0, 0, [], [], [])
    )
    assert proof
    assert json.loads(proof["statement"])["models"] == {"faces.onnx": "0123456789abcdef"}
    assert proof["signature"] == hmac.new(KEY, proof["statement"].encode(), "sha256").hexdigest()


def content(part: Any) -> bytes:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def test_multipart_answer_can_be_parsed(start: Callable[..., Site], jpeg: Make, detector: Callable[..., Any]) -> None:
    site = start(detector(("plate", 10, 10, 40, 40)))
    answer = site.post(jpeg(), Accept="multipart/form-data")
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + answer.content)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
    assert set(parts) == {"metadata", "image"}
    metadata = json.loads(content(parts["metadata"]))
    assert set(metadata) == {"service_name", "blurring_id", "annotations"}
    picture = content(parts["image"])
    assert picture[:3] == b"\xff\xd8\xff"
    assert picture[-2:] == b"\xff\xd9"


@pytest.mark.parametrize(
    ("picture", "status"),
    [(b"", 400), (b"garbage", 415), (b"\x89PNG\r\n\x1a\n" + bytes(100), 415), (b"\xff\xd8\xff\xd9", 422)],
)
def test_garbage_is_refused(start: Callable[..., Site], picture: bytes, status: int) -> None:
    answer = start().post(picture)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}


def test_doubtful_pictures_are_refused(start: Callable[..., Site], jpeg: Make) -> None:
    site = start()
    assert site.post(jpeg(mode="CMYK")).status_code == 422
    assert site.post(jpeg(320, 240)[:-500]).status_code == 422
    assert 'outcome="refused"} 2' in site.client.get("/metrics").text
    assert site.post(jpeg()).status_code == 200


def test_bodies_that_are_not_one_picture(start: Callable[..., Site], jpeg: Make) -> None:
    client = start().client
    assert client.post("/blur/", content=jpeg()).status_code == 400
    assert client.post("/blur/", files={"other": jpeg()}).status_code == 400
    assert client.post("/blur/", files=[("picture", jpeg()), ("picture", jpeg())]).status_code == 400
    kind = {"content-type": "multipart/form-data; boundary=x"}
    cut = b'--x\r\ncontent-disposition: form-data; name="picture"\r\n\r\n' + jpeg()
    assert client.post("/blur/", content=cut, headers=kind).status_code == 400
    assert client.post("/blur/", content=b"nonsense", headers=kind).status_code == 400
    assert client.get("/blur/").status_code == 405


def test_too_many_bytes(start: Callable[..., Site], jpeg: Make) -> None:
    site = start(max_bytes=2000)
    assert site.post(jpeg(400, 300)).status_code == 413
    boundary = {"content-type": "multipart/form-data; boundary=x"}

    def endless() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="picture"\r\n\r\n'
        for _ in range(100):
            yield bytes(5000)

    assert site.client.post("/blur/", content=endless(), headers=boundary).status_code == 413
    assert site.service._pictures == 0


def test_a_body_of_200_megabytes_is_not_kept(start: Callable[..., Site]) -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="picture"\r\n\r\n'
        for _ in range(200):
            yield bytes(1_000_000)

    site = start()
    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert site.client.post("/blur/", content=body(), headers=kind).status_code == 413
    announced = kind | {"content-length": "200000000"}
    assert site.client.post("/blur/", content=b"--x", headers=announced).status_code == 413
    assert site.client.get("/healthz").status_code == 200


def test_too_many_pixels(start: Callable[..., Site], jpeg: Make) -> None:
    assert start(max_pixels=1000).post(jpeg()).status_code == 413


class Waiting:
    """A detector that holds its picture until it is released."""

    name = "waiting"

    def __init__(self) -> None:
        self.began, self.release = threading.Event(), threading.Event()

    def detect(self, _scene: object) -> list[Any]:
        self.began.set()
        assert self.release.wait(20)
        return []


def test_full_queue_says_when_to_come_back(start: Callable[..., Site], jpeg: Make) -> None:
    finder = Waiting()
    site = start(finder, queue=2)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(site.post, jpeg()) for _ in range(2)]
        assert finder.began.wait(20)
        while site.service._pictures < 2:
            threading.Event().wait(0.01)
        answer = site.post(jpeg())
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert site.client.get("/healthz").status_code == 200
        finder.release.set()
        assert [future.result().status_code for future in waiting] == [200, 200]
    assert site.post(jpeg()).status_code == 200


def test_bytes_in_the_queue_are_limited(start: Callable[..., Site], jpeg: Make) -> None:
    finder = Waiting()
    picture = jpeg(400, 300)
    site = start(finder, queue_bytes=len(picture))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(site.post, picture)
        assert finder.began.wait(20)
        assert site.post(picture).status_code == 503
        finder.release.set()
        assert first.result().status_code == 200


def test_failure_is_500_and_never_the_input(start: Callable[..., Site], jpeg: Make) -> None:
    class Broken:
        name = "broken"

        def detect(self, _scene: object) -> list[Any]:
            raise MemoryError

    site = start(Broken())
    site.selftest.error = "the known face is covered by 0% only"
    answer = site.post(jpeg())
    assert (answer.status_code, answer.json()) == (500, {"detail": "blurring failed"})
    health = site.client.get("/healthz")
    assert health.status_code == 503
    assert "known face" in health.json()["detail"]
    assert site.post(jpeg()).status_code == 503
    site.selftest.error = ""
    site.service._tested -= 11
    assert site.client.get("/healthz").status_code == 200


def test_health_keeps_its_verdict_for_a_while(start: Callable[..., Site]) -> None:
    site = start()
    for _ in range(5):
        site.client.get("/healthz")
    assert site.selftest.runs == 1
    site.service._tested -= 10_000
    site.client.get("/healthz")
    assert site.selftest.runs == 2


def test_metrics_count(start: Callable[..., Site], jpeg: Make, detector: Callable[..., Any]) -> None:
    site = start(detector(("face", 10, 10, 40, 40), ("face", 60, 10, 90, 40), ("plate", 100, 60, 130, 70)))
    site.post(jpeg())
    text = site.client.get("/metrics").text
    assert 'blurring_pictures_total{outcome="blurred"} 1' in text
    assert 'blurring_boxes_total{kind="face"} 2' in text
    assert "blurring_queue_pictures 0" in text
    assert "# TYPE blurring_boxes_total counter" in text
