"""Pictures that could not be blurred, for administrators: which, why, and trying them again.

Upstream tells administrators how many are broken, and has no route that lists them or their reasons (facts 5.4). The
database has functions for both, which scripts/blurring.py uses too.
"""

import uuid
from typing import Any

PATH = "/api/admin/failed_pictures"
MOST = 100
_TOTAL = "SELECT count(*) FROM priv.failed_pictures()"
# A picture that is in no sequence yet has none to be looked at in.
_FAILED = """
SELECT f.picture::text, f.account, f.file, f.state, f.tries,
  coalesce(to_json(nullif(f.next, '')::timestamptz) #>> '{}', ''), f.reason, min(sp.seq_id::text)
FROM priv.failed_pictures() WITH ORDINALITY AS f(picture, account, file, state, tries, next, reason, place)
LEFT JOIN public.sequences_pictures sp ON sp.pic_id = f.picture
GROUP BY f.picture, f.account, f.file, f.state, f.tries, f.next, f.reason, f.place
ORDER BY f.state <> 'broken', f.place LIMIT %(most)s
"""
_NAMES = ("id", "account", "file", "state", "tries", "next", "reason", "collection")
_RETRY = "SELECT priv.retry_pictures(%(named)s::uuid[])::text"


class WishError(ValueError):
    """What was asked for cannot be read; the text says why."""


def read_wish(body: Any) -> list[str] | None:
    """Return the pictures that a request's JSON ``body`` names under ``pictures``; None where it says ``"all"``."""
    named = body.get("pictures") if isinstance(body, dict) else None
    if named == "all":
        return None
    if not isinstance(named, list) or not named:
        raise WishError('pictures has to be a list of identifiers, or "all"')
    try:
        return [str(uuid.UUID(one)) for one in named]
    except (ValueError, TypeError, AttributeError) as error:
        raise WishError("an identifier of a picture is a UUID") from error


def register(app: Any) -> None:
    """Add the routes to the Flask ``app``."""
    from flask import jsonify, request
    from geovisio.utils import auth, db

    def refused() -> Any:
        account = auth.get_current_account()
        if account is None:
            return jsonify({"message": "Sign in, or send a token", "status_code": 401}), 401
        if not account.can_see_all():
            return jsonify({"message": "For administrators only", "status_code": 403}), 403
        return None

    def failed_pictures() -> Any:
        if answer := refused():
            return answer
        rows = db.fetchall(app, _FAILED, {"most": MOST})
        total = db.fetchone(app, _TOTAL)[0]
        return jsonify({"pictures": [dict(zip(_NAMES, row, strict=True)) for row in rows], "total": total})

    def retry() -> Any:
        if answer := refused():
            return answer
        try:
            named = read_wish(request.get_json(silent=True))
        except WishError as error:
            return jsonify({"message": str(error), "status_code": 400}), 400
        with db.conn(app) as connection:
            queued = [row[0] for row in connection.execute(_RETRY, {"named": named})]
        return jsonify({"queued": queued}), 202

    app.add_url_rule(PATH, "failed_pictures", failed_pictures, methods=["GET"])
    app.add_url_rule(f"{PATH}/retry", "retry_failed_pictures", retry, methods=["POST"])
