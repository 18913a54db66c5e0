"""Holes of pictures and their files (facts 5 and 8)."""

from __future__ import annotations

import json
import time
import uuid

from hole_kit import SAMPLE, Kit, Picture, checked, original_path, same_picture, thumbnail, unique
from holes import hole

NO_FILES = "gate: nothing serves files but the API"


@hole(
    "H70",
    "isBlurred=true: a picture is published as it was sent",
    exposed="Faces and plates, by one option of the uploading program",
    closed_by="database: no job goes without blurring",
    second="database: nothing is shown without a proof that the blurring has signed",
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
    made, added = _broken(kit)
    original = original_path("tmp", added)
    checked(kit.bob.token.delete(f"/api/upload_sets/{made}"))
    return None if _goes(kit, original, 5) else "the original is still there"


@hole(
    "H76",
    "An original that could not be blurred, among the published files",
    exposed="Unblurred pictures to backups, and to whoever gets at the published files, by isBlurred=true",
    closed_by="API: the launcher lets every upload wait among the originals",
    second="database: a picture that is not ready is its owner's",
)
def original_among_published(kit: Kit) -> str | None:
    made, added = _broken(kit, isBlurred="true")
    published = kit.on_file(original_path("permanent", added), ["test", "-e"])
    checked(kit.bob.token.delete(f"/api/upload_sets/{made}"))
    return "the very file that was sent" if published else None


@hole(
    "H77",
    "Originals left behind by an upload that failed half-way",
    exposed="Unblurred pictures that nobody knows of, for ever, to whoever gets at the disk",
    closed_by="API: the workers remove originals that wait for nothing",
    second="network: nothing serves them; the directory is closed to other users of the host",
)
def orphans_of_failures(kit: Kit) -> str | None:
    session = kit.bob.token
    made = checked(session.post("/api/upload_sets", json={"title": "x", "estimated_nb_files": 1})).json()["id"]
    picture = str(uuid.uuid4())
    # The last that an upload does: by then the file is written, and the transaction that names it is undone.
    kit.sql(
        f"""CREATE FUNCTION holes_fail() RETURNS trigger LANGUAGE plpgsql
          AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
        CREATE TRIGGER z_fails BEFORE UPDATE OF completed ON upload_sets FOR EACH ROW
          WHEN (NEW.id = '{made}') EXECUTE FUNCTION holes_fail()"""
    )
    files = {"file": ("x.jpg", unique(SAMPLE), "image/jpeg")}
    try:
        failed = session.post(f"/api/upload_sets/{made}/files", data={**PLACE, "picture_id": picture}, files=files)
    finally:
        kit.sql("DROP FUNCTION holes_fail CASCADE")
    assert failed.status_code == 500, failed.text
    session.delete(f"/api/upload_sets/{made}")
    original = original_path("tmp", picture)
    # As if it were yesterday's: what is being uploaded must not be swept away.
    assert kit.on_file(original, ["touch", "-d", "yesterday"]), "the upload left no file"
    return None if _goes(kit, original, 90 if kit.target == "ours" else 3) else "the original is still there"


PLACE = {"override_longitude": "-170", "override_latitude": "-50", "override_capture_time": "2024-05-06T07:08:09Z"}


def _broken(kit: Kit, **more: str) -> tuple[str, str]:
    """An upload and its picture, which cannot be blurred."""
    session = kit.bob.token
    made = checked(session.post("/api/upload_sets", json={"title": "x", "estimated_nb_files": 1})).json()["id"]
    # Cut in the middle: a blurring service that looks at it cannot read it.
    picture = unique(SAMPLE)
    files = {"file": ("x.jpg", picture[: len(picture) // 2], "image/jpeg")}
    added = checked(session.post(f"/api/upload_sets/{made}/files", data={**PLACE, **more}, files=files)).json()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        states = session.get(f"/api/upload_sets/{made}").json()["items_status"]
        if states["broken"] or states["prepared"]:
            break
        time.sleep(0.3)
    return str(made), str(added["picture_id"])


def _goes(kit: Kit, path: str, seconds: float) -> bool:
    """Whether a file goes by itself; it is removed in the end."""
    deadline = time.monotonic() + seconds
    while kit.on_file(path, ["test", "-e"]):
        if time.monotonic() > deadline:
            kit.on_file(path, ["rm", "-f"])
            return False
        time.sleep(0.5)
    return True


SECRET_TAGS = {
    "Exif.Photo.BodySerialNumber": "SN-4711-0815",
    "Exif.Photo.LensSerialNumber": "SN-4711-0816",
    "Exif.Photo.CameraOwnerName": "Erika Owner",
    "Exif.Image.Artist": "Erika Artist",
    "Exif.Image.Copyright": "Erika Copyright",
    "Exif.Photo.UserComment": "charset=Ascii in front of my house",
    "Exif.Image.HostComputer": "Erikas iPhone",
    "Xmp.dc.creator": "Erika Creator",
}


@hole(
    "H29",
    "Who took a picture, out of its metadata",
    exposed="Serial numbers, owners, artists, comments and file names of everybody's pictures, to every account",
    closed_by="API: the launcher shows others what describes the picture, and nothing else",
    second="none: the file itself keeps its metadata, one picture at a time",
)
def identifying_metadata(kit: Kit) -> str | None:
    victim = kit.victim()
    tags = json.dumps({**SECRET_TAGS, "Exif.Image.Make": "ACME"})
    kit.sql(f"UPDATE pictures SET exif = exif || '{tags}' WHERE id = '{victim.id}'")
    paths = [
        victim.item,
        f"/api/collections/{victim.sequence}/items",
        f"/api/pictures/{victim.id}",
        f"/api/search?ids={victim.id}",
    ]
    found = set()
    for path in paths:
        text = kit.bob.token.get(path).text
        assert "ACME" in text, path
        found |= {value for value in (*SECRET_TAGS.values(), f"{victim.title}.jpg") if value in text}
    assert SECRET_TAGS["Exif.Image.Artist"] in kit.alice.token.get(victim.item).text, "the owner does not see his own"
    return ", ".join(sorted(found)) or None


@hole(
    "H78",
    "The line and the box of a sequence lead through its hidden pictures",
    exposed="Where somebody hid a picture, such as in front of their door, to everybody who sees the rest",
    closed_by="database: line and box leave out what is hidden, at once",
    second="none",
)
def line_through_hidden(kit: Kit) -> str | None:
    shown = kit.victim()
    home = kit.add_picture(shown, 0.0005)
    where = [f"/api/collections/{shown.sequence}", f"/api/collections?limit=1000&bbox={_box(home)}"]

    def told() -> str | None:
        [[longitude]] = kit.sql(f"SELECT ST_XMax(bbox) FROM sequences WHERE id = '{shown.sequence}'")
        if float(longitude) > home.longitude - 1e-6 and str(home.longitude)[:8] in kit.bob.token.get(where[0]).text:
            return "the box of the sequence"
        return "the search for sequences by place" if shown.sequence in kit.bob.token.get(where[1]).text else None

    assert told(), "the picture is not there at all"
    checked(kit.alice.token.patch(home.item, json={"visibility": "owner-only"}))
    by_hand = told()
    checked(kit.alice.token.patch(home.item, json={"visibility": "logged-only"}))
    assert told(), "the picture is not shown again"
    kit.report(kit.bob.token, issue="privacy", picture_id=home.id)
    return by_hand or told()


def _box(picture: Picture) -> str:
    """A box around one picture and no other, 20 m wide."""
    x, y = picture.longitude, picture.latitude
    return f"{x - 0.0001},{y - 0.0001},{x + 0.0001},{y + 0.0001}"
