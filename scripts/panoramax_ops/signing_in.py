"""Sign in as a person does, over HTTP: the API's redirect, Keycloak's form, the forced change of the password."""

from __future__ import annotations

import html
import re
import ssl
from pathlib import Path
from typing import Any

import httpx

from panoramax_ops.errors import UnableError

FORM = re.compile(r'<form[^>]+action="([^"]+)"', re.IGNORECASE)
TIMEOUT = 60


class SignInError(UnableError):
    """Keycloak or the API did not let the person in. `page` is what it showed instead."""

    def __init__(self, message: str, page: httpx.Response) -> None:
        """The page's text may hold a person's name, but no secret."""
        super().__init__(message, "Does the site work at all? Try to sign in with a browser.")
        self.page = page


class NoChangeAskedError(SignInError):
    """The initial password was accepted, and no change of it was asked for."""


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """Trust in the site's own authority where it has one, and nobody else; else in the system's."""
    return ssl.create_default_context(cafile=str(ca) if ca else None)


def client(url: str, ca: Path | None, **options: Any) -> httpx.Client:
    """A client for the site that uses no proxy of this machine. `options` are httpx.Client's."""
    return httpx.Client(base_url=url, verify=tls_context(ca), trust_env=False, **{"timeout": TIMEOUT, **options})


def form_action(page: httpx.Response) -> str:
    """Where the form of a page is sent to. Raises SignInError if the page has none."""
    match = FORM.search(page.text)
    if not match:
        raise SignInError(f"no form on {page.url} (status {page.status_code}): {page.text[:300]}", page)
    return html.unescape(match.group(1))


def sign_in(url: str, ca: Path | None, email: str, password: str, new_password: str | None = None) -> httpx.Client:
    """A client with a session of the person. `new_password` answers the forced change at the first login.

    Raises SignInError if the person is not let in, or is not asked for the new password that was given.
    """
    session = client(url, ca, follow_redirects=True)
    try:
        page = session.get("/api/auth/login", params={"next_url": "/explore"})
        page = session.post(form_action(page), data={"username": email, "password": password})
        if new_password is not None:
            if "password-new" not in page.text:
                raise NoChangeAskedError(f"no change of the password was asked on {page.url}: {page.text[:300]}", page)
            form = {"password-new": new_password, "password-confirm": new_password}
            page = session.post(form_action(page), data=form)
        if not str(page.url).startswith(f"{url}/explore"):
            raise SignInError(f"ended on {page.url} (status {page.status_code}): {page.text[:600]}", page)
    except BaseException:
        session.close()
        raise
    session.follow_redirects = False
    return session
