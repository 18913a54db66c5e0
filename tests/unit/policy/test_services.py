"""Services of the operator's own get rules of the gate, and nothing that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoramax_ops.policy import PolicyError, Who, load_policy, with_services

POLICY = load_policy(Path(__file__).resolve().parents[3] / "roles" / "proxy" / "files" / "policy.yml")
SERVICE = {"role": "hello", "path": "/hello", "address": "hello:8000"}


@pytest.mark.parametrize("target", ["/hello", "/hello/", "/hello/a/b.html", "/hello/?x=1"])
def test_what_is_below_the_path_is_for_people_who_are_signed_in(target: str) -> None:
    assert POLICY.decide("GET", target) is Who.NOBODY
    policy = with_services(POLICY, [SERVICE])
    assert policy.decide("GET", target) is Who.SIGNED_IN
    assert policy.decide("HEAD", target) is Who.SIGNED_IN
    assert policy.decide("POST", target) is Who.NOBODY
    assert with_services(POLICY, [{**SERVICE, "who": "administrator"}]).decide("GET", target) is Who.ADMINISTRATOR


@pytest.mark.parametrize("target", ["/hellox", "/hello/../explore", "/hello//x", "/hello/.git/config", "/Hello", "/"])
def test_what_is_beside_it_is_as_before(target: str) -> None:
    assert with_services(POLICY, [SERVICE]).decide("GET", target) is POLICY.decide("GET", target)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"path": "/explore"}, "is taken"),
        ({"path": "/api"}, "is taken"),
        ({"path": "/oauth"}, "is taken"),
        ({"path": "/"}, "one segment"),
        ({"path": "/a/b"}, "one segment"),
        ({"path": "/.*"}, "one segment"),
        ({"who": "anonymous"}, "signed_in or administrator"),
    ],
)
def test_other_paths_are_refused(changed: dict[str, str], words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        with_services(POLICY, [{**SERVICE, **changed}])


def test_two_services_of_one_path_are_refused() -> None:
    with pytest.raises(PolicyError, match="is taken"):
        with_services(POLICY, [SERVICE, SERVICE])
