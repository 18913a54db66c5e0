"""Holes through which something can be read that is not the reader's (facts 2.1 and 2.4)."""

from __future__ import annotations

import math

import httpx

from hole_kit import Kit, related, to_the_end
from holes import hole

GATE = "gate: only signed-in people reach it"
NOBODY = "gate: closed for everybody"
NONE = "none: a signed-in person may see it"


def _csv(session: httpx.Client, kit: Kit) -> str | None:
    path = f"/api/users/{kit.alice.id}/collection"
    answers = [session.get(path, params={"format": "csv"}), session.get(path, headers={"Accept": "text/csv"})]
    for answer in answers:
        if kit.hidden.title in answer.text:
            return f"{answer.request.url} lists the hidden sequence {kit.hidden.title!r}"
    return None


@hole(
    "H01",
    "CSV of a user's sequences, without a session",
    exposed="Title, box, dates and length of every sequence, hidden ones included",
    closed_by=GATE,
    second="gate: the CSV form is closed for signed-in people too",
)
def csv_anonymous(kit: Kit) -> str | None:
    return _csv(kit.anonymous(), kit)


@hole(
    "H02",
    "CSV of somebody else's sequences",
    exposed="The same, to every account",
    closed_by="gate: query rule json_only and a fixed Accept",
    second="none",
)
def csv_of_others(kit: Kit) -> str | None:
    return _csv(kit.bob.token, kit) or _csv(kit.bob.browser, kit)


