"""What scripts share whose commands work on a site's database: the options before the command, and the way there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from panoramax_ops.console import reported


@dataclass
class Context:
    """What stands before the command."""

    inventory: Path
    json: bool


def _keep(
    context: typer.Context,
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Keep the options for the command."""
    context.obj = Context(inventory, as_json)


def commands(about: str, example: str) -> typer.Typer:
    """A script's commands, which find a `Context` in ``context.obj``; ``about`` and ``example`` are for its help."""
    app = typer.Typer(
        help=about,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=f"Example: {example}",
        pretty_exceptions_show_locals=False,
        rich_markup_mode=None,
    )
    app.callback()(_keep)
    return app


@contextlib.contextmanager
def opened(context: typer.Context) -> Iterator[Any]:
    """The site's inventory and database, with errors reported as the caller asked for."""
    options: Context = context.obj
    with reported(options.inventory, as_json=options.json):
        # Ansible takes most of a second to import; --help does not need it.
        from panoramax_ops.opening import open_database

        with open_database(options.inventory) as found:
            yield found
