"""Keycloak's admin interface, as much of it as provisioning people takes. One pooled client, safe to use from threads.

The service account may manage the people of its realm and nothing else (role keycloak, `_keycloak_accounts_roles`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from panoramax_ops.access import Endpoint
from panoramax_ops.errors import RefusedError, UnableError

CONNECTIONS = 8
PAGE = 100
# What it may take: on a busy host, a user with its password takes seconds.
ANSWER_SECONDS = 60


# The client of the API, whose base address is the site's.
SITE_CLIENT = "geovisio"


class KeycloakError(UnableError):
    """Keycloak refused a request for another reason than the caller's input. `reason` is what it says."""

    reason = ""


class UserExistsError(RefusedError):
    """Another user of the realm has this e-mail or name already."""


class Keycloak:
    """A client for one realm, signed in as the scripts' service account."""

    def __init__(
        self,
        endpoint: Endpoint,
        realm: str,
        client_id: str,
        secret: str,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Nothing is sent before the first call. Close it, or use it as a context manager.

        `transport` takes the place of the network.
        """
        transport = transport or endpoint.transport(
            retries=2,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        )
        self._http = httpx.Client(
            base_url=f"{endpoint.url}/oauth",
            transport=transport,
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )
        self._realm = realm
        self._client_id = client_id
        self._secret = secret
        self._token = ""
        self._lock = threading.Lock()

    def __enter__(self) -> Keycloak:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **options)
        except httpx.HTTPError as error:
            raise UnableError(
                f"Keycloak does not answer ({type(error).__name__}: {error}).",
                "Is its container healthy (docker ps)? Then run the same command again.",
            ) from error

    def _sign_in(self, stale: str) -> str:
        """A token; a new one only if `stale` is still the current one (several threads may ask at once)."""
        with self._lock:
            if self._token and self._token != stale:
                return self._token
            form = {
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._secret,
            }
            answer = self._send("POST", f"/realms/{self._realm}/protocol/openid-connect/token", data=form)
            if answer.status_code >= 500:
                raise UnableError(
                    f"Keycloak is not ready (status {answer.status_code}).",
                    "Is its container healthy (docker ps), and the database? Then run the same command again.",
                )
            if answer.status_code != 200:
                raise UnableError(
                    f"Keycloak refuses the service account {self._client_id} of realm {self._realm}"
                    f" (status {answer.status_code}).",
                    "Does secret_accounts_client differ from the deployed one? Deploy again: make deploy",
                )
            self._token = str(answer.json()["access_token"])
            return self._token

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request below the realm's admin address. A token that has run out is replaced once.

        Raises KeycloakError on 401, 403 and 5xx; other answers are the caller's to judge.
        """
        url = f"/admin/realms/{self._realm}{path}"
        token = self._token or self._sign_in("")
        answer = self._send(method, url, headers={"Authorization": f"Bearer {token}"}, **options)
        if answer.status_code == 401:
            token = self._sign_in(token)
            answer = self._send(method, url, headers={"Authorization": f"Bearer {token}"}, **options)
        if answer.status_code in (401, 403) or answer.status_code >= 500:
            raise _failure(f"Keycloak answers {answer.status_code} to {method} {path}: ", answer)
        return answer

    def create_user(self, user: dict[str, Any]) -> str:
        """Create a user (Keycloak's UserRepresentation) and return its id.

        Raises UserExistsError if e-mail or name are taken, RefusedError if Keycloak finds a value unacceptable.
        """
        answer = self.call("POST", "/users", json=user)
        if answer.status_code == 409:
            raise UserExistsError(f"Keycloak: {_reason(answer)} ({user['email']}, {user['username']}).")
        if answer.status_code != 201:
            raise RefusedError(f"Keycloak does not accept {user['email']}: {_reason(answer)}")
        return answer.headers["Location"].rsplit("/", 1)[1]

    def _one(self, parameters: dict[str, str]) -> dict[str, Any] | None:
        users: list[dict[str, Any]] = self.call("GET", "/users", params={**parameters, "exact": "true"}).json()
        return users[0] if users else None

    def user_by_email(self, email: str) -> dict[str, Any] | None:
        """The user with this e-mail (Keycloak keeps them in lower case), or None."""
        return self._one({"email": email})

    def user_by_name(self, username: str) -> dict[str, Any] | None:
        """The user with this user name, or None."""
        return self._one({"username": username})

    def user_by_id(self, user_id: str) -> dict[str, Any] | None:
        """The user with this id, or None."""
        answer = self.call("GET", f"/users/{user_id}")
        user: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
        return user

    def password_date(self, user_id: str) -> datetime | None:
        """When the password was set; None if the user has none."""
        found = self.call("GET", f"/users/{user_id}/credentials").json()
        dates = [entry["createdDate"] for entry in found if entry["type"] == "password"]
        return datetime.fromtimestamp(dates[0] / 1000, UTC) if dates else None

    def _remove_credentials(self, user_id: str, kind: str, what: str) -> None:
        for entry in self.call("GET", f"/users/{user_id}/credentials").json():
            if entry["type"] == kind:
                self._change("DELETE", f"/users/{user_id}/credentials/{entry['id']}", f"remove {what}")

    def remove_password(self, user_id: str) -> None:
        """Take the password away: nobody logs in as this user until a new one is set."""
        self._remove_credentials(user_id, "password", "the password")

    def remove_second_step(self, user_id: str) -> None:
        """Forget the apps for one-time codes that the user set up, if any."""
        self._remove_credentials(user_id, "otp", "the second step of the login")

    def users(self) -> Iterator[dict[str, Any]]:
        """All people of the realm, page by page (a full listing at once takes seconds, measured)."""
        first = 0
        while True:
            page = self.call("GET", "/users", params={"first": first, "max": PAGE}).json()
            yield from (user for user in page if not user.get("serviceAccountClientId"))
            if len(page) < PAGE:
                return
            first += PAGE

    def _change(self, method: str, path: str, what: str, **options: Any) -> None:
        answer = self.call(method, path, **options)
        if answer.status_code not in (200, 204):
            raise RefusedError(f"Keycloak does not {what}: {_reason(answer)}")

    def update_user(self, user_id: str, changes: dict[str, Any]) -> None:
        """Change only the given fields; the others keep their values (measured with 26.7.3)."""
        self._change("PUT", f"/users/{user_id}", "change the user", json=changes)

    def set_attributes(self, user: dict[str, Any], attributes: dict[str, list[str]], **changes: Any) -> None:
        """Give attributes of a user new values (an empty list takes one away); the others keep theirs."""
        # Attributes are replaced as a whole, and with them what else is part of the profile (measured with 26.7.3).
        profile = {key: value for key, value in user.items() if key in ("username", "email", "firstName", "lastName")}
        merged = {**(user.get("attributes") or {}), **attributes}
        self.update_user(user["id"], {**profile, "attributes": merged, **changes})

    def send_link(self, user_id: str, email: str, seconds: int) -> None:
        """Send a mail with a link that lets the user set a password, and works for so long.

        Raises UnableError if the mail server does not take it.
        """
        # The page at the end of the link leads back to the site, which is the address of this client.
        parameters = {"lifespan": seconds, "client_id": SITE_CLIENT}
        path = f"/users/{user_id}/execute-actions-email"
        try:
            self._change("PUT", path, "send a link", params=parameters, json=["UPDATE_PASSWORD"])
        except KeycloakError as error:
            raise UnableError(
                f"No mail could be sent to {email}: {error.reason or error.message}.",
                "Check site_smtp and the mail server; or hand out a letter: --letter",
            ) from error

    def set_temporary_password(self, user_id: str, password: str) -> None:
        """Set a password that must be changed at the next login."""
        body = {"type": "password", "value": password, "temporary": True}
        self._change("PUT", f"/users/{user_id}/reset-password", "set the password", json=body)

    def sign_out(self, user_id: str) -> None:
        """End all sessions and refresh tokens of the user."""
        self._change("POST", f"/users/{user_id}/logout", "end the sessions")

    def sessions(self, user_id: str) -> list[dict[str, Any]]:
        """Running sessions of the user."""
        found: list[dict[str, Any]] = self.call("GET", f"/users/{user_id}/sessions").json()
        return found

    def delete_user(self, user_id: str) -> None:
        """Delete the user; no error if it is gone already."""
        answer = self.call("DELETE", f"/users/{user_id}")
        if answer.status_code not in (204, 404):
            raise KeycloakError(f"Keycloak does not delete the user: {_reason(answer)}")


def _failure(what: str, answer: httpx.Response) -> KeycloakError:
    error = KeycloakError(
        f"{what}{_reason(answer)}",
        "Is Keycloak's container healthy (docker ps), and the database's? Then run the same command again."
        if answer.status_code >= 500
        else "",
    )
    error.reason = _reason(answer)
    return error


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return f"status {answer.status_code}"
    parts = [str(body[key]) for key in ("field", "errorMessage", "error_description", "error") if body.get(key)]
    return ", ".join(parts) or f"status {answer.status_code}"
