"""What an attack on an instance is made with: people, their sessions, and pictures worth an attack.

The same kit is made for a stock instance and for the deployed site, so that one attack can be tried on both.
"""

from __future__ import annotations

import io
import secrets
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import httpx

from pictures import geovisio_pictures

Sql = Callable[[str], list[list[str]]]
# As a photo of a phone: 1920 x 1080, with an EXIF thumbnail.
SAMPLE = "e1.jpg"
REPORT_KINDS = (
    "blur_missing",
    "blur_excess",
    "inappropriate",
    "privacy",
    "picture_low_quality",
    "mislocated",
    "copyright",
    "other",
)


@dataclass
class Person:
    """An account, with a session as a browser has it and one with an API token."""

    id: str
    name: str
    browser: httpx.Client
    token: httpx.Client


@dataclass(frozen=True)
class Picture:
    """A picture in a sequence of its own."""

    id: str
    sequence: str
    upload_set: str
    title: str
    longitude: float
    latitude: float

    @property
    def item(self) -> str:
        """Path of its metadata."""
        return f"/api/collections/{self.sequence}/items/{self.id}"


class People(Protocol):
    """Makes people and takes their access away, each target in its own way."""

    def make(self, name: str, role: str = "user") -> Person:
        """A new person."""

    def disable(self, person: Person) -> None:
        """Cut a person off with all that an operator of this target has for that."""

    def anonymous(self) -> httpx.Client:
        """A client that nobody signed in."""


