"""Holes of pictures and their files (facts 5 and 8)."""

from __future__ import annotations

import time

from hole_kit import SAMPLE, Kit, checked, same_picture, thumbnail, unique
from holes import hole

NO_FILES = "gate: nothing serves files but the API"


@hole(
    "H70",
    "isBlurred=true: a picture is published as it was sent",
    exposed="Faces and plates, by one option of the uploading program",
    closed_by="database: no job goes without blurring",
    second="none",
)
def published_as_sent(kit: Kit) -> str | None:
    served = checked(kit.alice.token.get(f"/api/pictures/{kit.seen.id}/hd.jpg"))
    [[asked]] = kit.sql(f"SELECT coalesce(metadata->>'blurredByAuthor', '') FROM pictures WHERE id = '{kit.seen.id}'")
    assert asked == "true", "the picture was not uploaded with isBlurred=true"
    # Where nothing is to be hidden, the blurring service may leave the picture itself as it is, but not its thumbnail.
    untouched = same_picture(kit.sent_seen, served.content) and thumbnail(served.content)
    return "the very file that was sent" if untouched else None


@hole(
    "H71",
    "The thumbnail inside of a picture's file",
    exposed="The picture before blurring, in small, in every download",
    closed_by="blurring: EXIF thumbnail, previews and maker notes are removed",
    second="none",
)
def thumbnail_inside(kit: Kit) -> str | None:
    assert thumbnail(kit.sent), "the test picture has no thumbnail"
    kept = [
        name
        for name in ("hd", "sd")
        if thumbnail(kit.alice.token.get(f"/api/pictures/{kit.seen.id}/{name}.jpg").content)
    ]
    return f"in {' and '.join(kept)}" if kept else None


@hole(
    "H72",
    "The second picture of a file (MPF)",
    exposed="The same, in full size: phones and 360 degree cameras append previews",
    closed_by="blurring: only the picture itself is kept",
    second="none",
)
def second_picture_inside(kit: Kit) -> str | None:
    served = kit.alice.token.get(f"/api/pictures/{kit.seen.id}/hd.jpg").content
    return "MPF" if b"MPF\x00" in served else None


@hole(
    "H73",
    "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL=false: pictures without a session",
    exposed="Every picture, by its identifier, to the whole internet",
    closed_by="settings: refused, whatever its value",
    second=NO_FILES,
)
def mis_set_checks(kit: Kit) -> str | None:
    for name in ("thumb", "sd", "hd"):
        for picture in (kit.seen, kit.hidden):
            answer = kit.careless().get(f"/api/pictures/{picture.id}/{name}.jpg")
            if answer.status_code in {200, 302} and "/api/auth/" not in answer.headers.get("location", ""):
                return f"{name}: {answer.status_code} {answer.headers.get('location', '')}".strip()
    return None


@hole(
    "H74",
    "Direct links to files, as upstream's example has them",
    exposed="Every picture to whoever has or guesses its identifier, hidden and reported ones too",
    closed_by="settings: refused",
    second=NO_FILES,
)
def direct_links(kit: Kit) -> str | None:
    one = kit.hidden.id
    folder = f"{one[0:2]}/{one[2:4]}/{one[4:6]}/{one[6:8]}/{one[9:]}"
    if kit.direct:
        # Upstream's example lets nginx serve these addresses to everybody.
        item = kit.direct.get(kit.seen.item, headers={"Authorization": kit.bob.token.headers["Authorization"]})
        handed_out = [asset["href"] for asset in item.json()["assets"].values() if "/api/" not in asset["href"]]
        return f"handed out: {', '.join(handed_out).replace(kit.seen.id, '<id>')}" if handed_out else None
    paths = [
        f"/permanent/{one}.jpg",
        f"/permanent/{folder}.jpg",
        f"/derivates/{one}/sd.jpg",
        f"/derivates/{folder}/sd.jpg",
        f"/derivates/{folder}/thumb.jpg",
        f"/tmp/{folder}.jpg",
        f"/data/geovisio/permanent/{folder}.jpg",
    ]
    return next((path for path in paths if kit.anonymous().get(path).status_code == 200), None)


@hole(
    "H75",
    "Originals left behind when a picture that could not be blurred is deleted",
    exposed="Unblurred pictures, for ever, to whoever gets at the disk or a backup of it",
    closed_by="API: the launcher lets the original go with the picture",
    second="network: nothing serves them; the directory is closed to other users of the host",
)
def orphans(kit: Kit) -> str | None:
    session = kit.bob.token
    made = checked(session.post("/api/upload_sets", json={"title": "x", "estimated_nb_files": 1})).json()["id"]
    # Cut in the middle: a blurring service that looks at it cannot read it.
    picture = unique(SAMPLE)
    files = {"file": ("x.jpg", picture[: len(picture) // 2], "image/jpeg")}
    place = {"override_longitude": "-170", "override_latitude": "-50", "override_capture_time": "2024-05-06T07:08:09Z"}
    added = checked(session.post(f"/api/upload_sets/{made}/files", data=place, files=files)).json()["picture_id"]
    original = f"tmp/{added[0:2]}/{added[2:4]}/{added[4:6]}/{added[6:8]}/{added[9:]}.jpg"
    deadline = time.monotonic() + 20
    while not session.get(f"/api/upload_sets/{made}").json()["items_status"]["broken"] and time.monotonic() < deadline:
        time.sleep(0.3)
    checked(session.delete(f"/api/upload_sets/{made}"))
    deadline = time.monotonic() + 5
    while kit.on_file(original, ["test", "-e"]):
        if time.monotonic() > deadline:
            kit.on_file(original, ["rm", "-f"])
            return "the original is still there"
        time.sleep(0.5)
    return None
