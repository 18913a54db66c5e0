"""The Keycloak client: tokens, refusals, paging."""

from __future__ import annotations

import json

import httpx
import pytest

from panoramax_ops.access import Endpoint
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.keycloak import Keycloak, KeycloakError, UserExistsError

USER = {"username": "jane", "email": "jane@example.org"}


class Server:
    """Answers as Keycloak does; `answers` maps 'METHOD /path' to (status, body)."""

    def __init__(self, answers: dict[str, tuple[int, object]] | None = None, token_status: int = 200) -> None:
        self.answers = answers or {}
        self.token_status = token_status
        self.tokens = 0
        self.valid = ""
        self.seen: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/oauth/admin/realms/lab")
        if request.url.path.endswith("/token"):
            self.tokens += 1
            self.valid = f"t{self.tokens}"
            return httpx.Response(self.token_status, json={"access_token": self.valid})
        if request.headers["authorization"] != f"Bearer {self.valid}":
            return httpx.Response(401, json={"error": "HTTP 401 Unauthorized"})
        self.seen.append(f"{request.method} {path}")
        status, body = self.answers.get(f"{request.method} {path}", (404, {"error": "not found"}))
        if callable(body):
            body = body(request)
        return httpx.Response(status, json=body, headers={"Location": "http://x/users/the-id"})


def client(server: Server) -> Keycloak:
    return Keycloak(Endpoint("192.0.2.1", 8080), "lab", "scripts", "secret", httpx.MockTransport(server))


def test_a_token_that_ran_out_is_replaced_once() -> None:
    server = Server({"GET /users/1/sessions": (200, [])})
    keycloak = client(server)
    keycloak.sessions("1")
    server.valid = "ended"
    keycloak.sessions("1")
    assert server.tokens == 2


def test_a_created_user_is_known_by_its_id() -> None:
    assert client(Server({"POST /users": (201, None)})).create_user(USER) == "the-id"


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (409, {"errorMessage": "User exists with same email"}, UserExistsError, "same email"),
        (400, {"field": "username", "errorMessage": "error-username-invalid-character"}, RefusedError, "username"),
        (403, {"error": "HTTP 403 Forbidden"}, KeycloakError, "403"),
        (500, {"error": "unknown_error"}, KeycloakError, "500"),
    ],
)
def test_refusals_say_what_keycloak_says(status: int, body: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        client(Server({"POST /users": (status, body)})).create_user(USER)


@pytest.mark.parametrize(("status", "remedy"), [(401, "secret_accounts_client"), (503, "healthy")])
def test_a_sign_in_that_fails_has_a_remedy(status: int, remedy: str) -> None:
    with pytest.raises(UnableError) as failed:
        client(Server(token_status=status)).user_by_email("jane@example.org")
    assert remedy in failed.value.remedy


def test_keycloak_being_down_is_said() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    keycloak = Keycloak(Endpoint("192.0.2.1", 8080), "lab", "scripts", "secret", httpx.MockTransport(down))
    with pytest.raises(UnableError, match="does not answer"):
        keycloak.user_by_email("jane@example.org")


def test_listings_come_in_pages_and_hold_people_only() -> None:
    everybody = [{"id": str(number), "username": f"u{number}"} for number in range(150)]
    everybody[3]["serviceAccountClientId"] = "scripts"

    def page(request: httpx.Request) -> list[dict[str, str]]:
        first, most = int(request.url.params["first"]), int(request.url.params["max"])
        return everybody[first : first + most]

    server = Server({"GET /users": (200, page)})
    assert len(list(client(server).users())) == 149
    assert server.seen == ["GET /users"] * 2


def test_passwords_are_set_as_temporary_ones() -> None:
    sent: list[object] = []

    def keep(request: httpx.Request) -> None:
        sent.append(json.loads(request.content))

    client(Server({"PUT /users/1/reset-password": (204, keep)})).set_temporary_password("1", "abc")
    assert sent == [{"type": "password", "value": "abc", "temporary": True}]


def test_deleting_what_is_gone_is_no_error() -> None:
    client(Server()).delete_user("1")
