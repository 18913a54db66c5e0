"""Holes of sessions, cookies and tokens (facts 3)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from hole_kit import SAMPLE, Kit, Person, checked, multipart, unique
from holes import hole

AT_ONCE = "database: blocked accounts see nothing, whatever they hold"


def _still_sees(kit: Kit, session: httpx.Client) -> str | None:
    if session.get(f"/api/pictures/{kit.seen.id}/thumb.jpg").status_code == 200:
        return "pictures"
    if kit.seen.id in session.get("/api/search", params={"limit": 1000}).text:
        return "the search"
    return "the account" if session.get("/api/users/me").status_code == 200 else None


def _copy(kit: Kit, person: Person) -> httpx.Client:
    """The person's cookie as somebody else keeps it."""
    session = kit.anonymous()
    for cookie in person.browser.cookies.jar:
        if "session" in cookie.name:
            session.headers["Cookie"] = f"{cookie.name}={cookie.value}"
    return session


@hole(
    "H60",
    "A copied cookie outlives signing out",
    exposed="A session on a shared computer, to whoever copied the cookie",
    closed_by="API: signing out ends all cookies that the person has",
    second="settings: cookies live hours, not for ever",
)
def cookie_after_sign_out(kit: Kit) -> str | None:
    person = kit.people.make("Saskia Signout")
    copy = _copy(kit, person)
    person.browser.get("/api/auth/logout", follow_redirects=kit.target == "ours")
    return _still_sees(kit, copy)


@hole(
    "H61",
    "A token that somebody else claims",
    exposed="An account, to whoever made the token and sent its owner a link",
    closed_by="gate: closed for everybody",
    second="database: a token never changes its account",
)
def claimed_token(kit: Kit) -> str | None:
    made = kit.anonymous().post("/api/auth/tokens/generate", json={"description": "x"})
    jwt = made.json().get("jwt_token", "") if made.is_success else "none"
    identifier = made.json().get("id", "") if made.is_success else "11111111-2222-4333-8444-555555555555"
    kit.bob.browser.get(f"/api/auth/tokens/{identifier}/claim")
    thief = kit.anonymous()
    thief.headers["Authorization"] = f"Bearer {jwt}"
    answer = thief.get("/api/users/me")
    kit.sql(f"DELETE FROM tokens WHERE id = '{identifier}'")
    return f"is now {kit.bob.name}" if kit.bob.id in answer.text else None


@hole(
    "H62",
    "The cookie of a disabled account",
    exposed="Everything, to whoever was dismissed, for as long as the cookie is used",
    closed_by=AT_ONCE,
    second="settings: cookies live hours, not for ever",
)
def cookie_of_disabled(kit: Kit) -> str | None:
    return _still_sees(kit, kit.dismissed().browser)


@hole(
    "H63",
    "The API token of a disabled account",
    exposed="Everything, to whoever was dismissed, for ever",
    closed_by=AT_ONCE,
    second="database: blocking deletes the tokens",
)
def token_of_disabled(kit: Kit) -> str | None:
    return _still_sees(kit, kit.dismissed().token)


@hole(
    "H64",
    "The cookie of a deleted account",
    exposed="Everything, to whoever is no longer there",
    closed_by="database: an account that does not exist sees nothing",
    second="settings: cookies live hours, not for ever",
)
def cookie_of_deleted(kit: Kit) -> str | None:
    person = kit.dismissed()
    kit.sql(f"DELETE FROM accounts WHERE id = '{person.id}'")
    return _still_sees(kit, person.browser)


@hole(
    "H65",
    "Tokens never end",
    exposed="Everything, to whoever finds a token in an old script or backup",
    closed_by="database: no token works for longer than a year",
    second="database: tokens can be given an earlier end",
)
def old_token(kit: Kit) -> str | None:
    older = "UPDATE tokens SET generated_at = generated_at {} interval '10 years' WHERE account_id = '{}'"
    kit.sql(older.format("-", kit.bob.id))
    status = kit.bob.token.get("/api/users/me").status_code
    kit.sql(older.format("+", kit.bob.id))
    return "ten years old, and taken" if status == 200 else None


@hole(
    "H66",
    "Cookies that scripts and plain connections can carry away",
    exposed="Sessions, with the name and e-mail address that the cookie holds",
    closed_by="settings: Secure, HttpOnly, SameSite=Lax, __Host-",
    second="gate: sets Secure and SameSite on every cookie; HSTS; no foreign scripts",
)
def cookie_flags(kit: Kit) -> str | None:
    answer = kit.anonymous().get("/api/auth/login")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if "session" in value).lower()
    missing = [flag for flag in ("secure", "httponly", "samesite=lax", "path=/") if flag not in cookie]
    return f"without {', '.join(missing)}" if missing else None


@hole(
    "H67",
    "Sessions that never end while they are used",
    exposed="A stolen session, for ever",
    closed_by="settings: a cookie is not renewed by its use",
    second="settings: it lives hours",
)
def sliding_session(kit: Kit) -> str | None:
    answer = kit.bob.browser.get("/api/users/me")
    renewed = [value for value in answer.headers.get_list("set-cookie") if "session" in value]
    return "renewed with each request" if answer.status_code == 200 and renewed else None


@hole(
    "H68",
    "What a disabled account is in the middle of sending",
    exposed="The instance to pictures of somebody who was dismissed while they were on their way",
    closed_by="database: nothing new comes from a blocked account",
    second="gate: the next request on the same connection is refused",
)
def upload_while_disabled(kit: Kit) -> str | None:
    person = kit.people.make("Ulrich Underway")
    made = checked(person.browser.post("/api/upload_sets", json={"title": "x"})).json()["id"]
    before, after = multipart(unique(SAMPLE))

    def slowly() -> Iterator[bytes]:
        yield before
        kit.people.disable(person)
        yield after

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(before + after))}
    answer = person.browser.post(f"/api/upload_sets/{made}/files", content=slowly(), headers=headers)
    [[stored]] = kit.sql(f"SELECT count(*) FROM pictures WHERE upload_set_id = '{made}'")
    next_one = person.browser.get("/api/users/me").status_code
    return f"{answer.status_code}: stored, then {next_one}" if stored != "0" or next_one == 200 else None


@hole(
    "H69",
    "People's e-mail addresses shown as their names",
    exposed="The addresses of everybody who signs in by their own, or whose provider sends no name, to every account",
    closed_by="database: a name that is an address becomes another",
    second="identity: the scripts make no account whose name is its address",
)
def address_as_name(kit: Kit) -> str | None:
    person = kit.people.make("Emil Email")
    address = "emil.email@example.org"
    # What upstream's sign-in runs with the name that it gets.
    kit.sql(
        f"INSERT INTO accounts (name, oauth_provider, oauth_id) SELECT '{address}', oauth_provider, oauth_id"
        f" FROM accounts WHERE id = '{person.id}'"
        f" ON CONFLICT (oauth_provider, oauth_id) DO UPDATE SET name = '{address}'"
    )
    shown = [
        kit.bob.token.get(path).text for path in ("/api/users/", f"/api/users/{person.id}", "/api/users/search?q=emil")
    ]
    return address if any(address in text for text in shown) else None
