"""The policy file itself, its reader, and what the gate decides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from panoramax_ops.policy import PolicyError, Who, load_policy, parse_policy

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "roles" / "proxy" / "files" / "policy.yml"
POLICY = load_policy(FILE)
VERSION, *ROUTES = (Path(__file__).with_name("routes.txt")).read_text(encoding="utf-8").split("\n")
# Routes that our launcher adds to upstream's.
OUR_OWN = {
    "POST /api/users/me/known_files",
    "GET /api/admin/failed_pictures",
    "POST /api/admin/failed_pictures/retry",
}
UUID = "11111111-2222-4333-8444-555555555555"
GOOD = """
version: 1
parameters: {uuid: '[0-9a-f-]+'}
queries: {plain: {never: 'x=', why: because}}
limits: [few]
api: [{path: "/api/<uuid:id>", methods: [GET], who: signed_in, why: because}]
identity: []
website: []
"""


def test_the_list_of_routes_is_of_the_locked_version() -> None:
    locked = re.search(
        r"^geovisio==([0-9.]+)", (ROOT / "images/api/requirements.txt").read_text(encoding="utf-8"), re.M
    )
    assert locked
    assert locked.group(1) == VERSION == POLICY.version, (
        "make tests/unit/policy/routes.txt again, and decide what is new"
    )


@pytest.mark.parametrize("route", [route for route in ROUTES if route])
def test_every_route_of_the_api_is_decided(route: str) -> None:
    method, path = route.split(" ", 1)
    assert POLICY.find(method, path), f"{route}: who may use it? Say so in {FILE.relative_to(ROOT)}"


def test_no_rule_is_about_a_route_that_does_not_exist() -> None:
    named = {f"{method} {rule.path}" for rule in POLICY.rules if rule.section == "api" for method in rule.methods}
    assert named - set(ROUTES) == OUR_OWN


def test_anonymous_get_what_the_design_allows_and_no_more() -> None:
    anonymous = {rule.path for rule in POLICY.rules if rule.section == "api" and rule.who is Who.ANONYMOUS}
    assert anonymous == {
        "/api/configuration",
        "/api/auth/login",
        "/api/auth/logout",
        "/api/auth/redirect",
        "/api/auth/post_logout_redirect",
    }
    assert all(rule.methods == ("GET",) for rule in POLICY.rules if rule.path in anonymous)


@pytest.mark.parametrize(
    ("request_line", "who"),
    [
        ("GET /", "anonymous"),
        ("HEAD /api", "signed_in"),
        ("GET /api/", "signed_in"),
        ("GET /api?x=1", "signed_in"),
        ("GET /api/collections/", "nobody"),
        ("GET /api/collections?limit=10&filter=updated%20%3E%20'2020-01-01'", "signed_in"),
        ("GET /api/collections?show_deleted=true", "nobody"),
        ("GET /api/collections?a=1&show_deleted", "nobody"),
        ("GET /api/collections?not_show_deleted=1", "signed_in"),
        ("GET /api/collections?%73how_deleted=true", "nobody"),
        ("GET /api/collections?filter=status+IN+('deleted','ready')+AND", "nobody"),
        ("GET /api/collections?format=json", "signed_in"),
        ("GET /api/collections?format=json&format=rss", "nobody"),
        (f"GET /api/users/{UUID}/collection?format=csv", "nobody"),
        ("GET /api/users/me/collection?format=csv", "signed_in"),
        ("GET /api/users/me", "signed_in"),
        (f"PATCH /api/collections/{UUID}", "signed_in"),
        (f"POST /api/collections/{UUID}/prepare", "administrator"),
        ("GET /api/admin/stats", "administrator"),
        ("POST /api/transfers", "nobody"),
        ("GET /api/auth/login?next_url=%2Fsequence%2F1%3Fpic%3D2%26x%3D3%23map", "anonymous"),
        ("GET /api/auth/login?next_url=/sequence/1", "anonymous"),
        ("GET /api/auth/login?next_url=%2Fmy-photos%3Fq%3Drue%20de%20l'%C3%A9glise%20(2)", "anonymous"),
        ("GET /api/auth/login?next_url=%2Fx%0D%0ASet-Cookie:x", "nobody"),
        ("GET /api/auth/login?next_url=/%09/evil.example", "nobody"),
        ("GET /api/auth/login?next_url=", "nobody"),
        ("GET /api/auth/login?next_url=//evil.example", "nobody"),
        ("GET /api/auth/login?next_url=/%2Fevil.example", "nobody"),
        ("GET /api/auth/login?next_url=%2F%5Cevil.example", "nobody"),
        ("GET /api/auth/login?next_url=https://evil.example", "nobody"),
        ("GET /api/auth/login?next_url=/x&next_url=//evil.example", "nobody"),
        ("GET /api/map/5/3/1.mvt", "signed_in"),
        ("GET /api/map/5/3/1.pbf", "nobody"),
        ("OPTIONS /api/configuration", "nobody"),
        ("POST /api/configuration", "nobody"),
        ("get /api/configuration", "nobody"),
        ("GET //api/configuration", "nobody"),
        ("GET /api/./configuration", "nobody"),
        ("GET /x/../api/configuration", "nobody"),
        ("GET /api/configuration;x", "nobody"),
        ("GET /api%2fconfiguration", "nobody"),
        ("GET /oauth/realms/panoramax/protocol/openid-connect/auth?a=b", "anonymous"),
        ("GET /oauth/realms/master/protocol/openid-connect/auth", "nobody"),
        ("GET /oauth/admin/", "nobody"),
        ("GET /oauth/realms/panoramax/account/", "nobody"),
        ("GET /oauth/realms/panoramax/account/credentials", "nobody"),
        ("POST /oauth/realms/panoramax/protocol/openid-connect/token", "nobody"),
        ("GET /vendor/4.3.1/index.js", "anonymous"),
        ("GET /explore?pic=1&seq=2", "signed_in"),
        ("GET /permanent/ab/cd.jpg", "nobody"),
    ],
)
def test_decisions(request_line: str, who: str) -> None:
    method, target = request_line.split(" ", 1)
    assert POLICY.decide(method, target) == who


def test_options_open_what_they_name() -> None:
    assert POLICY.options == {"password_reset"}
    forgotten = ("GET", "/oauth/realms/panoramax/login-actions/reset-credentials")
    assert POLICY.decide(*forgotten) == Who.NOBODY
    assert POLICY.decide(*forgotten, options=["password_reset"]) == Who.ANONYMOUS
    with pytest.raises(PolicyError, match="unknown option of the policy: nonsense; known: password_reset"):
        POLICY.active(["nonsense"])


def test_the_smallest_policy() -> None:
    assert parse_policy(GOOD).decide("GET", "/api/0-1") == Who.SIGNED_IN


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1", "version: 1\nextra: 1", "must hold exactly"),
        ("GET", "FETCH", "/api/<uuid:id>: FETCH is none of GET"),
        ("who: signed_in", "who: someone", "who is 'someone', not one of anonymous"),
        (", why: because}]", "}]", "/api/<uuid:id>: why missing"),
        (", why: because}]", ", why: x, whi: y}]", "unknown whi"),
        (", why: because}]", ", why: x, query: [other]}]", "unknown query rule other"),
        (", why: because}]", ", why: x, limit: many}]", "limit is 'many', not one of few"),
        ("<uuid:id>", "<number:id>", "nothing under `parameters` says what <number:id> may be"),
        ('"/api', '"api', "begins with /"),
        ("[0-9a-f-]+", "[0-9", "parameters.uuid: not a regular expression"),
        ("[0-9a-f-]+", '["]+', "no quotation mark, blank or backslash"),
        ("never: 'x='", "never: 'x=', always: 'y'", "either never or always"),
        ("api: [", 'api: [{path: "/api/<uuid:id>", methods: [GET], who: nobody, why: x}, ', "named twice"),
        ("version: 1", "version: [", "not YAML"),
    ],
)
def test_a_wrong_policy_is_refused_by_name(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(PolicyError, match=re.escape(message)):
        parse_policy(GOOD.replace(old, new, 1))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nothing\.yml"):
        load_policy(tmp_path / "nothing.yml")
