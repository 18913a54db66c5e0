"""The commands of `scripts/accounts.py`: those on one account, here, and the others."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from panoramax_ops import accounts_cli_care, accounts_cli_import, accounts_cli_tokens
from panoramax_ops.accounts_console import Email, answer, app, opened
from panoramax_ops.console import out, print_csv, print_json

# Importing the others adds their commands.
__all__ = ["accounts_cli_care", "accounts_cli_import", "accounts_cli_tokens", "app"]


@app.command()
def create(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="Name of the person; never the e-mail.")],
    role: Annotated[str, typer.Option(help="user or admin.")] = "user",
    language: Annotated[str, typer.Option(help="Language of the letter: en, fr, de or es.")] = "en",
    username: Annotated[str, typer.Option(help="Name shown to others; made of --name if left out.")] = "",
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing if the account is there.")] = False,
) -> None:
    """Create an account, with a letter that holds the initial password.

    accounts.py -i inventories/local create jane@example.org --name "Jane Doe" --role admin --language fr
    """
    with opened(context) as accounts:
        created = accounts.create(email, name, role, language, username, if_missing=if_missing)
        person = created.person
        done = f"{person.email} has an account as {person.username} ({person.role})."
        answer(context, done if created.made else f"{done} It was there already.", person, created.letter)


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only these: active, new, disabled or incomplete.")] = "",
    role: Annotated[str, typer.Option(help="Only these: user or admin.")] = "",
    text: Annotated[str, typer.Option("--like", help="Only those whose name or e-mail holds this.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV, for spreadsheets.")] = False,
) -> None:
    """List the accounts. "new" means that the initial password is still open.

    accounts.py -i inventories/local list --state new
    """
    with opened(context) as accounts:
        found = [
            person
            for person in accounts.list()
            if state in ("", person.state)
            and role in ("", person.role)
            and text.lower() in f"{person.username} {person.name} {person.email}".lower()
        ]
        if as_csv:
            print_csv([person.as_dict() for person in found])
            return
        if context.obj.json:
            print_json([person.as_dict() for person in found])
            return
        table = Table()
        for title in ("Shown as", "Name", "E-mail", "Role", "State", "Last login", "Pictures", "MB", "Tokens"):
            table.add_column(title, overflow="fold")
        for person in found:
            cells = (person.username, person.name, person.email, person.role, person.state, person.last_login[:10])
            numbers = (person.pictures, round(person.bytes / 1_000_000), person.tokens)
            table.add_row(*cells, *(str(number) for number in numbers))
        out.print(table)


@app.command()
def show(context: typer.Context, email: Email) -> None:
    """Show one account."""
    with opened(context) as accounts:
        person = accounts.show(email)
        if context.obj.json:
            print_json(person.as_dict())
            return
        for key, value in person.as_dict().items():
            out.print(f"{key:10} {value}", markup=False)


@app.command()
def disable(
    context: typer.Context,
    email: Email,
    why: Annotated[str, typer.Option(help="A reason, kept with the account.")] = "",
) -> None:
    """Cut a person off at once: logins, cookies and API tokens. Their pictures stay."""
    with opened(context) as accounts:
        person = accounts.disable(email, why)
        answer(context, f"{person.email} is disabled; everything the person held has stopped working.", person)


@app.command()
def enable(context: typer.Context, email: Email) -> None:
    """Let a disabled person in again. API tokens have to be made anew."""
    with opened(context) as accounts:
        person = accounts.enable(email)
        answer(context, f"{person.email} is enabled.", person)


@app.command("reset-password")
def reset_password(context: typer.Context, email: Email) -> None:
    """Give a person a new initial password, with a letter. Ends logins and two-step login: for a lost phone too."""
    with opened(context) as accounts:
        person, letter = accounts.reset_password(email)
        answer(context, f"{person.email} has a new initial password.", person, letter)


@app.command("set-role")
def set_role(context: typer.Context, email: Email, role: Annotated[str, typer.Argument(help="user or admin.")]) -> None:
    """Make a person an administrator, or an ordinary user again."""
    with opened(context) as accounts:
        person = accounts.set_role(email, role)
        answer(context, f"{person.email} is {person.role}.", person)


@app.command("sign-out")
def sign_out(context: typer.Context, email: Email) -> None:
    """End a person's logins at Keycloak. To cut somebody off, use disable."""
    with opened(context) as accounts:
        person = accounts.sign_out(email)
        answer(context, f"{person.email} is signed out.", person)
