"""What is promised about pictures, tried with one of the verifier's own. The checks build on one another, in order."""

from __future__ import annotations

import time

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.verify import audit
from panoramax_ops.verify.jpeg import detail
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.photo import (
    TITLE,
    Photo,
    blurred,
    body,
    draw,
    given,
    listed,
    refused,
    send,
    start,
    upload,
)
from panoramax_ops.verify.removal import forget_deletions, quoted, traces
from panoramax_ops.verify.requests import patient, told
from panoramax_ops.verify.site import FILES, Site

GONE_SECONDS = 15
VISIBILITY = "geovisio:visibility"


def _photo(site: Site) -> Photo:
    if site.photo is None:
        raise UnableError("There is no picture to try this with.", "See the check of blurring.")
    return site.photo


def _fail(*findings: list[str]) -> None:
    if found := [text for findings_of_one in findings for text in findings_of_one]:
        raise ClaimBrokenError("; ".join(found[:8]))


def blurring(site: Site) -> str:
    """A picture with a face and a licence plate is uploaded, with the claim that it is blurred already; another user
    asks for it all the while. What they get never has the face or the plate, and no original stays on the disk."""
    site.photo = photo = upload(site)
    before = detail(photo.original)
    hd, sd, _ = (site.cast["other"].session.get(path) for path in photo.files)
    left = blurred(photo, body_bytes(hd), before)
    blurred(photo, body_bytes(sd), before)
    for answer in photo.early:
        if "/thumb.jpg" not in answer.request.url.path:
            blurred(photo, answer.content, before)
    if originals := [path for path in _files(site, photo) if path.startswith(f"{FILES}/tmp/")]:
        raise ClaimBrokenError(f"the original stays on the disk: {', '.join(originals)}")
    return f"ready after {photo.seconds:.1f} s; detail left: {left}; no original left"


def body_bytes(answer: httpx.Response) -> bytes:
    """The picture of an answer. Raises UnableError if it is none."""
    if answer.status_code != 200 or answer.headers.get("content-type") != "image/jpeg":
        raise UnableError(f"{answer.request.url.path}: {answer.status_code}", "See the check of who sees the picture.")
    return answer.content


def visibility(site: Site) -> str:
    """The picture, uploaded without a word on its visibility, is for signed-in people only; and stays so when its owner
    asks for public."""
    photo, owner = _photo(site), site.cast["user"].session
    collection, item = photo.sequence_addresses[0], photo.addresses[-1]
    upload_set = f"/api/upload_sets/{photo.upload}"
    seen = body(owner.get(collection), "The sequence")[VISIBILITY]
    if seen != "logged-only":
        raise ClaimBrokenError(f"the visibility of the new sequence is {seen}")
    asked = {"visibility": "anyone"}
    answers = [owner.patch(path, json=asked).status_code for path in (collection, item, upload_set)]
    answers += [owner.patch(path, data={"visible": "true"}).status_code for path in (collection, item)]
    answers.append(owner.patch("/api/users/me", json={"default_visibility": "anyone"}).status_code)
    public = owner.post("/api/upload_sets", json={"title": TITLE, "estimated_nb_files": 1, **asked})
    if public.status_code == 200:
        owner.delete(f"/api/upload_sets/{public.json()['id']}")
    rows = site.sql.read(
        f"""SELECT 'picture', visibility FROM pictures WHERE id = '{photo.picture}' UNION ALL
            SELECT 'sequence', visibility FROM sequences WHERE id = '{photo.collection}' UNION ALL
            SELECT 'upload', visibility FROM upload_sets WHERE id = '{photo.upload}' UNION ALL
            SELECT 'account', default_visibility FROM accounts WHERE id = '{site.cast["user"].account_id}'"""
    )
    _fail(
        [
            f"{kind} is {value or 'unset'}"
            for kind, value in rows
            if value == "anyone" or (not value and kind != "account")
        ]
    )
    if public.status_code == 200 and public.json().get("visibility") == "anyone":
        raise ClaimBrokenError("an upload that asks to be public is")
    with site.anonymous() as stranger:
        _fail(refused(stranger, photo.addresses))
    return f"logged-only; {len(answers) + 1} requests for public made nothing public"


def seen(site: Site) -> str:
    """Another user gets the picture, its metadata and finds it by place, by cookie and by token; a stranger gets none
    of it, and nobody gets its files directly."""
    photo = _photo(site)
    everything = [*photo.addresses, *photo.sequence_addresses]
    other = site.cast["other"]
    for session in (other.session, other.bearer):
        _fail(given(session, everything))
        if len(places := listed(session, photo)) < 3:
            raise UnableError(f"Found only by {', '.join(places) or 'nothing'}.", "Does the search work?")
    direct = [
        f"/{root}/{name}"
        for root in ("permanent", "derivates", "tmp")
        for name in (f"{photo.folder}.jpg", f"{photo.folder}/sd.jpg", f"{photo.picture}.jpg")
    ]
    with site.anonymous() as stranger:
        _fail(refused(stranger, everything), listed(stranger, photo))
        leaks = [
            path for path in direct for session in (stranger, other.session) if session.get(path).status_code == 200
        ]
    _fail(leaks)
    kept = [f"{path} may be kept by caches" for path in photo.addresses
            if not {"private", "no-store"} & {word.strip() for word in
                other.session.get(path).headers.get("cache-control", "").split(",")}]  # fmt: skip
    _fail(kept)
    return f"{len(everything)} addresses answer to signed-in people, to nobody else"


