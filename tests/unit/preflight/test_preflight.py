"""What the check of an inventory says about single values, and about several hosts. All else: e2e/refusals.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from panoramax_ops.preflight import specifications
from panoramax_ops.preflight.model import Problem, merged
from panoramax_ops.preflight.run import ROLES
from panoramax_ops.preflight.settings import Settings, is_private, shown

OPTIONS = specifications.load_options(ROLES)


def _settings(values: dict[str, Any]) -> Settings:
    return Settings("host", values, lambda value: value, specifications.defaults(OPTIONS), Path("/inventory"))


def test_a_foreign_name_is_told_the_free_prefix() -> None:
    (problem,) = specifications.unknown_settings(_settings({"zzz": 1, "custom_x": 2, "ansible_user": "root"}), OPTIONS)
    assert str(problem) == "/inventory: zzz is not a setting: variables of your own begin with custom_"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({"type": "int"}, 5),
        ({"type": "int"}, "5"),
        ({"type": "str"}, "text"),
        ({"type": "str"}, 2026),
        ({"type": "bool"}, False),
        ({"type": "float"}, 0.5),
        ({"type": "list", "elements": "str", "choices": ["a", "b"]}, ["b"]),
        ({"type": "dict"}, {"anything": 1}),
        ({"type": "dict", "options": {"a": {"type": "int", "required": True}}}, {"a": 1}),
    ],
)
def test_a_value_of_its_type_is_no_problem(option: dict[str, Any], value: Any) -> None:
    assert list(specifications.type_problems("x", value, option)) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({"type": "int"}, True),
        ({"type": "int"}, "5m"),
        ({"type": "str"}, False),
        ({"type": "str"}, ["a"]),
        ({"type": "bool"}, "true"),
        ({"type": "float"}, "much"),
        ({"type": "list", "elements": "str", "choices": ["a", "b"]}, ["c"]),
        ({"type": "dict", "options": {"a": {"type": "int", "required": True}}}, {}),
        ({"type": "dict", "options": {"a": {"type": "int"}}}, {"b": 1}),
    ],
)
def test_a_value_of_another_type_is_one_problem(option: dict[str, Any], value: Any) -> None:
    assert len(list(specifications.type_problems("x", value, option))) == 1


def test_what_is_wrong_for_one_host_of_two_names_it() -> None:
    ours, theirs = Problem("a:1", "x is 1", "give 2"), Problem("b:1", "y is 1", "give 2")
    found = merged([("one", ours), ("one", theirs), ("two", theirs)], ["one", "two"])
    assert [str(problem) for problem in found] == ["a:1: x is 1 (for one): give 2", "b:1: y is 1: give 2"]


def test_passwords_are_not_shown() -> None:
    assert "sesame" not in shown({"host": "mail", "password": "sesame", "more": [{"secret_x": "sesame"}]})
    private = ["secret_flask_key", "site_smtp.password", "api_secret_key", "database_password_ops"]
    assert [name for name in private if not is_private(name)] == []
    assert not is_private("keycloak_password_length")


def test_every_range_is_of_a_number_and_holds_its_default() -> None:
    from panoramax_ops.preflight.rules import RANGES

    for name, (least, most) in RANGES.items():
        assert OPTIONS[name]["type"] == "int", name
        assert least <= OPTIONS[name].get("default", least) <= most, name
