"""Asks the blurring service for a picture, and believes no answer that does not hold.

Upstream waits without limit, and publishes whatever comes back (facts 5.4). Here an answer counts only if it arrived in
time and within bounds, is one whole JPEG of the expected size, and carries a signed statement that this very picture
went in and this very answer came out; the database verifies the signature (guard, 42_proofs.sql).
"""

import hashlib
import io
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import requests
from PIL import Image

CONNECT_SECONDS = 5.0
# What a service may answer at most: blurring does not make pictures much larger (a third, for optimised files).
GROWTH, SLACK = 2, 1_000_000
# Turning a picture upright without loss can cost the pixels that fill no whole block.
TRIMMED = 16
_TURNED = {5, 6, 7, 8}
_ORIENTATION = 0x0112
_NAME = re.compile(rb'(?i)content-disposition: form-data;[^\r\n]*?\bname="?([^";\r\n]+)')
# The service looked at the picture and will not take it, ever.
_REFUSALS = {400, 413, 415, 422}
_BUSY = {429, 503}
LONGEST_PAUSE = 60.0
CHUNK = 1 << 20


class BlurringError(Exception):
    """The picture was not blurred. The message is for the picture's owner."""


class RefusedError(BlurringError):
    """The service will not take this picture."""


class BusyError(BlurringError):
    """The service has enough to do.

    Attributes:
        pause: Seconds after which to come back.
    """

    def __init__(self, pause: float) -> None:
        super().__init__("the blurring service has enough to do")
        self.pause = pause


class FailedError(BlurringError):
    """The service did not do its work."""


class LostError(FailedError):
    """The service took the picture, and went away over it."""


@dataclass(frozen=True)
class Answer:
    """A picture that came back, with what was said about it. Not believed yet: see `check`."""

    image: bytes
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def statement(self) -> str:
        """The signed statement, or an empty text."""
        return self._proof("statement")

    @property
    def signature(self) -> str:
        """The statement's signature, or an empty text."""
        return self._proof("signature")

    def _proof(self, name: str) -> str:
        proof = self.metadata.get("proof")
        value = proof.get(name) if isinstance(proof, Mapping) else None
        return value if isinstance(value, str) else ""


def ask(url: str, picture: str, data: bytes, patience: float) -> Answer:
    """Have a picture blurred. `picture` is its identifier, `patience` the seconds until the whole answer must be there.

    Raises:
        RefusedError, BusyError, LostError, FailedError: what became of it instead.
    """
    deadline = time.monotonic() + patience
    try:
        with requests.post(
            f"{url}/blur/",
            files={"picture": ("picture.jpg", data, "image/jpeg")},
            headers={"Accept": "multipart/form-data", "X-Picture-Id": picture},
            timeout=(CONNECT_SECONDS, patience),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = _body(response, GROWTH * len(data) + SLACK, deadline)
            _judge_status(response.status_code, response.headers, body)
            return _parse(response.headers.get("content-type", ""), body, response.headers.get("x-sgblur", ""))
    except requests.ConnectTimeout as error:
        raise FailedError("the blurring service cannot be reached") from error
    except requests.Timeout as error:
        raise FailedError(f"the blurring service gave no answer within {patience:.0f} s") from error
    except requests.ConnectionError as error:
        if _never_connected(error):
            raise FailedError("the blurring service cannot be reached") from error
        raise LostError("the blurring service went away in the middle of the picture") from error
    except requests.RequestException as error:
        raise LostError(f"the blurring service broke off its answer ({type(error).__name__})") from error


def _never_connected(error: BaseException) -> bool:
    # requests wraps what urllib3 says about a connection that never came to be.
    names = {type(error).__name__ for error in _chain(error)}
    return bool(names & {"NewConnectionError", "NameResolutionError", "ConnectionRefusedError"})


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        reason = getattr(error.args[0], "reason", None) if error.args else None
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return found


def _body(response: requests.Response, most: int, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > most:
            raise FailedError(f"the blurring service answered with more than {most} bytes")
        if time.monotonic() > deadline:
            raise FailedError("the blurring service did not finish its answer in time")
    return bytes(body)


def _judge_status(status: int, headers: Mapping[str, str], body: bytes) -> None:
    if status == 200:
        return
    if status in _BUSY:
        wait = headers.get("Retry-After", "")
        raise BusyError(min(float(wait) if wait.isdecimal() else 10.0, LONGEST_PAUSE))
    if status in _REFUSALS:
        raise RefusedError(_detail(body) or f"status {status}")
    raise FailedError(f"the blurring service failed (status {status})")


def _detail(body: bytes) -> str:
    """Return why the service refused, if it says so in a line or in JSON's `detail`."""
    try:
        detail = json.loads(body[:4096])["detail"]
    except (ValueError, TypeError, KeyError):
        return ""
    return " ".join(str(detail).split())[:200]


def _parse(content_type: str, body: bytes, header: str) -> Answer:
    form = Message()
    form["Content-Type"] = content_type
    try:
        if form.get_content_type() != "multipart/form-data":
            return Answer(body, _object(header))
        parts = _parts(body, str(form.get_param("boundary", "")).encode())
        if "image" not in parts:
            raise FailedError("the blurring service answered without a picture")
        return Answer(parts["image"], _object(parts.get("metadata", b"")))
    except ValueError as error:
        raise FailedError("the blurring service answered what cannot be read") from error


def _parts(body: bytes, boundary: bytes) -> dict[str, bytes]:
    """Return the parts of a form by their names. That they are what was sent is for their checksums to show."""
    mark = b"\r\n--" + boundary
    whole = b"\r\n" + body
    if not boundary or mark not in whole:
        raise ValueError("not a form")
    found = {}
    for part in whole.split(mark)[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name:
            found[name.group(1).decode("ascii", "replace")] = content
    return found


def _object(text: str | bytes) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}


def check(answer: Answer, picture: str, source: bytes) -> Image.Image:
    """Return the decoded picture of an answer that holds, but for its signature, which only the database can verify.

    Raises:
        FailedError: it is not what was asked for.
    """
    try:
        said = _object(answer.statement)
    except ValueError as error:
        raise FailedError("the blurring service's proof cannot be read") from error
    expected = {"picture": picture, "input": _digest(source), "answer": _digest(answer.image)}
    if {name: said.get(name) for name in expected} != expected or not answer.signature:
        raise FailedError("the blurring service did not prove that it blurred the picture")
    try:
        image = Image.open(io.BytesIO(answer.image))
        image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise FailedError("the blurring service answered with a damaged picture") from error
    _check_size(image, source)
    return image


def _check_size(image: Image.Image, source: bytes) -> None:
    with Image.open(io.BytesIO(source)) as original:
        width, height = original.size
        orientation = original.getexif().get(_ORIENTATION, 1)
    if orientation in _TURNED:
        width, height = height, width
    lost = (width - image.width, height - image.height)
    most = TRIMMED if orientation in range(2, 9) else 1
    if image.format != "JPEG" or not all(0 <= missing < most for missing in lost):
        raise FailedError(
            f"the blurring service answered with a {image.format} of {image.width} x {image.height} pixels"
            f" instead of a JPEG of {width} x {height}"
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
