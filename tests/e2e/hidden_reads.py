"""All ways to read about a picture and its sequence, and the ways in which both are hidden from others."""

from __future__ import annotations

import math
from collections.abc import Callable

import httpx

from hole_kit import Kit, Picture, checked

Read = Callable[[httpx.Client], bool]
# What hides them, and what shows them again.
Change = Callable[[], object]

WHEN = "2024-05-06T00:00:00Z/2024-05-07T00:00:00Z"
# From here on the map shows sequences, and from the last one on pictures; below, cells (H28).
ZOOMS = range(7, 16)


def _names(path: str, what: str) -> Read:
    return lambda session: what in session.get(path).text


def _gives(path: str) -> Read:
    return lambda session: session.get(path).status_code == 200


def _finds(what: str, **body: object) -> Read:
    return lambda session: what in session.post("/api/search", json={"limit": 1000, **body}).text


def _maps(path: str, what: str) -> Read:
    return lambda session: what.encode() in session.get(path).content


def tile(zoom: int, picture: Picture) -> str:
    """z/x/y of the map tile with a picture."""
    x = int((picture.longitude + 180) / 360 * 2**zoom)
    y = int((1 - math.asinh(math.tan(math.radians(picture.latitude))) / math.pi) / 2 * 2**zoom)
    return f"{zoom}/{x}/{y}"


def of_picture(picture: Picture, with_file: Picture) -> dict[str, Read]:
    """Everything that can tell others about one picture: metadata of the one, files of the other."""
    x, y = picture.longitude, picture.latitude
    box = [x - 0.001, y - 0.001, x + 0.001, y + 0.001]
    flat = ",".join(map(str, box))
    paths = [
        picture.item,
        f"/api/pictures/{picture.id}",
        f"/api/collections/{picture.sequence}/items",
        f"/api/collections/{picture.sequence}/items?limit=1&withPicture={picture.id}",
        f"/api/search?ids={picture.id}",
        f"/api/search?collections={picture.sequence}&limit=1000",
        f"/api/search?bbox={flat}",
        f"/api/search?bbox={flat}&datetime={WHEN}",
        f"/api/search?bbox={flat}&sortby=-ts",
    ]
    found = {path: _names(path, picture.id) for path in paths}
    searches = {"ids": [picture.id], "collections": [picture.sequence], "bbox": box}
    found |= {f"POST search by {name}": _finds(picture.id, **{name: value}) for name, value in searches.items()}
    found["the map"] = _maps(f"/api/map/{tile(ZOOMS[-1], picture)}.mvt", picture.id)
    files = [f"/api/pictures/{with_file.id}/{name}.jpg" for name in ("thumb", "sd", "hd")]
    return found | {path: _gives(path) for path in files}


def of_sequence(owner: str, picture: Picture, with_file: Picture) -> dict[str, Read]:
    """Everything that can tell others about a sequence."""
    one = picture.sequence
    box = (
        f"{picture.longitude - 0.001},{picture.latitude - 0.001},{picture.longitude + 0.001},{picture.latitude + 0.001}"
    )
    paths = [
        f"/api/collections/{one}",
        f"/api/collections?limit=1000&bbox={box}",
        f"/api/collections?limit=1000&bbox={box}&datetime={WHEN}",
        "/api/collections?limit=1000&filter=created+%3E+'2020-01-01T00:00:00Z'&sortby=-created",
        f"/api/users/{owner}/collection?limit=1000",
        f"/api/users/{owner}/catalog/",
    ]
    found = {path: _names(path, one) for path in paths}
    for zoom in ZOOMS[:-1]:
        found[f"the map, zoom {zoom}"] = _maps(f"/api/map/{tile(zoom, picture)}.mvt", one)
    found["the owner's map"] = _maps(f"/api/users/{owner}/map/{tile(14, picture)}.mvt", one)
    files = [f"/api/collections/{with_file.sequence}/{name}" for name in ("thumb.jpg", "geovisio_status")]
    return found | {path: _gives(path) for path in files}


def ways_to_hide(kit: Kit, pictures: list[Picture]) -> dict[str, tuple[str, Change, Change]]:
    """For each way: what is hidden by it (`picture` or `sequence`), how, and how it is shown again."""
    ids = ", ".join(f"'{picture.id}'" for picture in pictures)

    def visibility(path: Callable[[Picture], str], value: str) -> Change:
        return lambda: [
            checked(kit.alice.token.patch(path(picture), json={"visibility": value})) for picture in pictures
        ]

    def by_owner(path: Callable[[Picture], str]) -> tuple[Change, Change]:
        return visibility(path, "owner-only"), visibility(path, "logged-only")

    def report(kind: str) -> Change:
        target: dict[str, Callable[[Picture], str]] = {
            "picture": lambda one: one.id,
            "sequence": lambda one: one.sequence,
        }
        return lambda: [
            checked(kit.report(kit.bob.token, issue="other", **{f"{kind}_id": target[kind](picture)}))
            for picture in pictures
        ]

    def close(who: httpx.Client) -> Change:
        def run() -> None:
            rows = kit.sql(
                "SELECT id FROM reports WHERE status = 'open_autofix' AND (picture_id IN"
                f" ({ids}) OR sequence_id IN (SELECT seq_id FROM sequences_pictures WHERE pic_id IN ({ids})))"
            )
            for [one] in rows:
                checked(who.patch(f"/api/reports/{one}", json={"status": "closed_solved"}))

        return run

    def ready(status: str, preparing: str) -> Change:
        return lambda: kit.sql(
            "SET LOCAL priv.operator = 'on';"
            f"UPDATE pictures SET status = '{status}', preparing_status = '{preparing}' WHERE id IN ({ids})"
        )

    return {
        "hidden by its owner": ("picture", *by_owner(lambda one: one.item)),
        "reported, then closed by its owner": ("picture", report("picture"), close(kit.alice.token)),
        "reported, then closed by an administrator": ("picture", report("picture"), close(kit.ada.token)),
        "not blurred yet": (
            "picture",
            ready("waiting-for-process", "not-processed"),
            ready("ready", "prepared"),
        ),
        "sequence hidden by its owner": ("sequence", *by_owner(lambda one: f"/api/collections/{one.sequence}")),
        "sequence reported": ("sequence", report("sequence"), close(kit.alice.token)),
        "upload hidden by its owner": ("sequence", *by_owner(lambda one: f"/api/upload_sets/{one.upload_set}")),
    }