def others_change_nothing(site: Site) -> str:
    """Another user tries to hide, rename, open and delete the picture and its sequence."""
    photo, other = _photo(site), site.cast["other"].session
    before = body(other.get(photo.sequence_addresses[0]), "The sequence")
    tries = [("PATCH", path, {"visibility": value}) for path in (photo.sequence_addresses[0], photo.addresses[-1])
             for value in ("owner-only", "anyone")]  # fmt: skip
    tries += [("PATCH", photo.sequence_addresses[0], {"title": "taken over"})]
    tries += [("PATCH", f"/api/upload_sets/{photo.upload}", {"title": "taken over"})]
    tries += [("DELETE", path, {}) for path in (photo.addresses[-1], photo.sequence_addresses[0])]
    tries += [("DELETE", f"/api/upload_sets/{photo.upload}", {})]
    for method, path, data in tries:
        answer = patient(lambda m=method, p=path, d=data: other.request(m, p, json=d or None))  # type: ignore[misc]
        if answer.status_code < 400:
            raise ClaimBrokenError(f"{method} {path} {data or ''} by somebody else: {answer.status_code}")
    after = body(other.get(photo.sequence_addresses[0]), "The sequence")
    if before["title"] != after["title"] or before[VISIBILITY] != after[VISIBILITY]:
        raise ClaimBrokenError("somebody else changed the sequence")
    _fail(given(other, photo.addresses))
    return f"{len(tries)} changes by somebody else refused"


def _report(session: httpx.Client, **target: str) -> httpx.Response:
    data = {"issue": "other", "reporter_comments": TITLE, **target}
    return patient(lambda: session.post("/api/reports", json=data))


def reports(site: Site) -> str:
    """Another user reports the picture, then its sequence, for the least of reasons: it is hidden from them and others
    at once. Its owner brings it back, or an administrator, but not the reporter. A stranger cannot report."""
    photo = _photo(site)
    owner, other, admin = (site.cast[key].session for key in ("user", "other", "administrator"))
    with site.anonymous() as stranger:
        if _report(stranger, picture_id=photo.picture).status_code < 400:
            raise ClaimBrokenError("a stranger can report")
    hidden = [*photo.addresses]
    rounds = (
        ({"picture_id": photo.picture}, hidden, owner),
        ({"sequence_id": photo.collection}, [*hidden, *photo.sequence_addresses], admin),
        ({"picture_id": photo.picture}, hidden, None),
    )
    longest = 0.0
    for target, paths, resolver in rounds:
        identifier = body(_report(other, **target), "Reporting")["id"]
        since = time.monotonic()
        # Its sequence stays in the list if only the picture is hidden.
        stays = set() if "sequence_id" in target else {"sequences of the owner"}
        _fail(refused(other, paths), [f"still in {place}" for place in set(listed(other, photo)) - stays])
        longest = max(longest, time.monotonic() - since)
        _fail(refused(site.cast["other"].bearer, paths), given(owner, photo.addresses), given(admin, photo.files))
        if resolver is None:
            # Who reported may withdraw the report; what it hid is for the owner to show again.
            other.patch(f"/api/reports/{identifier}", json={"status": "closed_solved"})
            _fail(refused(other, paths))
            body(owner.patch(photo.addresses[-1], json={"visibility": "logged-only"}), "Showing the picture")
            continue
        closed = {"status": "closed_ignored", "resolver_comments": TITLE}
        answer = resolver.patch(f"/api/reports/{identifier}", json=closed)
        if answer.status_code != 200:
            raise UnableError(f"The report cannot be closed: {told(answer)} {answer.text[:200]}", "See the API's log.")
        _fail(given(other, paths))
    return f"hidden for others in the very next requests ({longest:.2f} s for all), back when dealt with"


def owner_decides(site: Site) -> str:
    """The owner renames the sequence and hides the one photo: others lose it at once, and get it back with it."""
    photo = _photo(site)
    owner, other = site.cast["user"].session, site.cast["other"].session
    body(owner.patch(photo.sequence_addresses[0], json={"title": f"{TITLE}, renamed"}), "Renaming the sequence")
    if "renamed" not in body(other.get(photo.sequence_addresses[0]), "The sequence")["title"]:
        raise ClaimBrokenError("the new name is not shown")
    body(owner.patch(photo.addresses[-1], json={"visibility": "owner-only"}), "Hiding the picture")
    _fail(refused(other, photo.addresses), given(owner, photo.addresses))
    body(owner.patch(photo.addresses[-1], json={"visibility": "logged-only"}), "Showing the picture")
    _fail(given(other, photo.addresses))
    return "renamed; hidden and shown by its owner, for others at once"


