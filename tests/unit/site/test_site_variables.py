"""A setting that nothing knows is refused with the nearest known name."""

from __future__ import annotations

from pathlib import Path

from site_variables import site_unknown_variables

ROLES = str(Path(__file__).resolve().parents[3] / "roles")


def test_a_misspelt_setting_is_named_with_the_right_one() -> None:
    (finding,) = site_unknown_variables(
        ["site_domian", "site_title", "ansible_user", "custom_x", "inventory_dir"], ROLES
    )
    assert finding == "site_domian is not a setting; did you mean site_domain?"


def test_a_foreign_name_is_told_the_free_prefix() -> None:
    (finding,) = site_unknown_variables(["zzz"], ROLES)
    assert finding == "zzz is not a setting; variables of your own begin with custom_"
