"""Asks a detector what it finds in a picture, and believes no answer that does not fit.

A detector is a service of this site, and may be anybody's program: what it says becomes tags that people search, so
labels, boxes and numbers are checked here, and a detector cannot write any other tag than its own (guard,
78_detections.sql).
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import requests

CONNECT_SECONDS = 5.0
# Of JSON; two hundred finds take some 30 kB.
MOST_BYTES = 1_000_000
MOST_FOUND = 200
# Part of a key of upstream's, which has 256 characters and uses the brackets and the sign itself.
_LABEL = re.compile(r"[^\s\[\]=|](?:[^\[\]=|\x00-\x1f\x7f]{0,98}[^\s\[\]=|])?")
# The service looked at the picture and will not take it, ever.
_REFUSALS = {400, 413, 415, 422}
_BUSY = {429, 503}


class DetectorError(Exception):
    """The detector did not find out what is in the picture. The message is for administrators."""


class AwayError(DetectorError):
    """It cannot be reached, or has enough to do: that is no fault of the picture's."""


class RefusedError(DetectorError):
    """It will not take this picture."""


@dataclass(frozen=True)
class Found:
    """Something in a picture: box is left, top, right, bottom in whole pixels; confidence from 0 to 1."""

    label: str
    confidence: float
    box: tuple[int, int, int, int]


def ask(url: str, data: bytes, size: tuple[int, int], patience: float) -> list[Found]:
    """What the detector at `url` finds in a picture of `size` (width, height), a JPEG; `patience` in seconds.

    Raises:
        AwayError, RefusedError, DetectorError: why nothing is known.
    """
    try:
        with requests.post(
            f"{url}/detect/",
            files={"picture": ("picture.jpg", data, "image/jpeg")},
            headers={"Accept": "application/json"},
            timeout=(CONNECT_SECONDS, patience),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = response.raw.read(MOST_BYTES + 1, decode_content=True)
            _judge(response.status_code, body)
    except requests.ConnectTimeout as error:
        raise AwayError("it cannot be reached") from error
    except requests.Timeout as error:
        raise DetectorError(f"it gave no answer within {patience:.0f} s") from error
    except requests.ConnectionError as error:
        raise _lost(error) from error
    except (requests.RequestException, OSError) as error:
        raise DetectorError(f"it broke off its answer ({type(error).__name__})") from error
    return parse(body, size)


def _lost(error: requests.ConnectionError) -> DetectorError:
    # requests wraps what urllib3 says about a connection that never came to be.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError"}:
        return AwayError("it cannot be reached")
    return DetectorError("it went away in the middle of the picture")


def _judge(status: int, body: bytes) -> None:
    if status == 200:
        return
    try:
        detail = " ".join(str(json.loads(body)["detail"]).split())[:200]
    except (ValueError, TypeError, KeyError):
        detail = ""
    if status in _BUSY:
        raise AwayError("it has enough to do")
    if status in _REFUSALS:
        raise RefusedError(f"it refuses the picture: {detail or status}")
    raise DetectorError(f"it failed (status {status})")


def parse(body: bytes, size: tuple[int, int]) -> list[Found]:
    """The finds in an answer, the surest first, cut to the picture; those that have no size then are left out.

    Raises:
        DetectorError: it is not what a detector answers.
    """
    if len(body) > MOST_BYTES:
        raise DetectorError(f"it answered with more than {MOST_BYTES} bytes")
    try:
        entries = json.loads(body)["detections"]
        found = [_found(entry, size) for entry in entries]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise DetectorError(f"it answered what cannot be used: {error}") from error
    seen = [one for one in found if one.box[0] < one.box[2] and one.box[1] < one.box[3]]
    return sorted(seen, key=lambda one: -one.confidence)[:MOST_FOUND]


def _found(entry: Any, size: tuple[int, int]) -> Found:
    label, confidence, box = entry["label"], entry["confidence"], entry["box"]
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise ValueError(f"label {str(label)[:60]!r}")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError(f"confidence {str(confidence)[:60]!r}")
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
        raise ValueError(f"box {str(box)[:60]!r}")
    left, top, right, bottom = (round(side) for side in box)
    width, height = size
    cut = (max(0, left), max(0, top), min(width, right), min(height, bottom))
    return Found(label, round(float(confidence), 3), cut)


def as_json(found: list[Found]) -> str:
    """As the database's function takes them."""
    return json.dumps([asdict(one) for one in found])
