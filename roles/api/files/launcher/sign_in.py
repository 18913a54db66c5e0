"""The way back from the identity provider, when it did not lead anywhere.

A browser may ask for it twice (it sends a GET again whose connection broke), or late, or out of its history: the code
in the address is good for one use and a minute. Upstream then answers 500, or 403 about cookies to be cleared, to
somebody who is signed in already or would be after one more click. The same goes for signing out: without the session,
where the page to go to is kept, upstream answers two words of plain text (202).
"""

import time
from typing import Any

_BEGAN_AGAIN = "private_began_again"
# Once within so many seconds: a provider that is not set up right must not send browsers round in circles.
_PATIENCE = 60
_FAILED = "The sign-in could not be completed. Please try again in a minute; if it fails again, ask the administrators."


def register(app: Any) -> None:
    """Let the Flask ``app`` lead on from there: to the page asked for if the person is signed in, else to the sign-in.

    The page asked for stays in the session on the way.

    Raises:
        KeyError: upstream's program is built in another way than this was written for: better not to start.
    """
    from authlib.integrations.base_client.errors import OAuthError
    from flask import jsonify, redirect, session, url_for
    from geovisio.errors import InternalError
    from geovisio.utils.auth import ACCOUNT_KEY
    from geovisio.web.auth import NEXT_URL_KEY

    complete = app.view_functions["auth.auth"]

    def begin_again() -> Any:
        if ACCOUNT_KEY in session:
            return redirect(session.pop(NEXT_URL_KEY, None) or "/")
        now = int(time.time())
        if now - int(session.get(_BEGAN_AGAIN, 0)) < _PATIENCE:
            return jsonify({"message": _FAILED, "status_code": 403}), 403
        session[_BEGAN_AGAIN] = now
        return redirect(url_for("auth.login"))

    def back() -> Any:
        try:
            answer = complete()
        except OAuthError:
            return begin_again()
        except InternalError as error:
            if isinstance(error.__context__, OAuthError):
                return begin_again()
            raise
        session.pop(_BEGAN_AGAIN, None)
        return answer

    signed_out = app.view_functions["auth.post_logout_redirect"]

    def lead_on() -> Any:
        answer = signed_out()
        if answer.status_code == 202:
            answer.status_code, answer.location = 302, "/"
        return answer

    app.view_functions["auth.auth"] = back
    app.view_functions["auth.post_logout_redirect"] = lead_on
