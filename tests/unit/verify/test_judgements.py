"""What the verifier makes of what it sees: routes, answers, settings, clients."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from panoramax_ops.errors import UnableError
from panoramax_ops.policy import METHODS, load_policy
from panoramax_ops.signing_in import SignInError, form_action
from panoramax_ops.verify.accounts import seconds_until
from panoramax_ops.verify.audit import openapi_routes, shape, unnamed
from panoramax_ops.verify.inside import judge_settings, original_of
from panoramax_ops.verify.realm import SETTINGS, _weak_client, _weak_settings
from panoramax_ops.verify.removal import quoted
from panoramax_ops.verify.requests import example, patient, refused_anonymous, refused_by_gate

ROOT = Path(__file__).resolve().parents[3]
POLICY = load_policy(ROOT / "roles" / "proxy" / "files" / "policy.yml")
GATE = '{"message": "This is closed here, or not for this account", "status_code": 403}'


def answer(status: int, text: str = "", *, method: str = "GET", path: str = "/api/x", **headers: str) -> httpx.Response:
    request = httpx.Request(method, f"https://maps.example.org{path}")
    return httpx.Response(status, text=text, headers=headers, request=request)


def test_every_example_is_a_path_that_its_rule_is_about() -> None:
    for rule in POLICY.rules:
        path = example(rule.path, "panoramax")
        assert "<" not in path
        if not any(query.always is not None for query in rule.queries):
            assert POLICY.decide(rule.methods[0], path, options=POLICY.options) == rule.who.at_gate, path


def test_routes_compare_whatever_their_parts_are_called() -> None:
    assert shape("/api/a/<uuid:b>.<format>") == shape("/api/a/{id}.{kind}") == "/api/a/*.*"
    assert unnamed(POLICY, [("GET", "/api/pictures/{anything}/hd.{x}"), ("GET", "/api"), ("GET", "/api/")]) == []
    assert unnamed(POLICY, [("PUT", "/api/pictures/{id}"), ("GET", "/api/new")]) == [
        ("GET", "/api/new"),
        ("PUT", "/api/pictures/{id}"),
    ]


def test_operations_of_a_document() -> None:
    document = {"paths": {"/a": {"get": {}, "parameters": [], "delete": {}}, "/b": {"options": {}}}}
    assert sorted(openapi_routes(document)) == [("DELETE", "/a"), ("GET", "/a")]
    assert {method for method, _ in openapi_routes(document)} <= set(METHODS)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (answer(401), True),
        (answer(404), True),
        (answer(302, location="/api/auth/login?next_url=/explore"), True),
        (answer(302, location="/signed-out?next_url=/explore"), True),
        (answer(302, location="https://evil.example/signed-out"), False),
        (answer(302, location="https://evil.example/api/auth/login"), False),
        (answer(302, location="//evil.example/api/auth/login"), False),
        (answer(302, location="/explore"), False),
        (answer(200), False),
        (answer(400), False),
        (answer(500), False),
    ],
)
def test_refused_without_a_session(given: httpx.Response, *, refused: bool) -> None:
    assert refused_anonymous(given) is refused


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (answer(403, GATE), True),
        (answer(403, method="HEAD"), True),
        (answer(403, '{"message": "You are not the owner"}'), False),
        (answer(404, GATE), False),
        (answer(404, path="/apidocs"), True),
        (answer(200, path="/apidocs"), False),
    ],
)
def test_refused_by_the_gate_itself(given: httpx.Response, *, refused: bool) -> None:
    assert refused_by_gate(given) is refused


def test_a_limit_is_waited_for_and_is_no_refusal() -> None:
    answers = iter([answer(429, **{"retry-after": "0"}), answer(200)])
    assert patient(lambda: next(answers)).status_code == 200
    with pytest.raises(UnableError, match="again and again"):
        patient(lambda: answer(429, **{"retry-after": "0"}))


GOOD = {
    "API_FORCE_AUTH_ON_UPLOAD": "true",
    "API_REGISTRATION_IS_OPEN": "false",
    "API_DEFAULT_PICTURE_VISIBILITY": "logged-only",
    "API_BLUR_URL": "http://blurring:8001",
}


def test_settings_that_keep_pictures_private() -> None:
    assert judge_settings(GOOD, api=True) == []
    worker = {name: value for name, value in GOOD.items() if "API_BLUR" in name}
    assert judge_settings(worker, api=False) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"API_FORCE_AUTH_ON_UPLOAD": "True"}, "API_FORCE_AUTH_ON_UPLOAD is True"),
        ({"API_REGISTRATION_IS_OPEN": "true"}, "API_REGISTRATION_IS_OPEN is true"),
        ({"API_DEFAULT_PICTURE_VISIBILITY": "anyone"}, "API_DEFAULT_PICTURE_VISIBILITY is anyone"),
        ({"API_BLUR_URL": ""}, "API_BLUR_URL is not set"),
        ({"API_PERMANENT_PICTURES_PUBLIC_URL": "https://x"}, "API_PERMANENT_PICTURES_PUBLIC_URL is set"),
    ],
)
def test_settings_that_do_not(change: dict[str, str], finding: str) -> None:
    (found,) = judge_settings(GOOD | change, api=True)
    assert found.startswith(finding)


def test_original_of_a_picture() -> None:
    path = "/data/geovisio/tmp/01/23/45/67/89ab-4cde-8f01-23456789abcd.jpg"
    assert original_of(path) == "01234567-89ab-4cde-8f01-23456789abcd"


CLIENT: dict[str, Any] = {
    "clientId": "geovisio",
    "standardFlowEnabled": True,
    "redirectUris": ["https://maps.example.org/api/auth/redirect"],
    "attributes": {},
}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({}, ""),
        ({"directAccessGrantsEnabled": True}, "takes passwords directly"),
        ({"implicitFlowEnabled": True}, "address line"),
        ({"attributes": {"oauth2.device.authorization.grant.enabled": "true"}}, "device flow"),
        ({"redirectUris": ["https://maps.example.org/*"]}, "leads to"),
        ({"redirectUris": ["https://maps.example.org.evil.example/x"]}, "leads to"),
    ],
)
def test_clients(change: dict[str, Any], finding: str) -> None:
    found = _weak_client(CLIENT | change, "https://maps.example.org")
    assert len(found) == bool(finding)
    assert finding in " ".join(found)


def test_each_setting_of_the_realm_is_looked_at() -> None:
    good = {name: value for name, (value, _) in SETTINGS.items()}
    good |= {"resetPasswordAllowed": False, "sslRequired": "external", "passwordPolicy": "length(14) and notEmail"}
    assert _weak_settings(good, mail=False) == []
    for name, (value, _) in SETTINGS.items():
        (found,) = _weak_settings(good | {name: not value}, mail=False)
        assert found.startswith(name)
    assert len(_weak_settings(good | {"sslRequired": "none", "passwordPolicy": "length(8)"}, mail=False)) == 2
    assert _weak_settings(good, mail=True) != []


def test_only_identifiers_get_into_sql() -> None:
    identifier = "01234567-89ab-4cde-8f01-23456789abcd"
    assert quoted([identifier]) == f"'{identifier}'"
    with pytest.raises(ValueError, match="hexadecimal"):
        quoted(["'; DROP TABLE accounts; --"])


def test_forms() -> None:
    page = answer(200, '<form id="x" method="post" action="https://maps.example.org/a?b=1&amp;c=2">')
    assert form_action(page) == "https://maps.example.org/a?b=1&c=2"
    with pytest.raises(SignInError, match="no form"):
        form_action(answer(200, "<p>"))


def test_seconds_until() -> None:
    answers = iter([False, False, True])
    assert 0.1 <= seconds_until(lambda: next(answers), time.monotonic()) < 5
