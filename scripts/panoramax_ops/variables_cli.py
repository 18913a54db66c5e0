"""The command of `scripts/variables.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panoramax_ops.console import out, reported
from panoramax_ops.errors import RefusedError
from panoramax_ops.variables_docs import update

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "variables.md"

app = typer.Typer(
    help="Look at the settings that the roles know (roles/*/meta/argument_specs.yml).",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@app.callback()
def main() -> None:
    """Keep `docs` a command of its own: typer would otherwise make the only command the program."""


@app.command()
def docs(
    document: Annotated[Path, typer.Option(help="The document with the tables.")] = DOCUMENT,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if the document is not current.")
    ] = False,
) -> None:
    """Bring docs/variables.md up to date."""
    with reported(as_json=False):
        changed = update(document, ROOT, write=not check)
        if check and changed:
            raise RefusedError(f"{document} does not say what the roles say", "Run: scripts/variables.py docs")
        out.print("Up to date." if not changed else f"{document}: brought up to date.")