@dataclass(repr=False)
class Kit:
    """All that an attack can use. `alice` is who is attacked; `bob` is another ordinary user, `ada` administers."""

    target: str
    people: People
    sql: Sql
    # Runs a command on a file, given by its path below the directory of pictures, and tells whether it succeeded.
    on_file: Callable[[str, list[str]], bool]
    alice: Person
    bob: Person
    ada: Person
    # Instances with settings that upstream reads differently than an operator means them, and with direct links to
    # files; ours has no such.
    mis_set: httpx.Client | None = None
    direct: httpx.Client | None = None
    # Alice's file as she sent it, and where her two uploaded pictures ended: one to be seen, one hidden 3 m beside it.
    sent: bytes = b""
    sent_seen: bytes = b""
    seen: Picture = field(init=False)
    hidden: Picture = field(init=False)
    _made: list[Picture] = field(default_factory=list)
    _dismissed: Person | None = None

    def anonymous(self) -> httpx.Client:
        """A client that nobody signed in."""
        return self.people.anonymous()

    def careless(self) -> httpx.Client:
        """An anonymous client of an instance that was set up carelessly, if this target has such a thing."""
        return self.mis_set or self.anonymous()

    def dismissed(self) -> Person:
        """Somebody whose account was disabled after the sign-in; the same for all who ask."""
        if self._dismissed is None:
            self._dismissed = self.people.make("Dora Dismissed")
            assert self._dismissed.browser.get(self.seen.item).status_code == 200
            assert self._dismissed.token.get(self.seen.item).status_code == 200
            self.people.disable(self._dismissed)
        return self._dismissed

    def upload(self, person: Person, picture: bytes, at: tuple[float, float], **more: str) -> Picture:
        """Upload a picture as a client does, and wait until it can be seen."""
        title = f"holes {secrets.token_hex(6)}"
        session = person.token
        made = checked(session.post("/api/upload_sets", json={"title": title, "estimated_nb_files": 1})).json()
        fields = {
            "override_longitude": str(at[0]),
            "override_latitude": str(at[1]),
            "override_capture_time": "2024-05-06T07:08:09Z",
            "isBlurred": "true",
            **more,
        }
        files = {"file": (f"{title}.jpg", picture, "image/jpeg")}
        added = checked(session.post(f"/api/upload_sets/{made['id']}/files", data=fields, files=files)).json()
        deadline = time.monotonic() + 60
        while True:
            state = checked(session.get(f"/api/upload_sets/{made['id']}")).json()
            if state.get("ready") and state.get("associated_collections"):
                break
            assert time.monotonic() < deadline, state
            time.sleep(0.3)
        assert state["items_status"]["prepared"] == 1, state
        sequence = state["associated_collections"][0]["id"]
        done = Picture(added["picture_id"], sequence, made["id"], title, *at)
        self._made.append(done)
        return done

    def victim(self, visibility: str = "logged-only", owner: Person | None = None, status: str = "prepared") -> Picture:
        """A picture without a file, somewhere on its own, for an attack that changes or hides it."""
        picture, sequence, upload_set = (str(uuid.uuid4()) for _ in range(3))
        owner = owner or self.alice
        longitude, latitude = (
            round(-100 - 50 * secrets.randbelow(10**6) / 1e6, 5),
            round(-30 - 20 * secrets.randbelow(10**6) / 1e6, 5),
        )
        title = f"holes {secrets.token_hex(6)}"
        point = f"ST_SetSRID(ST_MakePoint({longitude}, {latitude}), 4326)"
        shown = "ready" if status == "prepared" else "waiting-for-process"
        self.sql(
            f"""SET LOCAL priv.operator = 'on';
            INSERT INTO upload_sets (id, account_id, title, visibility, completed, dispatched)
              VALUES ('{upload_set}', '{owner.id}', '{title}', '{visibility}', true, true);
            INSERT INTO sequences (id, account_id, status, visibility, metadata, upload_set_id, bbox, geom, nb_pictures,
              computed_capture_date, min_picture_ts, max_picture_ts)
              VALUES ('{sequence}', '{owner.id}', 'ready', '{visibility}', '{{"title": "{title}"}}', '{upload_set}',
              Box2D(ST_Expand({point}, 0.001)), ST_Multi(ST_MakeLine({point}, ST_Translate({point}, 0.001, 0))), 1,
              '2024-05-06', '2024-05-06', '2024-05-06');
            INSERT INTO pictures (id, account_id, upload_set_id, geom, ts, metadata, exif, status, preparing_status)
              VALUES ('{picture}', '{owner.id}', '{upload_set}', {point}, '2024-05-06T07:08:09Z',
              '{{"type": "flat", "width": 10, "height": 10, "originalFileName": "{title}.jpg"}}',
              '{{"Exif.Image.Artist": "{title}"}}', '{shown}', '{status}');
            INSERT INTO files (upload_set_id, picture_id, file_type, size, file_name)
              VALUES ('{upload_set}', '{picture}', 'picture', 10, '{title}.jpg');
            INSERT INTO sequences_pictures (seq_id, rank, pic_id) VALUES ('{sequence}', 1, '{picture}');
            DELETE FROM job_queue WHERE picture_id = '{picture}';"""
        )
        made = Picture(picture, sequence, upload_set, title, longitude, latitude)
        self._made.append(made)
        return made

    def add_picture(self, to: Picture, east: float, number: int = 1) -> Picture:
        """More pictures, without files, in the sequence of another, each farther to the east; the last of them."""
        last = str(uuid.uuid4())
        self.sql(
            f"""SET LOCAL priv.operator = 'on';
            CREATE TEMPORARY TABLE more AS
              SELECT n, CASE WHEN n = {number} THEN '{last}' ELSE gen_random_uuid()::text END::uuid AS id
              FROM generate_series(1, {number}) n;
            INSERT INTO pictures (id, account_id, upload_set_id, geom, ts, metadata, exif, status, preparing_status)
              SELECT more.id, account_id, upload_set_id, ST_Translate(geom, {east} * n, 0),
              ts + interval '1 second' * n, metadata - 'originalContentMd5', exif, status, preparing_status
              FROM pictures, more WHERE pictures.id = '{to.id}';
            INSERT INTO sequences_pictures (seq_id, rank, pic_id) SELECT '{to.sequence}', 1 + n, id FROM more;
            DELETE FROM job_queue WHERE picture_id IN (SELECT id FROM more);
            UPDATE sequences SET geom = compute_sequence_geom(id), bbox = compute_sequence_bbox(id)
              WHERE id = '{to.sequence}'"""
        )
        made = replace(to, id=last, longitude=round(to.longitude + east * number, 5))
        self._made.append(made)
        return made

    def visibility(self, picture: Picture) -> tuple[str, str]:
        """What the database says of a picture and its sequence."""
        [[shown, sequence]] = self.sql(
            f"SELECT p.visibility, s.visibility FROM pictures p, sequences s"
            f" WHERE p.id = '{picture.id}' AND s.id = '{picture.sequence}'"
        )
        return shown, sequence

    def report(self, session: httpx.Client, **body: str) -> httpx.Response:
        """Send a report; where reports are limited in number, wait until one may be made."""
        for _ in range(10):
            answer = session.post("/api/reports", json=body)
            if answer.status_code != 429 or "retry-after" not in answer.headers:
                break
            time.sleep(2)
        return answer

    def set_the_scene(self) -> None:
        """Upload what is attacked, and check that it is there."""
        longitude = round(-100 - 50 * secrets.randbelow(10**6) / 1e6, 5)
        self.sent = unique(SAMPLE)
        self.hidden = self.upload(self.alice, self.sent, (longitude + 0.00004, -40.0))
        checked(self.alice.token.patch(f"/api/collections/{self.hidden.sequence}", json={"visibility": "owner-only"}))
        self.sent_seen = unique(SAMPLE)
        self.seen = self.upload(self.alice, self.sent_seen, (longitude, -40.0))
        mine = checked(self.alice.token.get("/api/users/me/collection")).text
        assert self.hidden.title in mine
        assert checked(self.bob.token.get(self.seen.item)).json()["id"] == self.seen.id
        assert self.bob.token.get(self.hidden.item).status_code == 404
        assert self.anonymous().get(self.seen.item).status_code in {401, 404}

    def clear(self) -> None:
        """Remove all pictures of the kit, files too."""
        for upload_set in {picture.upload_set for picture in self._made if picture in (self.hidden, self.seen)}:
            self.alice.token.delete(f"/api/upload_sets/{upload_set}")
        sets = ", ".join(f"'{picture.upload_set}'" for picture in self._made)
        own = f"upload_set_id IN ({sets})"
        self.sql(
            f"""CREATE TEMPORARY TABLE gone AS SELECT id FROM pictures
              WHERE {own} AND NOT metadata ? 'originalContentMd5';
            DELETE FROM sequences_pictures WHERE pic_id IN (SELECT id FROM gone);
            DELETE FROM pictures WHERE id IN (SELECT id FROM gone);
            DELETE FROM job_queue WHERE picture_to_delete_id IN (SELECT id FROM gone);
            DELETE FROM sequences WHERE {own} AND id NOT IN (SELECT seq_id FROM sequences_pictures);
            DELETE FROM upload_sets WHERE id IN ({sets})
              AND id NOT IN (SELECT upload_set_id FROM pictures WHERE {own});"""
        )


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one; raises AssertionError with its words otherwise."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:400]}"
    return answer


