"""The API's settings: the ways in which upstream misreads them (facts 1.2) cannot happen with what is rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api_settings import LEGACY, SETTINGS, SettingError, environment


@pytest.mark.parametrize("name", sorted(name for name in SETTINGS if "_FORCE_AUTH" in name or "REGISTRATION" in name))
def test_booleans_are_rendered_as_upstream_compares_them(name: str) -> None:
    assert environment({name: True}) == {name: "true"}
    assert environment({name: False}) == {name: "false"}


@pytest.mark.parametrize("value", ["true", "True", "yes", "1", 1, 0, None])
def test_what_only_looks_like_a_boolean_is_refused(value: Any) -> None:
    with pytest.raises(SettingError, match="API_ACCEPT_DUPLICATE must be true or false"):
        environment({}, {"API_ACCEPT_DUPLICATE": value})


@pytest.mark.parametrize("key", ["1234567890123456", "12345678901234e10", "nullnullnullnull", '"quoted" and \\ more'])
def test_a_key_stays_a_text_through_flasks_json_decoding(key: str) -> None:
    assert json.loads(environment({"FLASK_SECRET_KEY": key})["FLASK_SECRET_KEY"]) == key


def test_a_short_key_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingError, match="at least 16") as refusal:
        environment({"FLASK_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("API_FORCE_AUTH_ON_UPLOADS", "API_FORCE_AUTH_ON_UPLOAD"),
        ("API_DEFAULT_VISIBILITY", "API_DEFAULT_PICTURE_VISIBILITY"),
        ("api_log_level", "API_LOG_LEVEL"),
        ("FLASK_API_FORCE_AUTH_ON_UPLOAD", "API_FORCE_AUTH_ON_UPLOAD"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(SettingError, match=f"api_settings_extra: {name} is no setting.*{nearest}"):
        environment({}, {name: "x"})


def test_a_name_like_no_other_is_refused() -> None:
    with pytest.raises(SettingError, match=r"COFFEE is no setting of the API$"):
        environment({}, {"COFFEE": "x"})


@pytest.mark.parametrize("name", sorted(LEGACY))
def test_old_names_are_refused_with_the_new_one(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is an old name; the setting is called {LEGACY[name]}"):
        environment({}, {name: "x"})


@pytest.mark.parametrize("name", sorted(name for name, setting in SETTINGS.items() if setting.refused))
@pytest.mark.parametrize("value", ["false", False, "https://example.org"])
def test_dangerous_settings_are_refused_with_the_reason(name: str, value: Any) -> None:
    with pytest.raises(SettingError, match=f"{name} is not allowed: .{{20}}"):
        environment({}, {name: value})
    with pytest.raises(SettingError, match="is not allowed"):
        environment({name: value})


def test_the_refused_include_what_takes_access_control_away() -> None:
    refused = {name for name, setting in SETTINGS.items() if setting.refused}
    assert refused >= {
        "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL",
        "API_PERMANENT_PICTURES_PUBLIC_URL",
        "API_DERIVATES_PICTURES_PUBLIC_URL",
        "DB_HOST",
        "DB_PASSWORD",
        "FS_TMP_URL",
    }


@pytest.mark.parametrize("value", ["anyone", "ANYONE", "Logged-Only", "", None])
def test_no_visibility_but_the_two_private_ones(value: Any) -> None:
    with pytest.raises(SettingError):
        environment({}, {"API_DEFAULT_PICTURE_VISIBILITY": value})
    if value is not None:
        with pytest.raises(SettingError, match="variable: api_default_visibility"):
            environment({"API_DEFAULT_PICTURE_VISIBILITY": value})


def test_extra_cannot_override_what_the_role_decides() -> None:
    with pytest.raises(SettingError, match="API_REGISTRATION_IS_OPEN is set by"):
        environment({"API_REGISTRATION_IS_OPEN": False}, {"API_REGISTRATION_IS_OPEN": True})


@pytest.mark.parametrize("value", ["", "   ", "a\0b", None, 5])
def test_an_empty_text_is_refused_rather_than_taken_for_unset(value: Any) -> None:
    with pytest.raises(SettingError, match="OAUTH_SCOPE must be a text"):
        environment({}, {"OAUTH_SCOPE": value})


def test_the_blurring_address_has_no_slash_at_its_end() -> None:
    with pytest.raises(SettingError, match="must not end with a slash"):
        environment({"API_BLUR_URL": "http://blurring:8001/"})


def test_licence_id_and_address_belong_together() -> None:
    address = "https://creativecommons.org/licenses/by-sa/4.0/"
    assert environment({"API_PICTURES_LICENSE_SPDX_ID": "CC-BY-SA-4.0", "API_PICTURES_LICENSE_URL": address})
    with pytest.raises(SettingError, match="set both or neither"):
        environment({"API_PICTURES_LICENSE_SPDX_ID": "CC-BY-SA-4.0", "API_PICTURES_LICENSE_URL": None})


def test_numbers_have_limits() -> None:
    assert environment({"DB_STATEMENT_TIMEOUT": 30000}) == {"DB_STATEMENT_TIMEOUT": "30000"}
    for value in (True, "8h", 0, 10**9):
        with pytest.raises(SettingError, match="whole number"):
            environment({"DB_STATEMENT_TIMEOUT": value})


def test_a_worker_gets_no_secret_of_sessions_and_sign_in() -> None:
    settings = {
        "FLASK_SECRET_KEY": "k" * 40,
        "OAUTH_PROVIDER": "oidc",
        "OAUTH_CLIENT_SECRET": "s" * 40,
        "API_BLUR_URL": "http://blurring:8001",
    }
    assert environment(settings, part="worker") == {"API_BLUR_URL": "http://blurring:8001"}
    assert set(environment(settings)) == set(settings)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingError) as refusal:
        environment({}, {"SENTRY_DSN": "x", "COFFEE": 1, "API_ACCEPT_DUPLICATE": "yes"})
    assert all(name in str(refusal.value) for name in ("SENTRY_DSN", "COFFEE", "API_ACCEPT_DUPLICATE"))


def test_the_summary_is_json() -> None:
    rendered = environment({"API_SUMMARY": {"name": {"en": "Übersicht"}}})
    assert json.loads(rendered["API_SUMMARY"]) == {"name": {"en": "Übersicht"}}
