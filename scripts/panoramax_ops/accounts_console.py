"""What the commands of `scripts/accounts.py` share: the options before the command, the opened site, the answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from panoramax_ops.console import out, print_json, reported

app = typer.Typer(
    help="Provision the people of a private Panoramax: nobody can register, administrators create accounts here.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Example: accounts.py -i inventories/local create jane@example.org --name "Jane Doe"',
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)

Email = Annotated[str, typer.Argument(metavar="E-MAIL", help="The person's e-mail address.")]


@dataclass
class Context:
    """What stands before the command."""

    inventory: Path
    json: bool


@app.callback()
def main(
    context: typer.Context,
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Keep the options for the command."""
    context.obj = Context(inventory, as_json)


@contextlib.contextmanager
def opened_site(context: typer.Context) -> Iterator[Any]:
    """The opened site (opening.Opened), with errors reported as the caller asked for."""
    options: Context = context.obj
    with reported(options.inventory, as_json=options.json):
        # Ansible takes most of a second to import; --help does not need it.
        from panoramax_ops.opening import open_accounts

        with open_accounts(options.inventory) as site:
            yield site


@contextlib.contextmanager
def opened(context: typer.Context) -> Iterator[Any]:
    """The opened accounts (accounts.Accounts)."""
    with opened_site(context) as site:
        yield site.accounts


def answer(context: typer.Context, sentence: str, person: Any, letter: Path | None = None) -> None:
    if context.obj.json:
        print_json({**person.as_dict(), "letter": str(letter) if letter else None})
        return
    out.print(sentence, markup=False)
    if letter:
        out.print(f"Letter: {letter} (and .html to print)", markup=False)
