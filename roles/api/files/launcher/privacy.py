"""What only the API itself can withhold: neither the proxy nor the database knows who asks for what.

- files of an upload: upstream shows them to whoever knows its identifier (facts 2.1);
- the extent of all pictures: upstream computes it of hidden ones too (facts 2.1);
- neighbours of a picture: upstream names hidden ones too (facts 2.1);
- a file that is already there: upstream names other people's picture and upload (facts 2.4);
- cookies that were signed out: upstream takes them for as long as their signature is good (facts 3).
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

_VISIBLE = """
SELECT p.id::text FROM pictures p JOIN sequences_pictures sp ON sp.pic_id = p.id JOIN sequences s ON s.id = sp.seq_id
WHERE p.id = ANY(%(ids)s::uuid[])
  AND is_picture_visible_by_user(p, %(account)s) AND is_sequence_visible_by_user(s, %(account)s)
"""
_OWN = "SELECT id::text FROM upload_sets WHERE id = ANY(%(ids)s::uuid[]) AND account_id = %(account)s"
_OWNER = "SELECT account_id::text FROM upload_sets WHERE id = %(id)s"
_END = "INSERT INTO priv.signed_out (digest) VALUES (%(digest)s) ON CONFLICT DO NOTHING"
_FORGET = "DELETE FROM priv.signed_out WHERE since < now() - make_interval(secs => %(seconds)s)"
_ENDED = "SELECT FROM priv.signed_out WHERE digest = %(digest)s"

_ROUTES = {
    "auth.logout",
    "auth.post_logout_redirect",
    "stac.getLanding",
    "upload_set.getUploadSetFiles",
    "upload_set.addFilesToUploadSet",
}

Ask = Callable[[str, dict[str, Any]], list[Any]]


def digest(cookie: str) -> bytes:
    """Return what a cookie is known by: a hash of its signed part, since the signature itself has several spellings."""
    return hashlib.sha256(cookie.rpartition(".")[0].encode()).digest()


def only_visible(links: Iterable[dict[str, Any]], account: str | None, ask: Ask) -> list[dict[str, Any]]:
    """Return ``links`` without the neighbours that ``account`` may not see."""
    links = list(links)
    ids = [str(link["id"]) for link in links if link.get("rel") == "related"]
    seen = {row[0] for row in ask(_VISIBLE, {"ids": ids, "account": account})} if ids else set()
    return [link for link in links if link.get("rel") != "related" or str(link["id"]) in seen]


def only_own(body: dict[str, Any], account: str | None, ask: Ask) -> dict[str, Any]:
    """Return the answer to a file that is already there, naming only uploads of ``account``.

    The key stays, with nothing in it: clients tell the kind of clash by it.
    """
    ids = [str(entry["upload_set_id"]) for entry in body["upload_sets"] if entry.get("upload_set_id")]
    own = {row[0] for row in ask(_OWN, {"ids": ids, "account": account})} if ids else set()
    kept = [entry for entry in body["upload_sets"] if str(entry.get("upload_set_id")) in own]
    return {**body, "upload_sets": kept}


def register(app: Any) -> None:
    """Let the Flask ``app`` withhold it.

    Raises:
        AttributeError: upstream's program is built in another way than this was written for: better not to start.
    """
    from flask import jsonify, request, session
    from geovisio.utils import auth, db
    from geovisio.web import items

    if not set(app.view_functions) >= _ROUTES:
        raise AttributeError("routes of upstream have other names than the launcher knows")

    def ask(statement: str, parameters: dict[str, Any]) -> list[Any]:
        return list(db.fetchall(app, statement, parameters))

    def write(statement: str, parameters: dict[str, Any]) -> None:
        with db.execute(app, statement, parameters):
            pass

    def cookie() -> str:
        return str(request.cookies.get(app.config["SESSION_COOKIE_NAME"], ""))

    def refuse_signed_out() -> None:
        if auth.ACCOUNT_KEY in session and ask(_ENDED, {"digest": digest(cookie())}):
            session.clear()
            # The browser may have a newer cookie by now: a page's last request, answered while signing out is under way
            # or after the next sign-in, must not take that one away.
            session.modified = False

    def sign_out() -> None:
        if request.endpoint in {"auth.logout", "auth.post_logout_redirect"} and auth.ACCOUNT_KEY in session:
            write(_END, {"digest": digest(cookie())})
            write(_FORGET, {"seconds": app.permanent_session_lifetime.total_seconds() + 3600})

    def ask_for_the_owner() -> Any:
        if request.endpoint != "upload_set.getUploadSetFiles":
            return None
        rows = ask(_OWNER, {"id": (request.view_args or {})["upload_set_id"]})
        account = auth.get_current_account()
        if rows and (account is None or (account.id != rows[0][0] and not account.can_see_all())):
            return jsonify({"message": "UploadSet doesn't exist", "status_code": 404}), 404
        return None

    def name_only_own(response: Any) -> Any:
        if request.endpoint == "upload_set.addFilesToUploadSet" and response.status_code == 409:
            body = response.get_json(silent=True) or {}
            if "upload_sets" in body:
                response.set_data(app.json.dumps(only_own(body, auth.get_current_account_id(), ask)))
        return response

    def leave_out_extent(response: Any) -> Any:
        if request.endpoint == "stac.getLanding" and response.status_code == 200:
            body = response.get_json()
            body.pop("extent", None)
            response.set_data(app.json.dumps(body))
        return response

    picture_item = items._getPictureItemById

    def visible_item(item_id: Any, account: Any) -> Any:
        item = picture_item(item_id, account)
        if item is not None:
            item["links"] = only_visible(item["links"], account.id if account is not None else None, ask)
        return item

    items._getPictureItemById = visible_item
    # In this order: who was signed out has nothing to sign out, and owns nothing.
    for step in (refuse_signed_out, sign_out, ask_for_the_owner):
        app.before_request(step)
    app.after_request(name_only_own)
    app.after_request(leave_out_extent)


def publish_nothing_unblurred() -> None:
    """Let every upload wait for its blurring in tmp/, also one that says isBlurred=true.

    Upstream writes such a file among the published ones. If it cannot be blurred it stays there, and gets into backups.

    Raises:
        AttributeError: upstream's program is built in another way than this was written for.
    """
    from geovisio.utils import pictures

    save = pictures.saveRawPicture

    def save_to_wait(picture: Any, data: bytes, _is_blurred: bool) -> None:
        save(picture, data, False)

    pictures.saveRawPicture = save_to_wait


def remove_originals_too() -> None:
    """Let upstream's deletion of a picture also remove its original, which waits in tmp/ for its blurring (facts 5.5).

    Raises:
        AttributeError: upstream's program is built in another way than this was written for.
    """
    from flask import current_app
    from geovisio.utils import pictures

    remove, path = pictures.removeAllFiles, pictures.getHDPicturePath

    def remove_all(picture: Any) -> None:
        remove(picture)
        pictures.cleanup_file_and_parent_dirs(current_app.config["FILESYSTEMS"].tmp, path(picture))

    pictures.removeAllFiles = remove_all
