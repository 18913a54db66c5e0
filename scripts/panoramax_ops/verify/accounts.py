"""What becomes of accounts: made, signed in, demoted, disabled, deleted. Each of them is one of the verifier's own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.signing_in import NoChangeAskedError, SignInError, sign_in
from panoramax_ops.verify import audit
from panoramax_ops.verify.cast import Actor
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.requests import refused_anonymous, told
from panoramax_ops.verify.site import Site

SECONDS = 2.0
PATIENCE = 10.0
# What somebody who is let in can read.
PLACES = ("/api/users/me", "/api/collections", "/api/users/", "/explore", "/api/search?limit=1", "/api/users/me/tokens")
ADMINISTRATORS = ("/api/admin/stats", "/api/reports", "/api/configuration/excluded_areas")


def first_sign_in(site: Site) -> str:
    """An administrator makes four accounts; each signs in with e-mail and initial password, and must change it."""
    try:
        site.cast.hire()
    except NoChangeAskedError as error:
        raise ClaimBrokenError("the initial password lets in without being changed") from error
    wrong = [
        f"{actor.key}: {path}: {told(answer)}"
        for actor in site.cast.actors.values()
        for session in (actor.session, actor.bearer)
        for path in ("/api/users/me", "/api/collections")
        if (answer := session.get(path)).status_code != 200
    ]
    if wrong:
        raise UnableError(f"Signed in, but not let in: {'; '.join(wrong)}", "See the logs of the proxy and the API.")
    return f"{len(site.cast.actors)} accounts signed in; their cookies and tokens are let in"


def cookies(site: Site) -> str:
    """The cookie of a session is sent over TLS only, and no script and no other site can use it."""
    jar = list(site.cast["user"].session.cookies.jar)
    keys = [cookie for cookie in jar if "session" in cookie.name and not cookie.path.startswith("/oauth")]
    wrong = [
        cookie.name
        for cookie in keys
        if not cookie.secure or not cookie.has_nonstandard_attr("HttpOnly")
        or (cookie.get_nonstandard_attr("SameSite") or "").lower() not in {"lax", "strict"}
    ]  # fmt: skip
    if not keys:
        raise UnableError("The site has set no cookie of a session.", "Is the API a version that the verifier knows?")
    if wrong:
        raise ClaimBrokenError(f"not Secure, HttpOnly and SameSite: {', '.join(wrong)}")
    return f"{', '.join(cookie.name for cookie in keys)}: Secure, HttpOnly, SameSite"


def seconds_until(refused: Callable[[], bool], since: float) -> float:
    """Seconds from `since` (time.monotonic) until something is asked for that is refused.

    How long the answer takes does not count: whoever asked then was refused. Raises ClaimBrokenError if it never is.
    """
    while True:
        asked = time.monotonic()
        if refused():
            return asked - since
        if asked - since > PATIENCE:
            raise ClaimBrokenError(f"still let in {PATIENCE:.0f} s later")
        time.sleep(0.05)


def _shut_out(session: httpx.Client) -> bool:
    return all(refused_anonymous(session.get(path)) for path in PLACES)


def _refused_at_sign_in(site: Site, actor: Actor) -> bool:
    try:
        sign_in(site.url, site.ca, actor.email, actor.password).close()
    except SignInError:
        return True
    return False


def disabled(site: Site) -> str:
    """An account is disabled while it is signed in: its cookie, its API token and its password end within 2 seconds."""
    actor = site.cast["disabled"]
    if any(_shut_out(session) for session in (actor.session, actor.bearer)):
        raise UnableError("The account was shut out before it was disabled.", "Run it again.")
    since = time.monotonic()
    site.accounts.disable(actor.email, why="verification")
    cookie = seconds_until(lambda: _shut_out(actor.session), since)
    token = seconds_until(lambda: _shut_out(actor.bearer), since)
    if max(cookie, token) > SECONDS:
        raise ClaimBrokenError(f"cookie dead after {cookie:.2f} s, token after {token:.2f} s")
    if not _refused_at_sign_in(site, actor):
        raise ClaimBrokenError("the disabled account signs in again")
    return f"cookie dead after {cookie:.2f} s, token after {token:.2f} s, no new sign-in"


def demoted(site: Site) -> str:
    """An administrator is made an ordinary user while signed in: what only administrators may see ends in 2 seconds."""
    actor = site.cast["administrator"]
    before = [f"{path}: {told(a)}" for path in ADMINISTRATORS if (a := actor.session.get(path)).status_code != 200]
    if before:
        raise UnableError(f"The administrator is not let in: {'; '.join(before)}", "See the audit.")
    since = time.monotonic()
    site.accounts.set_role(actor.email, "user")
    spent = seconds_until(
        lambda: all(
            session.get(path).status_code == 403 for path in ADMINISTRATORS for session in (actor.session, actor.bearer)
        ),
        since,
    )
    if spent > SECONDS:
        raise ClaimBrokenError(f"an administrator for {spent:.2f} s more")
    return f"no administrator any more after {spent:.2f} s"


def signed_out(site: Site) -> str:
    """Somebody signs out: the next visit asks for the password again."""
    actor = site.cast["other"]
    with contextlib.closing(sign_in(site.url, site.ca, actor.email, actor.password)) as session:
        session.follow_redirects = True
        page = session.get("/api/auth/logout", params={"next_url": "/"})
        if "kc-logout" in page.text:
            raise ClaimBrokenError("signing out leaves a question that has to be answered")
        page = session.get("/api/auth/login", params={"next_url": "/explore"})
        if 'name="password"' not in page.text:
            raise ClaimBrokenError(f"after signing out, one gets in without a password: {page.url.path}")
    return "the password is asked for again"


def removed(site: Site) -> str:
    """The verifier's accounts are deleted: their cookies and tokens open nothing, and no row of them is left."""
    sessions = [session for actor in site.cast.actors.values() for session in (actor.session, actor.bearer)]
    count = len(site.cast.actors)
    if not count:
        raise UnableError("There was no account to remove.", "See the check of signing in.")
    site.cast.dismiss(close=False)
    alive = [str(session.base_url) for session in sessions if not _shut_out(session)]
    for session in sessions:
        session.close()
    if alive:
        raise ClaimBrokenError(f"{len(alive)} cookies or tokens of deleted accounts still let in")
    if left := site.cast.remains():
        raise ClaimBrokenError(f"left behind: {', '.join(left)}")
    return f"{count} accounts removed from both systems, nothing of them is left"


OPENING = (Check("C3", "The initial password must be changed", first_sign_in),)
CLOSING = (
    Check("C1", "Cookies are kept safe", cookies),
    Check("C1", "Signing out ends the session", signed_out),
    Check("C1", "A disabled account is shut out at once", disabled),
    audit.DISABLED,
    Check("C1", "A demoted administrator loses the rights at once", demoted),
    Check("C1", "A deleted account leaves nothing", removed),
)
