"""The life of one picture of the verifier's own: what becomes of it, and who sees it when."""

from __future__ import annotations

import io
import json
import secrets
import tarfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.jpeg import Detail, detail, located
from panoramax_ops.verify.model import ClaimBrokenError
from panoramax_ops.verify.removal import hurry, quoted
from panoramax_ops.verify.requests import patient, told
from panoramax_ops.verify.site import Site, folder

# The point of all oceans that is farthest from land: nobody looks for pictures there.
LONGITUDE, LATITUDE = -123.3933, -48.8767
TITLE = "Verification by verify.py"
READY_SECONDS = 40
# How much of an area's detail may be left after blurring; measured: less than a tenth.
LEFT_OVER = 0.3


@dataclass
class Photo:
    """The picture as it was made, and what the site calls it. Boxes are in parts of width and height, by what is there.

    `early` holds what somebody else was answered with while the picture was still in work.
    """

    original: bytes
    boxes: dict[str, tuple[float, ...]]
    upload: str
    picture: str
    collection: str
    owner: str
    seconds: float
    early: list[httpx.Response] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Addresses of the picture's files."""
        return [f"/api/pictures/{self.picture}/{kind}.jpg" for kind in ("hd", "sd", "thumb")]

    @property
    def addresses(self) -> list[str]:
        """Where the picture, or that it is there, can be read."""
        item = f"/api/collections/{self.collection}/items/{self.picture}"
        return [*self.files, f"/api/pictures/{self.picture}", item]

    @property
    def sequence_addresses(self) -> list[str]:
        """Where its sequence can be read."""
        return [f"/api/collections/{self.collection}", f"/api/collections/{self.collection}/items"]

    @property
    def ids(self) -> list[str]:
        """Identifiers in the database."""
        return [self.upload, self.picture, self.collection]

    @property
    def folder(self) -> str:
        """Path of its files below permanent/, derivates/ and tmp/."""
        return folder(self.picture)


def body(answer: httpx.Response, what: str) -> Any:
    """The JSON of an answer that must be a success. Raises UnableError otherwise."""
    if answer.status_code not in {200, 201, 202}:
        raise UnableError(f"{what}: {told(answer)} {answer.text[:200]}", "See: docker logs of the API and the proxy.")
    return answer.json()


def draw(site: Site) -> tuple[bytes, dict[str, tuple[float, ...]]]:
    """A picture with a face and a licence plate, with place and date, that no site has seen before; and their boxes.

    It is the one with which the blurring tests itself. Raises UnableError if the blurring has none.
    """
    # Where several services blur, each has a number.
    names = [str(container.name).removeprefix(f"{site.project}-") for container in site.containers()]
    blurring = min((name for name in names if name.startswith("blurring")), default="blurring")
    code, text = site.execute(blurring, "cat", "/models/selftest.json")
    if code:
        raise UnableError(
            "The blurring has no picture with a known face.",
            "With another blurring service, look at a picture yourself.",
        )
    when = datetime.now(UTC) - timedelta(hours=1)
    # Not by `cat`: through ssh, the client may lose the first bytes of what a command says.
    stream, _ = site.container(blurring).get_archive("/models/selftest.jpg")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        original = archive.extractfile("selftest.jpg")
        assert original is not None
        picture = located(original.read(), LONGITUDE, LATITUDE, when, f"{TITLE} {secrets.token_hex(16)}")
    found = detail(picture)
    size = (found.width, found.height) * 2
    boxes = {kind: tuple(box[i] / size[i] for i in range(4)) for kind, box in json.loads(text).items()}
    return picture, boxes


def start(session: httpx.Client, **options: Any) -> str:
    """Begin an upload of one file. Returns its identifier."""
    data = {"title": TITLE, "estimated_nb_files": 1, **options}
    return str(body(session.post("/api/upload_sets", json=data), "Beginning an upload")["id"])


def send(session: httpx.Client, upload: str, picture: bytes, name: str, **fields: str) -> httpx.Response:
    """Send a file."""
    path, files = f"/api/upload_sets/{upload}/files", {"file": (name, picture, "image/jpeg")}
    return patient(lambda: session.post(path, files=files, data=fields))


def upload(site: Site) -> Photo:
    """Upload the picture as one that its author says to have blurred, and wait until it is ready.

    Meanwhile somebody else asks for it. Raises UnableError if it does not become ready.
    """
    owner, other = site.cast["user"].session, site.cast["other"].session
    original, boxes = draw(site)
    begun = time.monotonic()
    identifier = start(owner)
    sent = body(send(owner, identifier, original, "verification.jpg", isBlurred="true"), "Uploading a picture")
    photo = Photo(original, boxes, identifier, str(sent["picture_id"]), "", site.cast["user"].account_id, 0)
    jobs = f"picture_id = {quoted([photo.picture])} OR upload_set_id = {quoted([identifier])}"
    while True:
        hurry(site.sql, jobs)
        state = body(owner.get(f"/api/upload_sets/{identifier}"), "Asking for the upload")
        photo.early += [answer for path in photo.files if (answer := other.get(path)).status_code == 200]
        counts = state["items_status"]
        if state.get("ready") and state["associated_collections"]:
            break
        if time.monotonic() - begun > READY_SECONDS or counts["broken"] or counts["rejected"]:
            raise UnableError(
                f"The picture is not ready after {READY_SECONDS} s: {counts}", "Do workers and blurring run? docker ps"
            )
        time.sleep(0.25)
    photo.collection = str(state["associated_collections"][0]["id"])
    photo.seconds = time.monotonic() - begun
    return photo


def blurred(photo: Photo, picture: bytes, before: Detail) -> str:
    """How much of its detail each known area has left. Raises ClaimBrokenError if one was not blurred."""
    after = detail(picture)
    left = {kind: after.inside(box) / before.inside(box) for kind, box in photo.boxes.items()}
    text = ", ".join(f"{kind} {part:.0%}" for kind, part in left.items())
    if any(part > LEFT_OVER for part in left.values()):
        raise ClaimBrokenError(f"detail left in the known areas: {text}")
    return text


def refused(session: httpx.Client, paths: list[str]) -> list[str]:
    """Those of the paths that are answered, with their status."""
    answers = [(path, session.get(path)) for path in paths]
    return [f"{path}: {told(answer)}" for path, answer in answers if answer.status_code not in {401, 403, 404}]


def given(session: httpx.Client, paths: list[str]) -> list[str]:
    """Those of the paths that are not answered with 200, with their status."""
    answers = [(path, session.get(path)) for path in paths]
    return [f"{path}: {told(answer)}" for path, answer in answers if answer.status_code != 200]


def listed(session: httpx.Client, photo: Photo) -> list[str]:
    """Where somebody finds the picture without knowing it: search, and the owner's list of sequences."""
    place = f"{LONGITUDE - 0.01},{LATITUDE - 0.01},{LONGITUDE + 0.01},{LATITUDE + 0.01}"
    places = {
        "search by place": (f"/api/search?bbox={place}&limit=100", photo.picture),
        "search by id": (f"/api/search?ids={photo.picture}", photo.picture),
        "sequences of the owner": (f"/api/users/{photo.owner}/collection", photo.collection),
    }
    return [where for where, (path, identifier) in places.items() if identifier in session.get(path).text]
