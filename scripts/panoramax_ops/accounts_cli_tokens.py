"""`accounts.py tokens`: API tokens, for machines that upload, such as panoramax_cli."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from panoramax_ops import changes
from panoramax_ops.accounts_console import Email, app, opened, opened_site
from panoramax_ops.console import out, print_json
from panoramax_ops.database import Token

tokens = typer.Typer(help="API tokens, for machines that upload: list, create, revoke.", no_args_is_help=True)
app.add_typer(tokens, name="tokens")


def _as_dict(token: Token) -> dict[str, Any]:
    ends = token.ends.isoformat(timespec="seconds") if token.ends else None
    return {
        "id": str(token.id),
        "description": token.description,
        "made": token.made.isoformat(timespec="seconds"),
        "ends": ends,
    }


@tokens.command("list")
def list_(context: typer.Context, email: Email) -> None:
    """List somebody's tokens that work. The tokens themselves are never shown.

    accounts.py -i inventories/local tokens list jane@example.org
    """
    with opened(context) as accounts:
        found = [_as_dict(token) for token in changes.tokens(accounts, email)]
        if context.obj.json:
            print_json(found)
            return
        table = Table()
        for title in ("Id", "For", "Made", "Ends"):
            table.add_column(title, overflow="fold")
        for token in found:
            table.add_row(token["id"][:8], token["description"], token["made"][:10], (token["ends"] or "never")[:10])
        out.print(table)


@tokens.command()
def create(
    context: typer.Context,
    email: Email,
    purpose: Annotated[str, typer.Option("--for", help="The machine or program that will hold it.")],
    days: Annotated[int, typer.Option("--days", "--expires", help="Days for which it works, at most 365.")] = 90,
) -> None:
    """Make a token that ends by itself, in a file that only you can read. It may do what the person may do.

    accounts.py -i inventories/local tokens create jane@example.org --for "camera car 2" --days 365
    """
    with opened_site(context) as site:
        token, path = changes.create_token(
            site.accounts,
            email,
            purpose,
            days,
            str(site.inventory.require("secret_flask_key")),
            site.inventory.state / "tokens",
        )
        if context.obj.json:
            print_json({**_as_dict(token), "file": str(path)})
            return
        out.print(f"Token {str(token.id)[:8]} for {token.description} works until {token.ends:%Y-%m-%d}.", markup=False)
        out.print(f"Token: {path} (hand it over, then delete the file)", markup=False)


@tokens.command()
def revoke(
    context: typer.Context,
    email: Email,
    token: Annotated[str, typer.Argument(metavar="ID", help="The beginning of the token's id, or: all.")],
) -> None:
    """End a token, or all of somebody's tokens, at once.

    accounts.py -i inventories/local tokens revoke jane@example.org 3f2a91c0
    """
    with opened(context) as accounts:
        ended = changes.revoke(accounts, email, token)
        if context.obj.json:
            print_json([_as_dict(found) for found in ended])
            return
        out.print(f"{len(ended)} tokens ended." if len(ended) != 1 else f"Token {str(ended[0].id)[:8]} ended.")
