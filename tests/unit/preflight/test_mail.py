"""A mail server that cannot work is refused before anything is changed, with what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from panoramax_ops.preflight.rules import mail
from panoramax_ops.preflight.settings import Settings

GOOD = {"host": "mail.example.org", "from": "maps@example.org", "port": 587}


def problems(values: dict[str, Any]) -> list[str]:
    settings = Settings("localhost", values, lambda value: value, {}, Path("inventories/lab"))
    return [str(problem) for problem in mail(settings)]


@pytest.mark.parametrize("values", [{"site_smtp": {}}, {"site_smtp": GOOD}, {"site_smtp": {**GOOD, "port": 25}}])
def test_a_server_with_name_and_sender_is_enough(values: dict[str, Any]) -> None:
    assert problems({"site_smtp_address": "", "site_smtp_ca_file": "", **values}) == []


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"site_smtp": {"host": "mail.example.org"}}, "from missing"),
        ({"site_smtp": {**GOOD, "host": "192.0.2.5"}}, "site_smtp_address"),
        ({"site_smtp": {**GOOD, "host": "mail server"}}, "name"),
        ({"site_smtp": {**GOOD, "port": 70000}}, "between 1 and 65535"),
        ({"site_smtp": {**GOOD, "user": "x"}}, "both user and password"),
        ({"site_smtp": GOOD, "site_smtp_address": "mail"}, "IPv4"),
        ({"site_smtp": GOOD, "site_smtp_ca_file": "/nowhere/ca.pem"}, "no such file"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], part: str) -> None:
    found = problems({"site_smtp_address": "", "site_smtp_ca_file": "", **changes})
    assert len(found) == 1
    assert part in found[0]
