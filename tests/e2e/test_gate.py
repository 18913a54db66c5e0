"""The gate from outside: what is closed stays closed. test_gate_matrix.py asks for all of it in every spelling."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import pytest

from gate_requests import SAMPLES, exchange, request, sample, spellings
from panoramax_ops.policy import Rule, Who, load_policy

pytestmark = pytest.mark.e2e

POLICY = load_policy(Path(__file__).resolve().parents[2] / "roles" / "proxy" / "files" / "policy.yml")
RULES = [(rule, method) for rule in POLICY.active() for method in rule.methods]
CLOSED = [(rule, method) for rule, method in RULES if rule.who is Who.NOBODY]
NOT_ANONYMOUS = [(rule, method) for rule, method in RULES if rule.who is not Who.ANONYMOUS]
# 0: the connection was closed without a word.
REFUSED = {0, 400, 401, 403, 404, 405, 414, 421, 501, 505}
UUID = SAMPLES["uuid"]
# What an attacker wants most, and would try to spell in other ways.
TREASURES = [
    "/api/collections",
    "/api/search",
    f"/api/users/{UUID}/collection",
    f"/api/pictures/{UUID}/hd.jpg",
    "/api/users/",
]


class Site(Protocol):
    """What the fixture `site` tells about the deployed site."""

    @property
    def url(self) -> str: ...

    @property
    def ca(self) -> Path: ...


def _id(value: object) -> str | None:
    return f"{value.section}:{value.path}" if isinstance(value, Rule) else None


def _host(site: Site) -> str:
    return urlsplit(site.url).netloc


def _url(session: httpx.Client, path: str, query: str) -> httpx.URL:
    """An address whose query is sent as it stands."""
    return session.base_url.copy_with(path=path, query=query.encode())


def _send(site: Site, *arguments: str, body: bytes = b"", version: str = "1.1", host: str | None = None) -> int:
    method, target, *headers = arguments
    data = request(method, target, _host(site) if host is None else host, *headers, version=version, body=body)
    return exchange(site.url, str(site.ca), data).status


@pytest.mark.parametrize(("rule", "method"), NOT_ANONYMOUS, ids=_id)
def test_anonymous_is_kept_out(anonymous: httpx.Client, rule: Rule, method: str) -> None:
    answer = anonymous.request(method, sample(rule))
    if answer.status_code == 302:
        assert rule.section == "website"
        assert answer.headers["location"].startswith("/api/auth/login?next_url=/")
    else:
        assert answer.status_code in {401, 403, 404}
        assert not rule.path.startswith("/api/") or answer.json()["status_code"] == answer.status_code


@pytest.mark.parametrize(("rule", "method"), CLOSED, ids=_id)
def test_what_is_for_nobody_is_closed_for_administrators_too(admin: httpx.Client, rule: Rule, method: str) -> None:
    assert admin.request(method, sample(rule)).status_code in {403, 404}


@pytest.mark.parametrize(
    ("rule", "method"), [(rule, method) for rule, method in RULES if rule.who is Who.ADMINISTRATOR], ids=_id
)
def test_users_are_no_administrators(user: httpx.Client, rule: Rule, method: str) -> None:
    answer = user.request(method, sample(rule))
    assert answer.status_code == 403
    # Pages say so in the person's language.
    refusal = answer.text if rule.section == "website" else answer.json()["message"]
    assert ("not open" if rule.section == "website" else "closed here") in refusal


def test_signed_in_people_get_one_spelling_only(site: Site, user: httpx.Client) -> None:
    cookie = "Cookie: " + "; ".join(f"{item.name}={item.value}" for item in user.cookies.jar)
    authorization = user.headers.get("authorization")
    headers = [cookie, *([f"Authorization: {authorization}"] if authorization else [])]
    assert _send(site, "GET", "/api/collections", *headers) == 200
    opened = {
        target: status
        for target in spellings("/api/collections")
        if (status := _send(site, "GET", target, *headers)) not in REFUSED
    }
    assert opened == {}


def test_http_0_9_gets_nothing(site: Site) -> None:
    assert b"features" not in exchange(site.url, str(site.ca), b"GET /api/search\r\n").data


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1", "api:5000", "_", "localhost:1", "[::1]"]
)
def test_foreign_hosts_are_not_served(site: Site, host: str) -> None:
    assert _send(site, "GET", "/", host=host) in {400, 421}


def test_two_hosts_are_malformed(site: Site) -> None:
    assert _send(site, "GET", "/", "Host: evil.example") == 400


def test_no_certificate_for_foreign_names(site: Site) -> None:
    with pytest.raises(ssl.SSLError):
        exchange(site.url, str(site.ca), b"", server_name="evil.example")


def test_pipelined_requests_are_judged_one_by_one(site: Site) -> None:
    host = _host(site)
    data = request("GET", "/robots.txt", host, close=False) + request("GET", "/api/users/", host)
    answer = exchange(site.url, str(site.ca), data)
    assert answer.status == 200
    assert b'"status_code": 401' in answer.data


@pytest.mark.parametrize(
    "query",
    [
        "show_deleted=true",
        "show_deleted=True&limit=1",
        "limit=1&show_deleted=true",
        "limit=1&show_deleted=false&show_deleted=true",
        "%73how_deleted=true",
        "show%5Fdeleted=true",
        "limit=1&&show_deleted=true",
        "show_deleted",
        "format=rss",
        "format=csv",
        "format=json&format=csv",
        "filter=status+IN+('deleted','ready')+AND+updated+%3E+'2020-01-01'",
        "filter=%73tatus+IN+('deleted','ready')+AND",
        "filter=s%74atus%20IN",
        "filter=updated+%3E+'2020-01-01'&filter=status+IN+('deleted','ready')+AND",
    ],
)
def test_queries_that_show_too_much_are_closed(admin: httpx.Client, query: str) -> None:
    assert admin.get(_url(admin, "/api/collections", query)).status_code in {400, 403}


@pytest.mark.parametrize(
    "query", ["format=csv", "%66ormat=csv", "format=%63sv", "limit=1&format=csv", "format=json&format=csv", "format"]
)
def test_the_list_that_ignores_visibility_is_closed(admin: httpx.Client, query: str) -> None:
    assert admin.get(_url(admin, f"/api/users/{UUID}/collection", query)).status_code in {400, 403}


def test_no_csv_by_negotiation(user: httpx.Client) -> None:
    answer = user.get(f"/api/users/{UUID}/collection", headers={"Accept": "text/csv"})
    assert "csv" not in answer.headers.get("content-type", "")


@pytest.mark.parametrize("route", ["login", "logout"])
@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/%5Cevil.example",
        "\\\\evil.example",
        "/%2Fevil.example",
        "%2F%2Fevil.example",
        "%2f/evil.example",
        "https%3A%2F%2Fevil.example",
        "%68ttps://evil.example",
        "/%09/evil.example",
        "/%0A/evil.example",
        "%09//evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/explore&next_url=//evil.example",
        "/explore%0d%0aSet-Cookie:%20x=1",
        "@evil.example",
        "/%00/evil.example",
    ],
)
def test_no_open_redirect(site: Site, route: str, address: str) -> None:
    assert _send(site, "GET", f"/api/auth/{route}?next_url={address}") in {400, 403}


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "https://localhost.evil.example"]
)
def test_no_foreign_origin(site: Site, user: httpx.Client, origin: str) -> None:
    for method in ("GET", "POST"):
        answer = user.request(method, "/api/search", headers={"Origin": origin})
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    preflight = user.options("/api/search", headers={"Origin": site.url, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 403
    assert not [name for name in preflight.headers if name.startswith("access-control-")]


def test_answers_of_the_api_are_kept_by_nobody(user: httpx.Client, anonymous: httpx.Client) -> None:
    for session, path in (
        (user, "/api/collections"),
        (user, "/api/users/me"),
        (anonymous, "/api/configuration"),
        (anonymous, "/api"),
    ):
        answer = session.get(path)
        assert answer.headers["cache-control"] == "private, no-store", path
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/", "/api", "/explore", "/nothing-here", "/api/configuration", "/robots.txt", "/api/auth/login"]
)
def test_headers_of_every_answer(anonymous: httpx.Client, path: str) -> None:
    headers = anonymous.get(path).headers
    assert "max-age" in headers["strict-transport-security"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-robots-tag"].startswith("noindex")
    assert "nginx/" not in headers.get("server", "")
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src ")
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert "http" not in policy.replace("http://127.0.0.1:8111", "")


def test_configuration_says_little_to_strangers(anonymous: httpx.Client, user: httpx.Client) -> None:
    reduced = anonymous.get("/api/configuration")
    assert reduced.status_code == 200
    assert set(reduced.json()) == {"name", "auth"}
    assert set(user.get("/api/configuration").json()) > {"name", "auth"}


def test_programs_are_told_in_json_and_people_in_html(anonymous: httpx.Client) -> None:
    program, person = anonymous.get("/api/users/"), anonymous.get("/nothing-here")
    assert (program.status_code, person.status_code) == (401, 404)
    assert program.json()["status_code"] == 401
    assert program.headers["www-authenticate"].startswith("Bearer")
    assert person.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in person.headers["content-security-policy"]


def test_the_way_back_after_the_sign_in(anonymous: httpx.Client) -> None:
    answer = anonymous.get(f"/explore?seq={UUID}&pic={UUID}&focus=pic")
    assert answer.status_code == 302
    location = httpx.URL(answer.headers["location"])
    assert location.path == "/api/auth/login"
    assert location.params["next_url"] == f"/explore?seq={UUID}&pic={UUID}&focus=pic"


def test_too_large_a_file_is_refused_clearly(site: Site) -> None:
    headers = (f"Content-Length: {2**31}", "Content-Type: image/jpeg")
    data = request("POST", f"/api/upload_sets/{UUID}/files", _host(site), *headers)
    answer = exchange(site.url, str(site.ca), data)
    assert answer.status == 413
    assert b'"status_code": 413' in answer.data
    assert b"MiB" in answer.data


def test_a_large_file_is_let_through(user: httpx.Client) -> None:
    answer = user.post(f"/api/upload_sets/{UUID}/files", files={"file": ("x.jpg", bytes(8 * 2**20), "image/jpeg")})
    assert answer.status_code in {400, 404}
    assert "MiB" not in answer.text


def test_too_many_requests_are_told_to_wait(anonymous: httpx.Client) -> None:
    answers = [anonymous.post("/api/users/me/tokens") for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused, "nothing was limited"
    assert int(refused[0].headers["retry-after"]) > 0
    assert refused[0].json()["status_code"] == 429
    time.sleep(4)
    assert anonymous.post("/api/users/me/tokens").status_code == 401


def test_pages_are_asked_for_again_and_kept_by_nobody_else(user: httpx.Client) -> None:
    assert user.get("/explore").headers.get_list("cache-control") == ["private, no-cache"]


def test_http_2_and_modern_tls(site: Site) -> None:
    parts = urlsplit(site.url)
    context = ssl.create_default_context(cafile=str(site.ca))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((str(parts.hostname), parts.port or 443), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=str(parts.hostname)) as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() == "TLSv1.3"


def test_old_tls_is_refused(site: Site) -> None:
    parts = urlsplit(site.url)
    context = ssl.create_default_context(cafile=str(site.ca))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection((str(parts.hostname), parts.port or 443), timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname=str(parts.hostname))
