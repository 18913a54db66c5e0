"""Holes of the identity provider as it comes. The stock instance of the tests has none to attack."""

from __future__ import annotations

import html
import re

from hole_kit import Kit
from holes import hole

REALM = "/oauth/realms/panoramax"
MEASURED = "the stock instance of the tests has no Keycloak; a realm as it comes was measured, facts of Keycloak"
CLOSED = {400, 401, 403, 404, 405}


def _open(kit: Kit, *paths: str, method: str = "GET", **body: str) -> str | None:
    session = kit.anonymous()
    for path in paths:
        answer = session.request(method, path, data=body or None)
        if answer.status_code not in CLOSED:
            return f"{path}: {answer.status_code}"
    return None


@hole(
    "H80",
    "Registration",
    exposed="The instance to everybody who makes himself an account",
    closed_by="identity: registration is off",
    second="gate: its addresses are closed",
    ours_only=MEASURED,
)
def registration(kit: Kit) -> str | None:
    page = kit.anonymous().get("/api/auth/login", follow_redirects=True)
    if re.search(r'href="[^"]*registration', page.text):
        return "a link on the sign-in page"
    return _open(kit, f"{REALM}/protocol/openid-connect/registrations", f"{REALM}/login-actions/registration")


@hole(
    "H81",
    "Clients that register themselves",
    exposed="Sign-in of our people to programs of strangers",
    closed_by="gate: closed for everybody",
    second="identity: policies of the realm refuse anonymous registration",
    ours_only=MEASURED,
)
def client_registration(kit: Kit) -> str | None:
    paths = [f"{REALM}/clients-registrations/{kind}" for kind in ("default", "openid-connect", "install/x")]
    return _open(kit, *paths, method="POST") or _open(kit, *paths)


@hole(
    "H82",
    "Passwords tried at the token address",
    exposed="Accounts to programs that guess, past the sign-in page",
    closed_by="gate: closed for everybody",
    second="identity: direct grants are off",
    ours_only=MEASURED,
)
def direct_grant(kit: Kit) -> str | None:
    address = f"{REALM}/protocol/openid-connect/token"
    return _open(kit, address, method="POST", grant_type="password", client_id="admin-cli", username="x", password="x")


@hole(
    "H83",
    "Sign-in of devices, tickets and introspection",
    exposed="Sessions to whoever talks somebody into typing a code",
    closed_by="gate: closed for everybody",
    second="identity: the device flow is off",
    ours_only=MEASURED,
)
def device_flow(kit: Kit) -> str | None:
    base = f"{REALM}/protocol/openid-connect"
    return _open(kit, f"{REALM}/device", f"{base}/auth/device", f"{base}/token/introspect", f"{base}/revoke") or _open(
        kit, f"{base}/auth/device", f"{base}/ext/ciba/auth", f"{base}/ext/par/request", method="POST"
    )


@hole(
    "H84",
    "The administration from outside",
    exposed="The realm to whoever has or guesses an administrator's password",
    closed_by="gate: closed for everybody",
    second="identity: no person has rights of administration",
    ours_only=MEASURED,
)
def administration(kit: Kit) -> str | None:
    return _open(
        kit,
        "/oauth/admin/",
        "/oauth/admin/master/console/",
        "/oauth/admin/realms/panoramax/users",
        "/oauth/realms/master",
        "/oauth/realms/master/protocol/openid-connect/auth",
        "/oauth/realms/master/account",
        "/oauth/metrics",
        "/oauth/health",
        "/oauth/",
    )


@hole(
    "H85",
    "Foreign identity providers",
    exposed="The instance to accounts of somebody else",
    closed_by="gate: closed for everybody",
    second="identity: none is declared",
    ours_only=MEASURED,
)
def brokering(kit: Kit) -> str | None:
    return _open(kit, f"{REALM}/broker/google/login", f"{REALM}/broker/x/endpoint", f"{REALM}/protocol/saml")


@hole(
    "H86",
    "Which addresses have an account",
    exposed="Who is one of the people, to whoever tries addresses",
    closed_by="identity: one answer for a wrong name and a wrong password",
    second="gate: attempts are limited for each address",
    ours_only=MEASURED,
)
def enumeration(kit: Kit) -> str | None:
    def said(name: str) -> tuple[int, str]:
        session = kit.anonymous()
        page = session.get("/api/auth/login", follow_redirects=True)
        match = re.search(r'<form[^>]+action="([^"]+)"', page.text)
        assert match, page.text[:300]
        answer = session.post(html.unescape(match.group(1)), data={"username": name, "password": "wrong-password-9"})
        text = re.sub(r"(?:session_code|execution|tab_id|client_data)=[^&\"']+", "", answer.text)
        text = re.sub(r"[\"'][A-Za-z0-9_./+=-]{20,}[\"']", "", text)
        return answer.status_code, text.replace(html.escape(name), "").replace(name, "")

    there, missing = said(kit.alice.name), said("nobody.of.this.name")
    return "told apart" if there != missing else None


@hole(
    "H87",
    "Passwords tried without end",
    exposed="Weak passwords",
    closed_by="gate: attempts are limited for each address",
    second="identity: an account is locked for a while after some wrong passwords; passwords must be long",
    ours_only=MEASURED,
)
def brute_force(kit: Kit) -> str | None:
    session = kit.anonymous()
    address = f"{REALM}/login-actions/authenticate?session_code=x"
    statuses = [session.post(address, data={"username": "x", "password": "x"}).status_code for _ in range(40)]
    return None if 429 in statuses else f"40 attempts: {sorted(set(statuses))}"
