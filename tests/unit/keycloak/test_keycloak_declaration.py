"""Role keycloak: the promises of a closed realm, read from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "keycloak"


def _tasks(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    flat: list[dict[str, Any]] = []
    for entry in entries:
        flat += _tasks(entry["block"]) if "block" in entry else [entry]
    return flat


APPLY = _tasks(yaml.safe_load((ROLE / "tasks" / "realm_apply.yml").read_text(encoding="utf-8")))
VARS = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))


def module(name: str, **match: str) -> dict[str, Any]:
    """Arguments of the one task that calls this module with these arguments."""
    found = [
        task[key]
        for task in APPLY
        for key in [f"community.general.{name}"]
        if key in task and all(task[key].get(argument) == value for argument, value in match.items())
    ]
    assert len(found) == 1, (name, match, len(found))
    arguments: dict[str, Any] = found[0]
    return arguments


def test_nobody_comes_in_but_by_an_administrator() -> None:
    realm = module("keycloak_realm", realm="{{ keycloak_realm }}")
    assert realm["registration_allowed"] is False
    assert realm["brute_force_protected"] is True
    assert realm["organizations_enabled"] is False
    assert realm["revoke_refresh_token"] is True
    # The mail server's password would stand in the diff.
    task = next(task for task in APPLY if task.get("community.general.keycloak_realm") is realm)
    assert "keycloak_smtp.password" in task["no_log"]


def test_people_change_their_password_and_their_second_step_and_nothing_else() -> None:
    enabled = {name for name, on in VARS["_keycloak_required_actions"].items() if on}
    assert enabled == {"UPDATE_PASSWORD", "CONFIGURE_TOTP", "update_user_locale"}
    closed = next(task for task in APPLY if task["name"] == "Close the clients that nobody needs")
    assert {"account", "account-console", "admin-cli"} <= set(closed["loop"])


def test_people_do_not_change_who_they_are() -> None:
    assert VARS["_keycloak_profile_permissions"]["edit"] == ["admin"]
    assert {entry["name"] for entry in VARS["_keycloak_profile_attributes"]} == {
        "username",
        "email",
        "firstName",
        "lastName",
        "group",
        "invited",
    }
    invited = VARS["_keycloak_profile_attributes"][-1]["permissions"]
    assert invited == {"view": ["admin"], "edit": ["admin"]}
    assert not any("required" in entry for entry in VARS["_keycloak_profile_attributes"])


def test_clients_have_one_way_in_each() -> None:
    api = module("keycloak_client", client_id="{{ keycloak_api_client }}")
    scripts = module("keycloak_client", client_id="{{ keycloak_accounts_client }}")
    assert api["redirect_uris"] == ["{{ keycloak_public_url }}/api/auth/redirect"]
    assert api["attributes"]["pkce.code.challenge.method"] == "S256"
    assert (api["standard_flow_enabled"], api["service_accounts_enabled"]) == (True, False)
    assert (scripts["standard_flow_enabled"], scripts["service_accounts_enabled"]) == (False, True)
    for client in (api, scripts):
        assert client["direct_access_grants_enabled"] is False
        assert client["implicit_flow_enabled"] is False
        assert client["full_scope_allowed"] is False
        assert client["public_client"] is False
        assert client["optional_client_scopes"] == []


def test_the_client_of_the_settings_page_issues_nothing_to_take_elsewhere() -> None:
    client = module("keycloak_client", client_id="{{ _keycloak_settings_client }}")
    assert client["redirect_uris"] == ["{{ keycloak_public_url }}/settings"]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert (client["direct_access_grants_enabled"], client["implicit_flow_enabled"]) == (False, False)
    assert client["full_scope_allowed"] is False
    assert client["optional_client_scopes"] == []


def test_the_scripts_manage_people_and_nothing_else() -> None:
    assert set(VARS["_keycloak_accounts_roles"]) == {"manage-users", "view-users", "query-users"}


def test_secrets_are_in_a_mounted_file_and_nowhere_else() -> None:
    [service] = VARS["_keycloak_services"]
    assert (
        service["files"]
        == "{{ _keycloak_files + _keycloak_tls_files + __keycloak_theme_files + _keycloak_truststore }}"
    )
    assert [set(entry) for entry in VARS["_keycloak_files"]] == [{"path", "secret"}]
    shown = str({key: value for key, value in service.items() if key != "files"})
    assert "password" not in shown
    assert "secret" not in shown


def test_the_way_to_the_mail_server_is_for_keycloak_alone_and_leads_nowhere_else() -> None:
    relay = VARS["_keycloak_mail_service"]
    template = (ROLE / "templates" / "mail.conf.j2").read_text(encoding="utf-8")
    assert "published_ports" not in relay
    assert template.index("allow {{ keycloak_address }};") < template.index("deny all;")
    assert template.count("proxy_pass") == 1
    assert "keycloak_smtp.password" not in template


def test_every_mail_says_the_same_in_all_languages() -> None:
    for language in ("en", "fr", "de", "es"):
        text = (ROLE / "files" / "theme" / "mail" / f"{language}.properties").read_text(encoding="utf-8")
        lines = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
        assert lines.keys() == {"executeActionsSubject", "executeActionsBody", "executeActionsBodyHtml"}
        # A straight apostrophe would quote the rest of the message.
        assert "'" not in "".join(lines.values())
        for body in ("executeActionsBody", "executeActionsBodyHtml"):
            assert all(part in lines[body] for part in ("{0}", "{2}", "{4}"))


def test_every_option_of_the_realm_belongs_to_the_declaration() -> None:
    """An option that is not in it could be changed without an apply."""
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    realm = options["argument_specs"]["realm"]["options"].keys()
    not_content = {
        "admin_url",
        "bootstrap_secret",
        "admin_secret",
        "realm",
        "record_file",
        "authority_file",
        "accept_drift",
    }
    assert {name.removeprefix("keycloak_") for name in realm} - not_content == (
        VARS["_keycloak_declaration"].keys() - {"tasks", "vars", "module"}
    )
