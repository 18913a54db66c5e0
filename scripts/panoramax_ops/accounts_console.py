"""What the commands of `scripts/accounts.py` share: the options before the command, the opened site, the answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from panoramax_ops import people
from panoramax_ops.console import out, print_json, reported

# In the order in which an administrator comes to need them.
ORDER = [
    "create",
    "import",
    "list",
    "show",
    "rename",
    "set-email",
    "set-role",
    "set-group",
    "disable",
    "enable",
    "sign-out",
    "reset-password",
    "reset-second-factor",
    "tokens",
    "export",
    "delete",
    "audit",
    "log",
]


class Commands(TyperGroup):
    """Takes --json behind the command as well as before it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """As the help shows them."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move it to where it is declared."""
        options = args[: args.index("--")] if "--" in args else args
        if "--json" in options:
            args.remove("--json")
            args.insert(0, "--json")
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Commands,
    help="Provision the people of a private Panoramax: nobody can register, administrators create accounts here.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Example: accounts.py -i inventories/local create jane@example.org --name "Jane Doe"',
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)

Email = Annotated[str, typer.Argument(metavar="E-MAIL", help="The person's e-mail address.")]


def one_of(*values: str) -> Callable[[], list[str]]:
    """What the shell offers for an option."""
    return lambda: list(values)


Role = Annotated[str, typer.Option(help="user or admin.", autocompletion=one_of(*people.ROLES))]
Language = Annotated[
    str, typer.Option(help="Language of the letter: en, fr, de or es.", autocompletion=one_of(*people.LANGUAGES))
]
ByLetter = Annotated[bool, typer.Option("--letter", help="Hand out a letter, although the site can send mail.")]


@dataclass
class Context:
    """What stands before the command."""

    inventory: Path
    json: bool
    me: str = ""


@app.callback()
def main(
    context: typer.Context,
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    me: Annotated[
        str, typer.Option(envvar="PANORAMAX_ME", help="E-mail of your own account, which you cannot lock out.")
    ] = "",
) -> None:
    """Keep the options for the command."""
    with reported(inventory, as_json=as_json):
        context.obj = Context(inventory, as_json, people.check_email(me) if me else "")


@contextlib.contextmanager
def opened_site(context: typer.Context) -> Iterator[Any]:
    """The opened site (opening.Opened), with errors reported as the caller asked for."""
    options: Context = context.obj
    with reported(options.inventory, as_json=options.json):
        # Ansible takes most of a second to import; --help does not need it.
        from panoramax_ops.opening import open_accounts

        with open_accounts(options.inventory, options.me) as site:
            yield site


@contextlib.contextmanager
def opened(context: typer.Context) -> Iterator[Any]:
    """The opened accounts (accounts.Accounts)."""
    with opened_site(context) as site:
        yield site.accounts


def keep_examples(commands: typer.Typer) -> None:
    """Have the help show the examples at the end of a command's description line by line, as they are typed."""
    for command in commands.registered_commands:
        if command.callback is not None and command.callback.__doc__:
            text = command.callback.__doc__
            command.callback.__doc__ = text.replace("\n\n    accounts.py", "\n\n    \b\n    accounts.py", 1)


def answer(
    context: typer.Context, sentence: str, person: Any, letter: Path | None = None, *, mailed: bool = False
) -> None:
    """Say what was done, and where the letter lies or that a mail is on its way."""
    if context.obj.json:
        print_json({**person.as_dict(), "letter": str(letter) if letter else None, "mailed": mailed})
        return
    out.print(sentence, markup=False)
    if letter:
        out.print(f"Letter: {letter} (and .html and .pdf to print)", markup=False)
    if mailed:
        out.print(f"A mail with a link to set a password is on its way to {person.email}.", markup=False)
