"""Holes through which something can be changed that is not the writer's to change (facts 2.2, 2.3 and 2.4)."""

from __future__ import annotations

import base64
import zlib

import httpx

from hole_kit import Kit, Picture, checked
from holes import hole

EVIL = "https://evil.example/"
NEVER_PUBLIC = "database: nothing becomes `anyone`, whoever writes it"
OWNER_DECIDES = "database: only the owner or an administrator changes a visibility"
NO_ROUTE = "gate: closed for everybody"


@hole(
    "H30",
    "Tokens made without a session",
    exposed="A database that anybody can fill, and tokens to be claimed (H61)",
    closed_by=NO_ROUTE,
    second="database: no token without an account",
)
def tokens_anonymous(kit: Kit) -> str | None:
    answer = kit.anonymous().post("/api/auth/tokens/generate", json={"description": "x" * 1000})
    if not answer.is_success:
        return None
    kit.sql(f"DELETE FROM tokens WHERE id = '{answer.json()['id']}'")
    return "a token, with a text of any length"


@hole(
    "H31",
    "Any website may use a visitor's session",
    exposed="All that a signed-in person may see and do, to every page they open",
    closed_by="gate: no foreign Origin, no CORS headers, no OPTIONS",
    second="settings: SameSite=Lax on the cookie",
)
def foreign_origin(kit: Kit) -> str | None:
    headers = {"Origin": EVIL.rstrip("/"), "Access-Control-Request-Method": "PATCH"}
    for session in (kit.bob.browser, kit.anonymous()):
        answer = session.get("/api/configuration", headers=headers)
        allowed = answer.headers.get("access-control-allow-origin", "")
        if EVIL.startswith(allowed or "-") and answer.headers.get("access-control-allow-credentials") == "true":
            return f"allowed with credentials: {allowed}"
    return None


def _remembered(answer: httpx.Response) -> str:
    """What the session cookie of an answer holds, as far as it can be read."""
    for name, value in answer.cookies.items():
        if "session" not in name:
            continue
        body = value.removeprefix(".").partition(".")[0]
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return (zlib.decompress(raw) if value.startswith(".") else raw).decode()
    return ""


