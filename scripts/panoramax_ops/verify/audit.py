"""The audit: every route and method, against the policy, as each kind of caller.

What is refused to a caller is asked for with every method. What is open to them is asked for with GET only, to see that
the gate does not keep out whom it should let in; nothing is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.policy import METHODS, Policy, Rule, Who
from panoramax_ops.verify import image_routes
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.requests import (
    Attempt,
    ask,
    example,
    refused_anonymous,
    refused_by_gate,
    told,
)
from panoramax_ops.verify.site import Site

SHOWN = 8
NEVER_WITH_A_SESSION = ("/oauth/", "/api/auth/")


def shape(path: str) -> str:
    """A route without the names of its parts, so that two spellings of it compare: /a/<uuid:b>.<c> is /a/*.*"""
    plain = re.sub(r"<[^>]+>|\{[^}]+\}", "*", path)
    return plain.rstrip("/") or "/"


def unnamed(policy: Policy, routes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Routes (method, path) that the policy does not name."""
    known = {(method, shape(rule.path)) for rule in policy.rules for method in rule.methods}
    return sorted({(method, path) for method, path in routes if (method, shape(path)) not in known})


def openapi_routes(document: dict[str, dict[str, object]]) -> Iterator[tuple[str, str]]:
    """Method and path of each operation of an OpenAPI document."""
    for path, operations in document.get("paths", {}).items():
        for method in operations if isinstance(operations, dict) else ():
            if method.upper() in METHODS:
                yield method.upper(), path


def _report(found: list[str], asked: int, what: str) -> str:
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise ClaimBrokenError("; ".join(found[:SHOWN]) + more)
    return f"{asked} {what}"


def _attempts(site: Site, closed: Callable[[Rule], bool]) -> list[Attempt]:
    return [
        Attempt(method, example(rule.path, site.realm), rule)
        for rule in site.policy.active(site.policy_options)
        if closed(rule)
        for method in rule.answered_methods
    ]


def _opened(
    session: httpx.Client, attempts: list[Attempt], refused: Callable[[httpx.Response], bool]
) -> tuple[list[str], int]:
    found = [
        f"{attempt}: {told(answer)}" + (f" (policy: {attempt.rule.who})" if attempt.rule else " (not in the policy)")
        for attempt, answer in ask(session, attempts)
        if not refused(answer)
    ]
    return found, len(attempts)


def anonymous(site: Site) -> str:
    """Every route and method that the policy does not give to everybody, without a session."""
    attempts = _attempts(site, lambda rule: rule.who is not Who.ANONYMOUS)
    with site.anonymous() as session:
        found, asked = _opened(session, attempts, refused_anonymous)
    return _report(found, asked, "routes and methods refused")


def _kept_out(session: httpx.Client, site: Site, allowed: frozenset[Who]) -> tuple[list[str], int]:
    """GET routes at which the gate stops somebody whom the policy lets in."""
    attempts = [
        Attempt("GET", example(rule.path, site.realm), rule)
        for rule in site.policy.active(site.policy_options)
        if rule.section != "identity" and rule.who in allowed and "GET" in rule.methods
    ]
    found = [
        f"{attempt}: {told(answer)} although the policy lets in"
        for attempt, answer in ask(session, attempts)
        if answer.status_code == 401 or answer.status_code >= 500 or "closed here" in answer.text
    ]
    return found, len(attempts)


def user(site: Site) -> str:
    """Every route and method that is for administrators or nobody, as an ordinary user; and that the user gets in
    where the policy says so."""
    session = site.cast["user"].session
    attempts = _attempts(site, lambda rule: rule.who in {Who.ADMINISTRATOR, Who.NOBODY})
    found, asked = _opened(session, attempts, refused_by_gate)
    kept, open_to = _kept_out(session, site, frozenset({Who.SIGNED_IN, Who.OWNER}))
    return _report(found + kept, asked, f"routes and methods refused, {open_to} open as they must be")


def token(site: Site) -> str:
    """Every route and method that is for administrators or nobody, with an API token of an ordinary user."""
    attempts = _attempts(site, lambda rule: rule.who in {Who.ADMINISTRATOR, Who.NOBODY})
    found, asked = _opened(site.cast["user"].bearer, attempts, refused_by_gate)
    return _report(found, asked, "routes and methods refused")


def administrator(site: Site) -> str:
    """Every route and method that is for nobody, and every method that the policy does not name, as an administrator;
    and that the administrator gets in where the policy says so."""
    session = site.cast["administrator"].session
    rules = site.policy.active(site.policy_options)
    attempts = _attempts(site, lambda rule: rule.who is Who.NOBODY)
    named = {(method, shape(rule.path)) for rule in rules for method in rule.methods}
    attempts += [
        Attempt(method, example(path, site.realm))
        for path in sorted({rule.path for rule in rules if rule.path.startswith("/api/")})
        for method in METHODS
        if (method, shape(path)) not in named and not path.startswith(NEVER_WITH_A_SESSION)
    ]
    found, asked = _opened(session, attempts, refused_by_gate)
    kept, open_to = _kept_out(session, site, frozenset({Who.SIGNED_IN, Who.OWNER, Who.ADMINISTRATOR}))
    return _report(found + kept, asked, f"routes and methods refused, {open_to} open as they must be")


def _with_ids(site: Site, ids: dict[str, str], closed: Callable[[Rule], bool]) -> list[Attempt]:
    """Attempts at what has one of these parts in its path, with the real identifier in it."""

    def filled(path: str) -> str:
        for name, value in ids.items():
            path = path.replace(f"<uuid:{name}>", value)
        return example(path, site.realm)

    # A change of nothing is no change, and is not refused.
    bodies = {"PATCH": {"visibility": "owner-only"}}
    return [
        Attempt(method, filled(rule.path), rule, bodies.get(method))
        for rule in site.policy.active(site.policy_options)
        if closed(rule) and any(f"<uuid:{name}>" in rule.path for name in ids)
        for method in rule.answered_methods
    ]


def other(site: Site) -> str:
    """Every route and method that is for the owner of something, for administrators or nobody, as another user, with
    the identifiers of the picture, sequence, upload, account and token of the one that it belongs to."""
    photo, owner = site.photo, site.cast["user"]
    if photo is None:
        raise UnableError("There is no picture to try this with.", "See the check of blurring.")
    token_id = owner.session.get("/api/users/me/tokens").json()[0]["id"]
    ids = {"collectionId": photo.collection, "itemId": photo.picture, "pictureId": photo.picture,
           "upload_set_id": photo.upload, "userId": owner.account_id, "token_id": token_id}  # fmt: skip
    asked, found = 0, []
    for session in (site.cast["other"].session, site.cast["other"].bearer):
        closed = _with_ids(site, ids, lambda rule: rule.who in {Who.ADMINISTRATOR, Who.NOBODY})
        owned = _with_ids(site, ids, lambda rule: rule.who is Who.OWNER)
        opened, _ = _opened(session, closed, refused_by_gate)
        # Whose something is, the API knows: what it refuses for another reason (there is no body) was not done either.
        mine, _ = _opened(session, owned, lambda answer: 400 <= answer.status_code < 500)
        found += opened + mine
        asked += len(closed) + len(owned)
    alive = owner.bearer.get(photo.addresses[-1]).status_code
    if alive != 200:
        found.append(f"the owner's token and picture after that: {alive}")
    return _report(found, asked, "routes and methods with somebody else's identifiers refused")


def disabled(site: Site) -> str:
    """Every route and method that the policy does not give to everybody, with cookie and token of an account that was
    disabled while it was signed in."""
    actor = site.cast["disabled"]
    if actor.session.get("/api/users/me").status_code == 200:
        raise ClaimBrokenError("the account is not disabled")
    attempts = _attempts(site, lambda rule: rule.who is not Who.ANONYMOUS)
    found = [text for session in (actor.session, actor.bearer)
             for text in _opened(session, attempts, refused_anonymous)[0]]  # fmt: skip
    return _report(found, 2 * len(attempts), "routes and methods refused")


def documented(site: Site) -> str:
    """Every route and method of the live OpenAPI document is named by the policy; what no policy names is closed."""
    answer = site.cast["user"].session.get("/api/docs/specs.json")
    if answer.status_code != 200:
        raise UnableError(f"The OpenAPI document: {told(answer)}", "Does the API work?")
    routes = list(openapi_routes(answer.json()))
    missing = unnamed(site.policy, routes)
    attempts = [Attempt(method, example(path, site.realm)) for method, path in missing]
    attempts += [Attempt(method, "/api/a-route-of-a-version-to-come") for method in METHODS]
    opened, _ = _opened(site.cast["administrator"].session, attempts, refused_by_gate)
    found = [f"the policy does not name {method} {path}" for method, path in missing] + opened
    return _report(found, len(routes), "operations of the document are named; what is not named is closed")


def served(site: Site) -> str:
    """Every route of the API's program, also those that its document leaves out, is named by the policy.

    The program of the running image lists them, in a container of its own without any network.
    """
    image = site.engine.containers.get(f"{site.project}-api").image
    output = site.engine.containers.run(
        image.id,
        entrypoint=["python3", "-c", image_routes.PROGRAM],
        command=[],
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": "size=64m"},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        mem_limit="512m",
        pids_limit=100,
        user="65534:65534",
        environment={"HOME": "/tmp"},
        labels={"org.private-panoramax.verification": site.project},
        remove=True,
    )
    listed = json.loads(output.decode().strip().splitlines()[-1])
    missing = unnamed(site.policy, [(method, path) for method, path in listed["routes"]])
    found = [f"the policy does not name {method} {path}" for method, path in missing]
    return _report(found, len(listed["routes"]), f"routes of geovisio {listed['version']} are named")


CHECKS = (
    Check("C1", "Anonymous callers are refused everywhere", anonymous),
    Check("C1", "Users are refused what is not theirs", user),
    Check("C1", "Tokens open no more than their owner may", token),
    Check("C1", "Administrators are refused what is closed", administrator),
    Check("C1", "The policy names the API's document", documented),
)
# These need a picture, and an account that has been disabled.
OTHER = Check("C1", "Other users are refused everywhere", other)
DISABLED = Check("C1", "A disabled account is refused everywhere", disabled)
# It takes the longest, and needs nobody.
SERVED = Check("C1", "The policy names the API's program", served)
