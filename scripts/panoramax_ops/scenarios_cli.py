"""The commands of `scripts/scenarios.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from panoramax_ops.console import out, print_json, reported
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.scenarios import Scenario, digest, is_due, load_scenarios, record_pass

ROOT = Path(__file__).resolve().parents[2]

app = typer.Typer(
    help="Run the scenarios of molecule/: whole deployments on fresh hosts. Exit code 1: one of them failed.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@app.command("list")
def list_scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Say which scenarios there are, and which have to run."""
    with reported(as_json=as_json):
        scenarios = load_scenarios(ROOT)
        due = {name: is_due(ROOT, scenario) for name, scenario in scenarios.items()}
        if as_json:
            print_json([{"name": name, "due": value} for name, value in due.items()])
            return
        for name, value in due.items():
            done = "runs on request" if scenarios[name].on_request else "passed with what it depends on"
            out.print(f"{name}: {'has to run' if value else done}")


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Those whose inputs changed since they passed.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Run scenarios one after the other, from `destroy` to `destroy`, and note those that pass."""
    with reported(as_json=False):
        known = load_scenarios(ROOT)
        if unknown := sorted(set(names or []) - set(known)):
            raise UnableError(f"There is no scenario {', '.join(unknown)}.", f"Give one of: {', '.join(known)}.")
        if [bool(names), due, everything].count(True) != 1:
            raise UnableError("Which scenarios?", f"Give --due, --all, or one of: {', '.join(known)}.")
        chosen = [s for s in known.values() if s.name in (names or []) or everything or (due and is_due(ROOT, s))]
        failed = [scenario.name for scenario in chosen if not _run(scenario)]
        if failed:
            raise RefusedError(
                f"Failed: {', '.join(failed)}.", "See above, and artefacts/molecule-NAME for what the hosts said last."
            )


def _run(scenario: Scenario) -> bool:
    passed_with = digest(ROOT, scenario)
    started = time.monotonic()
    # Molecule and Ansible find each other by the PATH; a frame around each line of output only hides it in logs.
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MOLECULE_COMMAND_BORDERS": "false",
    }
    command = ["molecule", "test", "--scenario-name", scenario.name]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    passed = done.returncode == 0
    if passed:
        record_pass(ROOT, scenario, passed_with)
    out.print(f"Scenario {scenario.name}: {'passed' if passed else 'FAILED'} after {time.monotonic() - started:.0f} s")
    return passed