def to_the_end(session: httpx.Client, path: str) -> tuple[int, str]:
    """GET as plain bytes: status and all that follows. Upstream ends with 102, which libraries take for a beginning."""
    target = session.base_url
    if target.scheme == "https":
        answer = session.get(path)
        return answer.status_code, answer.text
    head = [f"GET {path} HTTP/1.1", f"Host: {target.host}", "Connection: close"]
    head += [f"Authorization: {session.headers['Authorization']}"] if "Authorization" in session.headers else []
    with socket.create_connection((target.host, target.port or 80), timeout=5) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        data = b""
        while block := connection.recv(65536):
            data += block
    return int(data.split(b" ", 2)[1]), data.decode()


def same_picture(sent: bytes, served: bytes) -> bool:
    """Whether a served file still has the very picture that was sent, whatever was written into its metadata."""
    middle = len(sent) // 2
    return sent[middle : middle + 4096] in served


def unique(name: str) -> bytes:
    """One of geovisio's test pictures, as a file that no instance has seen: with a comment of its own."""
    data = (geovisio_pictures() / name).read_bytes()
    comment = secrets.token_hex(16).encode()
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


def multipart(picture: bytes) -> tuple[bytes, bytes]:
    """The body of an upload with boundary `x`, in two parts that follow each other."""
    fields = {
        "override_longitude": "-170",
        "override_latitude": "-50",
        "override_capture_time": "2024-05-06T07:08:09Z",
        "isBlurred": "false",
    }
    head = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    head += '--x\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head.encode() + picture + b"\r\n--x--\r\n"
    return body[: len(body) // 2], body[len(body) // 2 :]


def original_path(folder: str, picture: str) -> str:
    """Where a file of a picture lies below the directory of pictures (facts 8)."""
    return f"{folder}/{picture[0:2]}/{picture[2:4]}/{picture[4:6]}/{picture[6:8]}/{picture[9:]}.jpg"


def thumbnail(picture: bytes) -> bytes:
    """The EXIF thumbnail in a JPEG file; empty if it has none."""
    from PIL import Image
    from PIL.ExifTags import IFD

    with Image.open(io.BytesIO(picture)) as image:
        exif = image.getexif()
        first = exif.get_ifd(IFD.IFD1)
        start, length = first.get(0x201), first.get(0x202)
        raw: bytes = image.info.get("exif", b"")
    if not isinstance(start, int) or not isinstance(length, int):
        return b""
    return raw[6 + start : 6 + start + length]


def related(item: dict[str, Any]) -> list[str]:
    """Addresses of the pictures that an item names as its neighbours."""
    return [link["href"] for link in item["links"] if link["rel"] == "related"]
