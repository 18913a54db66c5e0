"""What scripts/accounts.py says before it needs a site: help, examples, JSON, refusals."""

from __future__ import annotations

import json

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from panoramax_ops.accounts_cli import app
from panoramax_ops.accounts_console import ORDER

COMMANDS = [*sorted({*ORDER} - {"tokens"}), "tokens list", "tokens create", "tokens revoke"]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})
    return done.exit_code, done.output


def test_every_command_has_its_place_in_the_help() -> None:
    assert set(getattr(get_command(app), "commands", {})) == set(ORDER)
    _, text = run("--help")
    assert text.index("  create ") < text.index("  import ") < text.index("  delete ") < text.index("  log ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_on_a_line_of_its_own(command: str) -> None:
    code, text = run("-i", "x", *command.split(), "--help")
    assert code == 0
    assert any(line.startswith(f"  accounts.py -i inventories/local {command}") for line in text.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [["--json", "-i", "nowhere", "list"], ["-i", "nowhere", "list", "--json"], ["-i", "nowhere", "--json", "list"]],
)
def test_json_may_stand_before_or_behind_the_command(arguments: list[str]) -> None:
    code, text = run(*arguments)
    assert code == 2
    assert json.loads(text)["remedy"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["list", "--state", "asleep"], "no state 'asleep'"),
        (["list", "--role", "boss"], "no role 'boss'"),
        (["log", "--since", "yesterday"], "not a day"),
        (["--me", "nobody", "list"], "not an e-mail"),
    ],
)
def test_what_needs_no_site_is_refused_without_one(arguments: list[str], part: str) -> None:
    code, text = run("--json", "-i", "nowhere", *arguments)
    assert code == 1
    assert part in json.loads(text)["error"]