def rejections(site: Site) -> str:
    """The same file again, a file without a place, and a file that is no picture are refused, each with its reason."""
    photo, owner = _photo(site), site.cast["user"].session
    identifier = start(owner, estimated_nb_files=10)
    try:
        plain, _ = draw(site)
        bare = plain.replace(b"Exif\0\0", b"none\0\0", 1)
        tries = (
            ("twice.jpg", photo.original, "already", 409),
            ("nowhere.jpg", bare, "location", 400),
            ("text.jpg", b"no picture", "Impossible", 400),
        )
        for name, data, reason, status in tries:
            answer = send(owner, identifier, data, name, isBlurred="false")
            if answer.status_code != status or reason not in answer.text:
                raise ClaimBrokenError(f"{name}: {answer.status_code} {answer.text[:160]}")
    finally:
        owner.delete(f"/api/upload_sets/{identifier}")
    return "duplicate, missing location and invalid file told by name"


def own_sequences(site: Site) -> str:
    """The owner's list has the sequence with its number of photos, dates and visibility; another's list has not."""
    photo = _photo(site)
    mine = body(site.cast["user"].session.get("/api/users/me/collection"), "My photos")
    entry = next((link for link in mine["links"] if link.get("id") == photo.collection), None)
    if entry is None:
        raise ClaimBrokenError("the owner does not find the sequence")
    if entry.get("stats:items", {}).get("count") != 1 or entry.get(VISIBILITY) != "logged-only":
        raise ClaimBrokenError(f"listed as {entry.get('stats:items')}, {entry.get(VISIBILITY)}")
    if photo.collection in site.cast["other"].session.get("/api/users/me/collection").text:
        raise ClaimBrokenError("it is in somebody else's list too")
    return "listed with number of photos, dates and visibility"


def standards(site: Site) -> str:
    """A client with an API token walks the catalogue as STAC and OGC API Features clients do, to the very picture."""
    photo, token = _photo(site), site.cast["other"].bearer
    declared = " ".join(body(token.get("/api/conformance"), "Conformance")["conformsTo"])
    missing = [name for name in ("stacspec.org", "ogcapi-features") if name not in declared]
    _fail([f"{name} is not declared" for name in missing])
    links = {link["rel"] for link in body(token.get("/api/"), "The landing page")["links"]}
    _fail([f"no link {rel}" for rel in ("data", "search") if rel not in links])
    found = body(token.post("/api/search", json={"ids": [photo.picture]}), "Searching")["features"]
    items = body(token.get(photo.sequence_addresses[1]), "The items")["features"]
    for features in (found, items):
        if [feature["id"] for feature in features] != [photo.picture] or features[0]["geometry"]["type"] != "Point":
            raise ClaimBrokenError("the picture is not found as a STAC item")
    return "STAC search and OGC features find the picture with a token"


def deletion(site: Site) -> str:
    """The owner deletes the upload: no address answers, no row of any table and no file of any kind is left."""
    photo, owner = _photo(site), site.cast["user"].session
    answer = owner.delete(f"/api/upload_sets/{photo.upload}")
    if answer.status_code not in {200, 202, 204}:
        raise UnableError(f"Deleting: {told(answer)} {answer.text[:200]}", "See the API's log.")
    deadline = time.monotonic() + GONE_SECONDS
    while (left := _files(site, photo)) and time.monotonic() < deadline:
        time.sleep(0.25)
    site.photo = None
    _fail([f"file left: {path}" for path in left])
    _fail(refused(owner, photo.addresses), refused(site.cast["other"].session, photo.addresses))
    forget_deletions(site.sql, [photo.picture])
    # Upstream keeps an emptied sequence with its title, marked as deleted, for harvesters; it goes with the account.
    rows = site.sql.read(f"SELECT status FROM sequences WHERE id IN ({quoted([photo.collection])})")
    _fail([f"the sequence is {row[0]}" for row in rows if row[0] != "deleted"])
    _fail([f"row left in {column}" for column in traces(site.sql, [photo.picture])])
    site.cast.trace_ids += photo.ids
    return "no address, no row, no file left"


def _files(site: Site, photo: Photo) -> list[str]:
    name = photo.folder.rpartition("/")[2]
    parent = photo.folder.rpartition("/")[0]
    roots = [f"{FILES}/{root}/{parent}" for root in ("tmp", "permanent", "derivates")]
    _, output = site.execute("api", "sh", "-c", f"find {' '.join(roots)} -name '{name}*' 2>/dev/null")
    return output.split()


CHECKS = (
    Check("C5", "Faces and plates are blurred for others", blurring),
    Check("C2", "Nothing becomes public", visibility),
    Check("C1", "Signed-in people see it, nobody else", seen),
    Check("C1", "Others change nothing", others_change_nothing),
    audit.OTHER,
    Check("C6", "Reported is hidden until dealt with", reports),
    Check("C7", "Rejected files are told why", rejections),
    Check("C8", "One's own sequences are listed", own_sequences),
    Check("C9", "Renaming and hiding", owner_decides),
    Check("C11", "STAC and OGC API with a token", standards),
    Check("C13", "What is deleted is gone", deletion),
)
