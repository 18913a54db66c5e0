"""What the process that asks detectors believes of their answers, and what it makes of their failures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from launcher import detecting, detector

SIZE = (400, 300)


def answer(**changed: Any) -> bytes:
    one = {"label": "stop sign", "confidence": 0.5, "box": [10, 20, 30, 40]} | changed
    return json.dumps({"detections": [one]}).encode()


def test_a_find_is_rounded_and_cut_to_the_picture() -> None:
    [found] = detector.parse(answer(box=[-5.4, 10.6, 999, 299.5], confidence=0.98765), SIZE)
    assert found == detector.Found("stop sign", 0.988, (0, 11, 400, 300))
    assert detector.parse(answer(box=[500, 10, 600, 20]), SIZE) == []
    assert detector.parse(b'{"detections": []}', SIZE) == []


def test_the_surest_two_hundred_count() -> None:
    many = [{"label": "x", "confidence": number / 1000, "box": [0, 0, 9, 9]} for number in range(300)]
    found = detector.parse(json.dumps({"detections": many}).encode(), SIZE)
    assert [len(found), found[0].confidence, found[-1].confidence] == [200, 0.299, 0.1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"detections": 5}',
        b'{"detections": [{}]}',
        b"[" * 200_000,
        b" " * 1_000_001,
        answer(label=""),
        answer(label="a=b"),
        answer(label="osm|traffic_sign"),
        answer(label="a[b]"),
        answer(label=" a"),
        answer(label="a\nb"),
        answer(label="a" * 101),
        answer(label=7),
        answer(confidence=1.1),
        answer(confidence="0.5"),
        answer(confidence=True),
        answer(confidence=float("nan")),
        answer(box=[1, 2, 3]),
        answer(box=[1, 2, 3, True]),
        answer(box=[1, 2, 3, float("inf")]),
        answer(box=[1, 2, 3, float("nan")]),
        answer(box="1234"),
    ],
)
def test_anything_else_is_no_answer(body: bytes) -> None:
    with pytest.raises(detector.DetectorError):
        detector.parse(body, SIZE)


@contextmanager
def service(status: int, body: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A service that gives one answer to everything; its address and what it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.path.encode() + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()


def test_a_service_is_sent_the_picture() -> None:
    with service(200, answer()) as (url, sent):
        assert detector.ask(f"{url}/text", b"JPEG", SIZE, 5)[0].label == "stop sign"
    assert sent[0].startswith(b"/text/detect/")
    assert b'name="picture"' in sent[0]
    assert b"JPEG" in sent[0]


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (422, detector.RefusedError, "refuses the picture: too dark"),
        (503, detector.AwayError, "enough to do"),
        (429, detector.AwayError, "enough to do"),
        (500, detector.DetectorError, "status 500"),
        (302, detector.DetectorError, "status 302"),
    ],
)
def test_what_its_other_answers_mean(status: int, error: type[Exception], says: str) -> None:
    with service(status, b'{"detail": "too dark"}') as (url, _), pytest.raises(error, match=says) as raised:
        detector.ask(url, b"JPEG", SIZE, 5)
    assert type(raised.value) is error


def test_a_service_that_is_not_there_is_no_fault_of_the_picture() -> None:
    with service(200, b"") as (url, _):
        pass
    with pytest.raises(detector.AwayError, match="cannot be reached"):
        detector.ask(url, b"JPEG", SIZE, 5)


def test_files_lie_where_upstream_puts_them() -> None:
    picture = UUID("0123abcd-4567-89ab-cdef-0123456789ab")
    expected = Path("/data/geovisio/permanent/01/23/ab/cd/4567-89ab-cdef-0123456789ab.jpg")
    assert detecting.picture_file(picture) == expected


class Connection:
    """A database that has one picture, and notes what it is told."""

    closed = False

    def __init__(self, tries: int = 1, *, busy: bool = False, stores: Exception | None = None) -> None:
        self.turn = (UUID(int=1), "text", "4", tries)
        self.busy, self.stores, self.told = busy, stores, list[tuple[str, Any]]()

    def execute(self, statement: str, parameters: Any = None) -> Connection:
        self.told.append((statement, parameters))
        if statement == detecting._STORE and self.stores:
            raise self.stores
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        statement, parameters = self.told[-1]
        if statement == detecting._NEXT:
            return self.turn if "text" in parameters["among"] else None
        return (self.busy,)

    def last(self, statement: str) -> Any:
        return next((parameters for told, parameters in reversed(self.told) if told == statement), None)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the picture lies."""
    from PIL import Image

    monkeypatch.setattr(detecting, "picture_file", lambda _: tmp_path / "a.jpg")
    Image.new("RGB", SIZE).save(tmp_path / "a.jpg")
    return tmp_path / "a.jpg"


def step(connection: Connection, monkeypatch: pytest.MonkeyPatch, result: Any) -> bool:
    def ask(*_: Any) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(detector, "ask", ask)
    made = detecting.Detecting({"text": "http://x"}, 5)
    made._connection = connection  # type: ignore[assignment]
    return made.step()


def test_what_is_found_is_stored(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection()
    assert ready.exists()
    assert step(connection, monkeypatch, [detector.Found("a", 0.5, (1, 2, 3, 4))])
    stored = connection.last(detecting._STORE)
    assert json.loads(stored["found"]) == [{"label": "a", "confidence": 0.5, "box": [1, 2, 3, 4]}]
    assert (stored["detector"], stored["version"]) == ("text", "4")


def test_it_stands_back_while_pictures_wait_to_be_blurred(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(busy=True)
    assert ready.exists()
    assert not step(connection, monkeypatch, [])
    assert connection.last(detecting._NEXT) is None


@pytest.mark.parametrize(
    ("error", "tries", "expected"),
    [
        (detector.DetectorError("it failed"), 1, ("it failed", 10.0, False)),
        (detector.DetectorError("it failed"), 4, ("it failed", 3600.0, False)),
        (detector.DetectorError("it failed"), 5, ("it failed", 3600.0, True)),
        (detector.RefusedError("it refuses"), 1, ("it refuses", 10.0, True)),
    ],
)
def test_a_picture_is_tried_again_later_and_given_up_at_last(
    ready: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int, expected: tuple[str, float, bool]
) -> None:
    connection = Connection(tries)
    assert ready.exists()
    assert step(connection, monkeypatch, error)
    told = connection.last(detecting._LATER)
    assert (told["reason"], told["pause"], told["final"]) == expected


def test_a_picture_that_is_gone_or_cannot_be_stored_fails_alone(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(stores=psycopg.errors.ForeignKeyViolation())
    assert step(connection, monkeypatch, [])
    assert "stored" in connection.last(detecting._LATER)["reason"]
    ready.unlink()
    connection = Connection()
    assert step(connection, monkeypatch, [])
    assert "file" in connection.last(detecting._LATER)["reason"]


@pytest.mark.parametrize("error", [detector.AwayError("it cannot be reached"), psycopg.errors.LockNotAvailable()])
def test_what_is_no_fault_of_the_picture_is_not_counted(
    ready: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    connection = Connection(stores=error if isinstance(error, psycopg.Error) else None)
    assert ready.exists()
    assert step(connection, monkeypatch, [] if connection.stores else error)
    assert connection.last(detecting._GIVE_BACK) is not None
    assert connection.last(detecting._LATER) is None


def test_without_the_database_the_process_ends(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready.exists()
    with pytest.raises(psycopg.OperationalError):
        step(Connection(stores=psycopg.OperationalError()), monkeypatch, [])