@hole(
    "H03",
    "`show_deleted` names hidden sequences, without a session",
    exposed="Identifiers of all hidden sequences",
    closed_by=GATE,
    second="gate: the parameter is closed for signed-in people too",
)
def show_deleted_anonymous(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/collections", params={"show_deleted": "true", "limit": 1000})
    return f"identifier {kit.hidden.sequence}" if kit.hidden.sequence in answer.text else None


@hole(
    "H04",
    "`show_deleted` with a box tells where a hidden sequence lies",
    exposed="Place and date of every hidden sequence, by halving the map",
    closed_by="gate: query rule show_deleted",
    second="none",
)
def show_deleted_bisection(kit: Kit) -> str | None:
    hidden = kit.victim("owner-only")
    x, y = hidden.longitude, hidden.latitude

    def inside(left: float) -> bool:
        box = f"{left},{y - 1},{left + 1},{y + 1}"
        query = {"show_deleted": "true", "bbox": box, "limit": "1000"}
        return hidden.sequence in kit.bob.token.get("/api/collections", params=query).text

    return "inside the box, and not in the next" if inside(x - 0.5) and not inside(x + 0.6) else None


@hole(
    "H05",
    "The older spelling of `show_deleted`, a filter on `status`",
    exposed="The same",
    closed_by="gate: query rule status_filter",
    second="none",
)
def status_filter(kit: Kit) -> str | None:
    query = {"filter": "status IN ('deleted','ready') AND updated > '2020-01-01T00:00:00Z'", "limit": "1000"}
    for session in (kit.anonymous(), kit.bob.token):
        if kit.hidden.sequence in session.get("/api/collections", params=query).text:
            return f"identifier {kit.hidden.sequence}"
    return None


@hole(
    "H06",
    "Extent and dates of all pictures on the landing page of the API",
    exposed="Where and when an instance is used, hidden pictures included",
    closed_by=GATE,
    second=NONE,
)
def landing_extent(kit: Kit) -> str | None:
    kit.sql("ANALYZE pictures")
    answer = kit.anonymous().get("/api/")
    return str(answer.json()["extent"]) if answer.status_code == 200 and answer.json().get("extent") else None


@hole(
    "H07",
    "Map tiles of low zoom, without a session",
    exposed="Density of pictures per cell, hidden ones counted",
    closed_by=GATE,
    second=NONE,
)
def low_zoom_tiles(kit: Kit) -> str | None:
    # Upstream's workers do this now and then.
    kit.sql("SELECT compute_pictures_aggregate_grid()")
    answer = kit.anonymous().get("/api/map/0/0/0.mvt")
    return f"{len(answer.content)} bytes of cells" if answer.status_code == 200 and answer.content else None


@hole("H08", "List of all accounts", exposed="Names and identifiers of all people", closed_by=GATE, second=NONE)
def users(kit: Kit) -> str | None:
    return kit.alice.name if kit.alice.name in kit.anonymous().get("/api/users/").text else None


@hole(
    "H09",
    "Search for accounts by the beginning of a name",
    exposed="The same, by guessing",
    closed_by=GATE,
    second=NONE,
)
def users_search(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/users/search", params={"q": kit.alice.name})
    return kit.alice.id if kit.alice.id in answer.text else None


@hole(
    "H10", "An account by its identifier", exposed="Name, and whether there are sequences", closed_by=GATE, second=NONE
)
def user_by_id(kit: Kit) -> str | None:
    return kit.alice.name if kit.alice.name in kit.anonymous().get(f"/api/users/{kit.alice.id}").text else None


@hole(
    "H11",
    "Files of an upload, without a session",
    exposed="Names, sizes and checksums of files, rejections with identifiers of other pictures",
    closed_by=GATE,
    second="none",
)
def files_anonymous(kit: Kit) -> str | None:
    answer = kit.anonymous().get(f"/api/upload_sets/{kit.hidden.upload_set}/files")
    return f"{kit.hidden.title}.jpg" if kit.hidden.title in answer.text else None


@hole(
    "H12",
    "Files of somebody else's upload",
    exposed="The same, to every account",
    closed_by="API: the launcher asks whose upload it is",
    second="none",
)
def files_of_others(kit: Kit) -> str | None:
    for session in (kit.bob.token, kit.bob.browser):
        answer = session.get(f"/api/upload_sets/{kit.hidden.upload_set}/files")
        if kit.hidden.title in answer.text:
            return f"{kit.hidden.title}.jpg"
    return None


def _annotation(kit: Kit, session: httpx.Client) -> str | None:
    [[identifier]] = kit.sql(
        "INSERT INTO annotations (picture_id, shape) VALUES"
        f' (\'{kit.hidden.id}\', \'{{"type": "Polygon", "coordinates": [[[1,1],[2,1],[2,2],[1,1]]]}}\') RETURNING id'
    )
    answers = [
        session.get(f"/api/annotations/{identifier}"),
        session.get(f"{kit.hidden.item}/annotations/{identifier}"),
    ]
    kit.sql(f"DELETE FROM annotations WHERE id = '{identifier}'")
    return "shape and picture" if any(kit.hidden.id in answer.text for answer in answers) else None


@hole(
    "H13",
    "Annotations by their identifier, without a session",
    exposed="Shape, tags and picture of annotations, of hidden pictures too",
    closed_by=GATE,
    second="gate: for administrators only",
)
def annotation_anonymous(kit: Kit) -> str | None:
    return _annotation(kit, kit.anonymous())


@hole(
    "H14",
    "Annotations of hidden pictures",
    exposed="The same, to every account",
    closed_by="gate: for administrators only",
    second="none",
)
def annotation_of_others(kit: Kit) -> str | None:
    return _annotation(kit, kit.bob.token)


@hole(
    "H15",
    "Neighbours of a picture (`related`)",
    exposed="Identifier, place and time of hidden pictures within 15 m of a visible one",
    closed_by="API: the launcher leaves out what the caller may not see",
    second="none",
)
def related_pictures(kit: Kit) -> str | None:
    item = kit.bob.token.get(f"/api/pictures/{kit.seen.id}").json()
    return next((href for href in related(item) if kit.hidden.id in href), None)


@hole(
    "H16",
    "Excluded areas",
    exposed="Areas in which people want no pictures, such as their homes, with the account",
    closed_by=GATE,
    second="gate: for administrators only",
)
def excluded_areas(kit: Kit) -> str | None:
    [[identifier]] = kit.sql(
        "INSERT INTO excluded_areas (label, is_public, account_id, geom) VALUES ('home', true, "
        f"'{kit.alice.id}', ST_Multi(ST_MakeEnvelope(-170, 70, -169.99, 70.01, 4326))) RETURNING id"
    )
    found = [session.get("/api/configuration/excluded_areas").text for session in (kit.anonymous(), kit.bob.token)]
    kit.sql(f"DELETE FROM excluded_areas WHERE id = '{identifier}'")
    return f"home of {kit.alice.id}" if any(kit.alice.id in text for text in found) else None


@hole("H17", "Numbers of the queue", exposed="How much is uploaded and when", closed_by=NOBODY, second=GATE)
def job_stats(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/jobs/stats")
    return answer.text[:80] if answer.status_code == 200 else None


@hole(
    "H18", "Transfers of a user", exposed="Source addresses, and errors that hold them", closed_by=NOBODY, second=GATE
)
def transfers_of_a_user(kit: Kit) -> str | None:
    answer = kit.anonymous().get(f"/api/users/{kit.alice.id}/transfers")
    return answer.text[:80] if answer.status_code == 200 else None


@hole(
    "H19",
    "All settings of the instance",
    exposed="Version, contact, licence, limits: what an attacker or a harvester starts with",
    closed_by="gate: answers strangers itself, with two fields",
    second="settings: no default contact and logo",
)
def configuration(kit: Kit) -> str | None:
    told = kit.anonymous().get("/api/configuration").json()
    more = sorted(set(told) - {"name", "auth"})
    return ", ".join(more) or None


@hole(
    "H20",
    "Headers of requests in the log",
    exposed="Cookies and tokens of whoever is led to the address, to whoever reads the log",
    closed_by=NOBODY,
    second=GATE,
)
def debug_headers(kit: Kit) -> str | None:
    answers = [session.get("/api/debug_headers") for session in (kit.anonymous(), kit.bob.token)]
    return next((f"status {answer.status_code}" for answer in answers if answer.is_success), None)


@hole(
    "H21",
    "The API's own pages",
    exposed="Scripts of third parties in the instance's origin; a console that runs requests",
    closed_by=NOBODY,
    second="gate: content security policy without third parties",
)
def own_pages(kit: Kit) -> str | None:
    for path in ("/viewer", "/api/docs/swagger", "/apidocs/"):
        answer = kit.anonymous().get(path, follow_redirects=True)
        if answer.is_success and "cdn." in answer.text:
            return f"{path} loads scripts from elsewhere"
    return None


@hole(
    "H22",
    "The description of the API",
    exposed="Version and all routes, to scanners",
    closed_by=GATE,
    second="none: it is upstream's public documentation",
)
def specification(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/docs/specs.json")
    return f"{len(answer.content)} bytes" if answer.status_code == 200 else None


@hole(
    "H23",
    "Metadata of pictures that are not processed yet",
    exposed="Place, EXIF and file name of a picture before it is blurred",
    closed_by="database: before a picture is ready only its owner and administrators see it",
    second="none",
)
def metadata_of_unprocessed(kit: Kit) -> str | None:
    waiting = kit.victim(status="not-processed")
    for path in (waiting.item, f"/api/pictures/{waiting.id}", f"/api/search?ids={waiting.id}"):
        status, text = to_the_end(kit.bob.token, path)
        if waiting.title in text or str(waiting.longitude) in text:
            return f"{path}: status {status}, with place and file name"
    return None


@hole(
    "H24",
    "The same file sent again",
    exposed="That somebody has sent it, and the identifiers of their hidden picture and upload",
    closed_by="API: the launcher leaves the identifiers out",
    second="database: the identifiers open nothing",
)
def clash_names_hidden(kit: Kit) -> str | None:
    made = kit.bob.token.post("/api/upload_sets", json={"title": "x", "estimated_nb_files": 9}).json()["id"]
    answer = kit.bob.token.post(
        f"/api/upload_sets/{made}/files", files={"file": ("x.jpg", kit.sent, "image/jpeg")}, data={"isBlurred": "true"}
    )
    kit.bob.token.delete(f"/api/upload_sets/{made}")
    return f"{answer.status_code} names {kit.hidden.id}" if kit.hidden.id in answer.text else None


@hole(
    "H25",
    "Answers of the API that caches may keep",
    exposed="Lists of signed-in people in shared caches",
    closed_by="gate: `private, no-store` on every answer of the API",
    second="network: there is no cache between proxy and API",
)
def public_caching(kit: Kit) -> str | None:
    for session, path in ((kit.bob.browser, "/api/"), (kit.anonymous(), "/api/users/me")):
        header = session.get(path).headers.get("cache-control", "")
        if "public" in header:
            return f"{path}: {header}"
    return None


@hole(
    "H26",
    "Nothing keeps harvesters and search engines away",
    exposed="The instance in the global catalogue or a search engine as soon as somebody names it there",
    closed_by="gate: nothing to harvest without a session, X-Robots-Tag, robots.txt",
    second="database: nothing is visible to anyone",
)
def harvestable(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/collections")
    return "an open catalogue" if answer.status_code == 200 and "x-robots-tag" not in answer.headers else None


@hole(
    "H27",
    "The extent of all pictures, for every account",
    exposed="Where and when somebody took pictures that they hide",
    closed_by="API: the launcher leaves the extent out",
    second="none",
)
def extent_for_accounts(kit: Kit) -> str | None:
    kit.sql("ANALYZE pictures")
    extent = kit.bob.token.get("/api/").json().get("extent")
    return str(extent) if extent else None


@hole(
    "H28",
    "Map tiles of low zoom count hidden pictures",
    exposed="Which cells hold hidden pictures, to every account",
    closed_by="database: only what everybody signed in may see is counted",
    second="none",
)
def hidden_in_low_zoom_tiles(kit: Kit) -> str | None:
    hidden = kit.victim("owner-only")
    point = f"ST_SetSRID(ST_MakePoint({hidden.longitude}, {hidden.latitude}), 4326)"
    kit.sql(f"SELECT pictures_aggregate_grid_expire_pic({point}); SELECT compute_pictures_aggregate_grid_expired()")
    zoom = 6
    x = int((hidden.longitude + 180) / 360 * 2**zoom)
    latitude = math.radians(hidden.latitude)
    y = int((1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * 2**zoom)
    near = kit.sql(f"SELECT count(*) FROM pictures_aggregate_grid WHERE ST_Equals(geom, pic_to_grid({point}))")
    answer = kit.bob.token.get(f"/api/map/{zoom}/{x}/{y}.mvt")
    return f"a cell in a tile of {len(answer.content)} bytes" if near != [["0"]] and answer.content else None