@hole(
    "H32",
    "The sign-in leads on to any address",
    exposed="People, who see the right host in the link, to a page that asks for their password again",
    closed_by="gate: only a path of this site is taken",
    second="none",
)
def redirect_after_sign_in(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/auth/login", params={"next_url": EVIL})
    return "remembered for after the sign-in" if EVIL in _remembered(answer) else None


@hole(
    "H33",
    "Signing out leads on to any address",
    exposed="The same",
    closed_by="gate: only a path of this site is taken",
    second="none",
)
def redirect_after_sign_out(kit: Kit) -> str | None:
    session = kit.anonymous()
    answer = session.get("/api/auth/logout", params={"next_url": EVIL})
    if answer.headers.get("location", "").startswith(EVIL) or EVIL in _remembered(answer):
        return "followed"
    return None


def _patch(session: httpx.Client, path: str, **changes: object) -> int:
    return session.patch(path, json=changes).status_code


@hole(
    "H34",
    "Publishing somebody else's sequence",
    exposed="Hidden sequences to the whole internet, by any account",
    closed_by=OWNER_DECIDES,
    second=NEVER_PUBLIC,
)
def publish_others_sequence(kit: Kit) -> str | None:
    victim = kit.victim("owner-only")
    status = _patch(kit.bob.token, f"/api/collections/{victim.sequence}", visibility="anyone")
    after = kit.visibility(victim)[1]
    return f"{status}: now {after}" if after != "owner-only" else None


@hole(
    "H35",
    "Hiding somebody else's sequence",
    exposed="The work of everybody to whoever wants it gone",
    closed_by=OWNER_DECIDES,
    second="settings: no collaborative editing",
)
def hide_others_sequence(kit: Kit) -> str | None:
    victim = kit.victim()
    status = _patch(kit.bob.token, f"/api/collections/{victim.sequence}", visibility="owner-only")
    return f"{status}: hidden" if kit.visibility(victim)[1] == "owner-only" else None


@hole(
    "H36",
    "Moving and turning somebody else's pictures",
    exposed="Place, time and direction of pictures to falsification",
    closed_by="settings: no collaborative editing, written into the database at each deployment",
    second="none",
)
def edit_others_picture(kit: Kit) -> str | None:
    victim = kit.victim()
    _patch(kit.bob.token, victim.item, heading=123)
    [[heading]] = kit.sql(f"SELECT heading FROM pictures WHERE id = '{victim.id}'")
    return "heading changed" if heading == "123" else None


@hole(
    "H37",
    "Tags on somebody's hidden sequence",
    exposed="That it exists; and it is changed",
    closed_by="database: one edits only what one sees",
    second="none",
)
def tag_hidden(kit: Kit) -> str | None:
    victim = kit.victim("owner-only")
    for path in (victim.item, f"/api/collections/{victim.sequence}"):
        _patch(kit.bob.token, path, semantics=[{"key": "x", "value": "y"}])
    stored = kit.sql(
        f"SELECT 'sequence' FROM sequences_semantics WHERE sequence_id = '{victim.sequence}'"
        f" UNION SELECT 'picture' FROM pictures_semantics WHERE picture_id = '{victim.id}'"
    )
    return f"tagged: {stored[0][0]}" if stored else None


@hole(
    "H38",
    "Annotations on somebody's hidden picture",
    exposed="The same",
    closed_by="gate: for administrators only",
    second="database: one edits only what one sees",
)
def annotate_hidden(kit: Kit) -> str | None:
    victim = kit.victim("owner-only")
    body = {"shape": [1, 1, 5, 5], "semantics": [{"key": "x", "value": "y"}]}
    kit.bob.token.post(f"/api/pictures/{victim.id}/annotations", json=body)
    kit.bob.token.post(f"{victim.item}/annotations", json=body)
    return "annotated" if kit.sql(f"SELECT 1 FROM annotations WHERE picture_id = '{victim.id}'") else None


@hole(
    "H39",
    "Changing somebody else's annotations",
    exposed="Results of detection models to falsification",
    closed_by="gate: for administrators only",
    second="none",
)
def change_annotation(kit: Kit) -> str | None:
    victim = kit.victim()
    [[identifier]] = kit.sql(
        f"INSERT INTO annotations (picture_id, shape) VALUES ('{victim.id}',"
        ' \'{"type": "Polygon", "coordinates": [[[1,1],[2,1],[2,2],[1,1]]]}\') RETURNING id'
    )
    for path in (f"/api/annotations/{identifier}", f"{victim.item}/annotations/{identifier}"):
        _patch(kit.bob.token, path, semantics=[{"key": "x", "value": "y"}])
    return "tagged" if kit.sql(f"SELECT 1 FROM annotations_semantics WHERE annotation_id = '{identifier}'") else None


def _public(kit: Kit, picture: Picture) -> str | None:
    found = kit.anonymous().get(f"/api/collections/{picture.sequence}").status_code
    stored = kit.visibility(picture)
    return f"without a session: {found}, stored: {stored}" if found == 200 or "anyone" in stored else None


@hole(
    "H40",
    "Uploading for everybody by default",
    exposed="All that a person uploads from then on to the whole internet",
    closed_by=NEVER_PUBLIC,
    second="gate: nothing without a session",
)
def own_default_public(kit: Kit) -> str | None:
    _patch(kit.bob.token, "/api/users/me", default_visibility="anyone")
    stored = kit.sql(f"SELECT default_visibility FROM accounts WHERE id = '{kit.bob.id}'")
    kit.sql(f"UPDATE accounts SET default_visibility = NULL WHERE id = '{kit.bob.id}'")
    return "stored" if stored == [["anyone"]] else None


@hole(
    "H41",
    "An upload for everybody",
    exposed="One upload to the whole internet",
    closed_by=NEVER_PUBLIC,
    second="gate: nothing without a session",
)
def own_upload_public(kit: Kit) -> str | None:
    made = checked(kit.bob.token.post("/api/upload_sets", json={"title": "x", "visibility": "anyone"})).json()["id"]
    found = kit.anonymous().get(f"/api/upload_sets/{made}").status_code
    stored = kit.sql(f"SELECT visibility FROM upload_sets WHERE id = '{made}'")
    kit.sql(f"DELETE FROM upload_sets WHERE id = '{made}'")
    return "seen without a session" if found == 200 or stored == [["anyone"]] else None


@hole(
    "H42",
    "One's own sequence for everybody",
    exposed="A sequence, with people on it who were not asked, to the whole internet",
    closed_by=NEVER_PUBLIC,
    second="gate: nothing without a session",
)
def own_sequence_public(kit: Kit) -> str | None:
    own = kit.victim(owner=kit.bob)
    _patch(kit.bob.token, f"/api/collections/{own.sequence}", visibility="anyone")
    return _public(kit, own)


@hole(
    "H43",
    "One's own picture for everybody, by the older `visible`",
    exposed="The same",
    closed_by=NEVER_PUBLIC,
    second="gate: nothing without a session",
)
def own_picture_public(kit: Kit) -> str | None:
    own = kit.victim("owner-only", owner=kit.bob)
    _patch(kit.bob.token, f"/api/collections/{own.sequence}", visible="true")
    _patch(kit.bob.token, own.item, visible=True)
    return _public(kit, own)


@hole(
    "H44",
    "The server fetches any address for a user",
    exposed="Services inside the network, and their answers",
    closed_by=NO_ROUTE,
    second="network: no way out; database: no transfer is queued",
)
def server_side_request(kit: Kit) -> str | None:
    inside = "http://127.0.0.1:5000/api/users/00000000-0000-0000-0000-000000000000"
    answer = kit.bob.token.post("/api/transfers", json={"collection_location": inside})
    return answer.text[:160].strip() if "Impossible to retrieve" in answer.text and "404" in answer.text else None


@hole(
    "H45",
    "Processing somebody else's pictures again",
    exposed="The queue to whoever wants to stop it; with skip_blurring, a worker to a crash",
    closed_by="gate: for administrators only",
    second="database: no job goes without blurring",
)
def prepare_others(kit: Kit) -> str | None:
    victim = kit.victim()
    statuses = [
        kit.bob.token.post(f"{victim.item}/prepare", json={"skip_blurring": True}).status_code,
        kit.bob.token.post(f"/api/collections/{victim.sequence}/prepare").status_code,
    ]
    kit.sql(f"DELETE FROM job_queue WHERE picture_id = '{victim.id}'")
    return f"accepted: {statuses}" if 202 in statuses else None


def _mis_set_upload_set(kit: Kit) -> str | None:
    answer = kit.careless().post("/api/upload_sets", json={"title": "x"})
    if not answer.is_success:
        return None
    kit.sql(f"DELETE FROM upload_sets WHERE id = '{answer.json()['id']}'")
    return f"made by nobody: {answer.status_code}"


@hole(
    "H46",
    "API_FORCE_AUTH_ON_UPLOAD=True: uploads without a session",
    exposed="The instance to anybody's pictures, in the name of an administrator",
    closed_by="settings: written as upstream reads them, everything else refused",
    second="gate: only signed-in people reach it",
)
def mis_set_upload(kit: Kit) -> str | None:
    return _mis_set_upload_set(kit)


@hole(
    "H47",
    "API_FORCE_AUTH_ON_UPLOAD=True: anybody's upload published without a session",
    exposed="Every picture in full size to the whole internet",
    closed_by="settings: written as upstream reads them, everything else refused",
    second="gate: only signed-in people reach it; " + NEVER_PUBLIC,
)
def mis_set_publish(kit: Kit) -> str | None:
    victim = kit.victim("owner-only")
    _patch(kit.careless(), f"/api/upload_sets/{victim.upload_set}", visibility="anyone")
    after = kit.visibility(victim)[1]
    return f"now {after}" if after == "anyone" else None


@hole(
    "H48",
    "API_FORCE_AUTH_ON_UPLOAD=True: files put into anybody's upload without a session",
    exposed="Everybody's uploads to pictures in their names",
    closed_by="settings: written as upstream reads them, everything else refused",
    second="gate: only signed-in people reach it",
)
def mis_set_add_file(kit: Kit) -> str | None:
    victim = kit.victim()
    answer = kit.careless().post(
        f"/api/upload_sets/{victim.upload_set}/files", files={"file": ("x.jpg", b"no picture", "image/jpeg")}
    )
    stored = kit.sql(f"SELECT file_name FROM files WHERE upload_set_id = '{victim.upload_set}' AND picture_id IS NULL")
    return f"{answer.status_code}: the upload now has {stored[0][0]}" if stored else None
