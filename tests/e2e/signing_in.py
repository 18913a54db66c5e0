"""Sign in as a person does, over HTTP: the API's redirect, Keycloak's form, the forced change of the password."""

from __future__ import annotations

import html
import re
from pathlib import Path

import httpx

FORM = re.compile(r'<form[^>]+action="([^"]+)"', re.IGNORECASE)


class SignInError(AssertionError):
    """Keycloak or the API did not let the person in."""


def _form_action(page: httpx.Response) -> str:
    match = FORM.search(page.text)
    if not match:
        raise SignInError(f"no form on {page.url} (status {page.status_code}): {page.text[:300]}")
    return html.unescape(match.group(1))


def client(url: str, ca: Path, **options: object) -> httpx.Client:
    """A client that trusts the site's own authority and nobody else, and no proxy of this machine."""
    import ssl

    context = ssl.create_default_context(cafile=str(ca))
    return httpx.Client(base_url=url, verify=context, trust_env=False, timeout=60, **options)  # type: ignore[arg-type]


def sign_in(url: str, ca: Path, email: str, password: str, new_password: str | None = None) -> httpx.Client:
    """A client with a session of the person. `new_password` answers the forced change at the first login.

    Raises SignInError if the person is not let in.
    """
    session = client(url, ca, follow_redirects=True)
    page = session.get("/api/auth/login", params={"next_url": "/explore"})
    page = session.post(_form_action(page), data={"username": email, "password": password})
    if new_password is not None:
        if "password-new" not in page.text:
            raise SignInError(f"no change of the password was asked on {page.url}: {page.text[:300]}")
        page = session.post(_form_action(page), data={"password-new": new_password, "password-confirm": new_password})
    if not str(page.url).startswith(f"{url}/explore"):
        raise SignInError(f"ended on {page.url} (status {page.status_code}): {page.text[:600]}")
    session.follow_redirects = False
    return session
