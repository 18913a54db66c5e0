"""A question of our own: which of these files are here already? Browsers ask it before they send hundreds of megabytes.

It tells what upstream tells about each file once it has arrived ("already sent in a past upload"), and no more: whoever
asks has the file. Upstream has no such route (facts 5.2).
"""

import uuid
from typing import Any

PATH = "/api/users/me/known_files"
MOST = 500
_KNOWN = """
SELECT DISTINCT replace(original_content_md5::text, '-', '') FROM pictures
WHERE original_content_md5 = ANY(%(md5)s::uuid[]) AND upload_set_id IS DISTINCT FROM %(upload)s::uuid
"""


class QuestionError(ValueError):
    """The question cannot be read; the text says why."""


def read_question(body: Any) -> dict[str, Any]:
    """Return the parameters of the query for a request's JSON ``body``.

    ``md5`` holds up to 500 digests of 32 hexadecimal digits; pictures of the upload ``upload_set_id`` (optional) do not
    count.
    """
    if not isinstance(body, dict) or not isinstance(body.get("md5"), list):
        raise QuestionError("md5 has to be a list of digests")
    if len(body["md5"]) > MOST:
        raise QuestionError(f"at most {MOST} digests are answered at once")
    try:
        upload = uuid.UUID(body["upload_set_id"]) if body.get("upload_set_id") else None
        return {"md5": [str(uuid.UUID(hex=digest)) for digest in body["md5"]], "upload": upload and str(upload)}
    except (ValueError, TypeError, AttributeError) as error:
        raise QuestionError("a digest is 32 hexadecimal digits, an upload a UUID") from error


def register(app: Any) -> None:
    """Add the route to the Flask ``app``."""
    from flask import jsonify, request
    from geovisio.utils import auth, db

    def known_files() -> Any:
        if auth.get_current_account() is None:
            return jsonify({"message": "Sign in, or send a token", "status_code": 401}), 401
        try:
            question = read_question(request.get_json(silent=True))
        except QuestionError as error:
            return jsonify({"message": str(error), "status_code": 400}), 400
        return jsonify({"known": sorted(row[0] for row in db.fetchall(app, _KNOWN, question))})

    app.add_url_rule(PATH, "known_files", known_files, methods=["POST"])
