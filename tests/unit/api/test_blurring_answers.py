"""What the worker makes of a blurring service's answers: a real HTTP server that misbehaves in each way."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from launcher import blurring, breaker
from PIL import Image

PICTURE = "5a6c1c1e-0000-4000-8000-000000000001"
Answer = Callable[[Any, bytes], None]


def jpeg(width: int = 64, height: int = 48, orientation: int = 1) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.linear_gradient("L").resize((width, height)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def proof(source: bytes, answer: bytes, **other: str) -> dict[str, Any]:
    said = {
        "picture": PICTURE,
        "input": hashlib.sha256(source).hexdigest(),
        "answer": hashlib.sha256(answer).hexdigest(),
    }
    return {"proof": {"statement": json.dumps(said | other), "signature": "ab"}}


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """serve(answer) -> URL of a service that answers so: answer(handler, body)."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: Any, _body: bytes) -> None:
        handler.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(_handler: Any, _body: bytes) -> None:
    time.sleep(3)


def drip(handler: Any, _body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(30):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.1)


def flood(handler: Any, _body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(bytes(1_000_000))


def vanish(handler: Any, _body: bytes) -> None:
    handler.connection.close()


def cut_off(handler: Any, _body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"\xff\xd8")


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (hang, blurring.FailedError, "no answer within 1 s"),
        (drip, blurring.FailedError, "did not finish its answer in time"),
        (flood, blurring.FailedError, "more than"),
        (vanish, blurring.LostError, "went away in the middle"),
        (cut_off, blurring.LostError, "broke off its answer|went away"),
        (status(500), blurring.FailedError, "status 500"),
        (status(502), blurring.FailedError, "status 502"),
        (status(404), blurring.FailedError, "status 404"),
        (status(302, Location="http://127.0.0.1:1/"), blurring.FailedError, "status 302"),
        (status(422, b'{"detail": "not a\\n JPEG"}'), blurring.RefusedError, "^not a JPEG$"),
        (status(413), blurring.RefusedError, "status 413"),
        (status(200, b"x", Content_Type="multipart/form-data; boundary=a"), blurring.FailedError, "cannot be read"),
        (status(200, b"x", Content_Type="multipart/form-data"), blurring.FailedError, "cannot be read"),
        (status(200, b"x", X_SGBlur="{"), blurring.FailedError, "cannot be read"),
        (
            status(200, b"--a\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n--a--\r\n",
                   Content_Type="multipart/form-data; boundary=a"),
            blurring.FailedError,
            "without a picture",
        ),
    ],
)  # fmt: skip
def test_a_bad_answer(serve: Callable[[Answer], str], answer: Answer, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        blurring.ask(serve(answer), PICTURE, jpeg(), 1)
    assert type(raised.value) is error


def test_nobody_there() -> None:
    with pytest.raises(blurring.FailedError, match="cannot be reached") as raised:
        blurring.ask("http://127.0.0.1:1", PICTURE, jpeg(), 1)
    assert not isinstance(raised.value, blurring.LostError)
    with pytest.raises(blurring.FailedError, match="cannot be reached"):
        blurring.ask("http://no-such-host.invalid", PICTURE, jpeg(), 1)


def test_both_kinds_of_a_good_answer(serve: Callable[[Answer], str]) -> None:
    picture, said = jpeg() + b"\r\n--a\r\n", {"proof": {"statement": "s", "signature": "t"}}
    body = b"".join(
        b'--bb\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\nContent-Type: x/y\r\n\r\n%s\r\n' % part
        for part in ((b"metadata", json.dumps(said).encode()), (b"image", picture))
    )
    form = status(200, body + b"--bb--\r\n", Content_Type="multipart/form-data; boundary=bb")
    bare = status(200, picture, Content_Type="image/jpeg", X_SGBlur=json.dumps(said))
    for answer in (form, bare):
        found = blurring.ask(serve(answer), PICTURE, jpeg(), 5)
        assert (found.image, found.statement, found.signature) == (picture, "s", "t")


@pytest.mark.parametrize(("header", "pause"), [("7", 7), ("100000", 60), ("soon", 10), ("", 10)])
def test_a_busy_service_says_when_to_come_back(serve: Callable[[Answer], str], header: str, pause: float) -> None:
    with pytest.raises(blurring.BusyError) as raised:
        blurring.ask(serve(status(503, Retry_After=header)), PICTURE, jpeg(), 1)
    assert raised.value.pause == pause


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda source: blurring.Answer(source, {}), "did not prove"),
        (lambda source: blurring.Answer(b"", proof(source, b"")), "damaged"),
        (lambda source: blurring.Answer(b"GIF89a", proof(source, b"GIF89a")), "damaged"),
        (lambda source: blurring.Answer(source[:-300], proof(source, source[:-300])), "damaged"),
        (lambda source: blurring.Answer(source, proof(b"other", source)), "did not prove"),
        (lambda source: blurring.Answer(source, proof(source, b"other")), "did not prove"),
        (lambda source: blurring.Answer(source, proof(source, source, picture=breaker.TEST_PICTURE)), "did not prove"),
        (lambda source: blurring.Answer(source, {"proof": {"statement": "{"}}), "cannot be read"),
        (lambda source: blurring.Answer(source, {"proof": "yes"}), "did not prove"),
        (lambda source: blurring.Answer(jpeg(60), proof(source, jpeg(60))), "60 x 48 pixels"),
    ],
)
def test_an_answer_that_does_not_hold(make: Callable[[bytes], blurring.Answer], words: str) -> None:
    source = jpeg(640, 48) if words == "damaged" else jpeg()
    with pytest.raises(blurring.FailedError, match=words):
        blurring.check(make(source), PICTURE, source)


@pytest.mark.parametrize(("orientation", "size"), [(1, (64, 48)), (3, (56, 48)), (6, (48, 64)), (8, (40, 64))])
def test_a_picture_may_be_turned_upright(orientation: int, size: tuple[int, int]) -> None:
    source, answer = jpeg(64, 48, orientation), jpeg(*size)
    assert blurring.check(blurring.Answer(answer, proof(source, answer)), PICTURE, source).size == size


def test_the_breaker_lets_nothing_through_until_the_test_succeeds() -> None:
    now, answers = [0.0], iter(["down", "down", ""])
    tests = []

    def test() -> str:
        tests.append(now[0])
        return next(answers)

    guarded = breaker.Breaker(test, lambda: now[0])
    passed = []
    for second in (0, 0.5, 1, 2, 3, 3.5):
        now[0] = second
        passed.append(guarded.passes())
    assert passed == [False, False, False, False, True, True]
    assert tests == [0, 1, 3]
    guarded.rest(5)
    assert not guarded.passes()
    now[0] = 8.5
    assert guarded.passes()
