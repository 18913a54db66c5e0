"""What is made of the policy: nginx's rules and the tables of docs/security.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from panoramax_ops.policy import PolicyError, Who, load_policy
from panoramax_ops.policy_docs import BEGIN, END, tables, update, with_tables
from panoramax_ops.policy_nginx import render

ROOT = Path(__file__).resolve().parents[3]
POLICY = load_policy(ROOT / "roles" / "proxy" / "files" / "policy.yml")
RULES = render(POLICY, "panoramax")
ROW = re.compile(r'^    "~(?P<regex>.*)" (?P<value>[^ ]+);$')


def _map(variable: str) -> list[tuple[str, str]]:
    """Rows of the map that sets a variable, as nginx reads them."""
    body = RULES.partition(f" {variable} {{\n")[2].partition("}\n\n")[0]
    return [(match["regex"], match["value"]) for line in body.splitlines() if (match := ROW.match(line))]


@pytest.mark.parametrize(
    "rule", [rule for rule in POLICY.active() if rule.who is not Who.NOBODY], ids=lambda rule: rule.path
)
def test_every_open_rule_is_rendered(rule: object) -> None:
    assert (POLICY.line_regex(rule, "panoramax"), rule.who.at_gate.value) in _map("$gate")  # type: ignore[attr-defined, arg-type]


def test_nothing_else_is_open() -> None:
    rows = _map("$gate")
    assert len(rows) == len([rule for rule in POLICY.active() if rule.who is not Who.NOBODY])
    assert {value for _, value in rows} == {"anonymous", "signed_in", "administrator"}
    assert "default nobody;" in RULES
    assert all(regex.startswith("^(?:") for regex, _ in rows)


def test_limits_and_accept() -> None:
    assert [value for _, value in _map("$gate_limit_login")] == ["$gate_caller"]
    assert "/api/reports" in _map("$gate_limit_report")[0][0]
    assert {value for _, value in _map("$gate_accept")} == {'"application/json"'}


def test_the_realm_is_taken_literally() -> None:
    assert r"/oauth/realms/(?:a\.b)/" in render(POLICY, "a.b")


def test_the_document_is_current() -> None:
    assert not update(ROOT / "docs" / "security.md", POLICY, write=False), "run: scripts/policy.py docs"


def test_only_the_part_between_the_markers_changes(tmp_path: Path) -> None:
    document = tmp_path / "x.md"
    document.write_text(f"head\n{BEGIN}\nwhat was here before\n{END}\ntail\n", encoding="utf-8")
    assert update(document, POLICY)
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"head\n{BEGIN}\n")
    assert text.endswith(f"{END}\ntail\n")
    assert "what was here before" not in text
    assert not update(document, POLICY)


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(PolicyError, match="needs the lines"):
        with_tables("nothing", POLICY)


def test_every_rule_is_in_the_tables() -> None:
    text = tables(POLICY)
    assert all(f"| `{rule.path}` |" in text for rule in POLICY.rules)
