"""What tests of engines of another make share: a picture with a known face, uploaded, blurred and looked at."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from PIL import Image

from known import Known, assert_gone
from pictures import unique

Sql = Callable[..., list[list[str]]]


def upload(session: httpx.Client, picture: bytes) -> str:
    """Upload one picture, which says nothing of time and place itself. Returns its identifier."""
    asked = {"title": "Engine", "estimated_nb_files": 1, "no_deduplication": True}
    made = session.post("/api/upload_sets", json=asked).json()["id"]
    answer = session.post(
        f"/api/upload_sets/{made}/files",
        files={"file": ("engine.jpg", unique(picture), "image/jpeg")},
        data={
            "override_capture_time": "2026-09-01T10:00:00Z",
            "override_latitude": "47.5",
            "override_longitude": "-2.7",
        },
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["picture_id"])


def state(sql: Sql, picture: str) -> str:
    """How far a picture is."""
    return sql(f"SELECT preparing_status FROM pictures WHERE id = '{picture}'")[0][0]


def published(sql: Sql, picture: str, seconds: float, said: Callable[[], object]) -> None:
    """Wait until a picture is. `said`: what the containers have to say if it is not."""
    deadline = time.monotonic() + seconds
    while state(sql, picture) != "prepared":
        assert time.monotonic() < deadline, f"{state(sql, picture)}\n{said()}"
        time.sleep(0.5)


def shown(session: httpx.Client, picture: str) -> bytes:
    """What another person sees of it, once it is in a sequence, which is a job of its own."""
    deadline = time.monotonic() + 60
    while (answer := session.get(f"/api/pictures/{picture}/hd.jpg")).status_code == 403:
        assert time.monotonic() < deadline, "others do not see it"
        time.sleep(0.5)
    assert answer.status_code == 200
    return answer.content


def assert_blurred(known: Known, jpeg: bytes) -> None:
    """Nobody recognises face and plate of the known picture in this one."""
    for kind, box in known.boxes.items():
        assert_gone(known.image, Image.open(io.BytesIO(jpeg)).convert("L"), box, kind)


def proof(sql: Sql, picture: str) -> dict[str, Any]:
    """The statement that was signed when the picture was blurred."""
    [[statement]] = sql(f"SELECT statement FROM priv.blurring_proofs WHERE picture_id = '{picture}'")
    said = json.loads(statement)
    assert isinstance(said, dict)
    return said
