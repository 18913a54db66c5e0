"""The commands of `scripts/accounts.py`: those on one account, here, and the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from panoramax_ops import accounts_cli_care, accounts_cli_import, accounts_cli_log, accounts_cli_tokens, people
from panoramax_ops.accounts_cli_tokens import tokens
from panoramax_ops.accounts_console import ByLetter, Email, Language, Role, answer, app, keep_examples, one_of, opened
from panoramax_ops.console import out, print_csv, print_json, reported
from panoramax_ops.errors import RefusedError
from panoramax_ops.person import STATES, Person

# Importing the others adds their commands.
__all__ = ["accounts_cli_care", "accounts_cli_import", "accounts_cli_log", "accounts_cli_tokens", "app"]

# Columns of a terminal that shows every column of a list without breaking names apart.
ROOMY = 120


@app.command()
def create(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="Name of the person; never the e-mail.")],
    role: Role = "user",
    language: Language = "en",
    group: Annotated[str, typer.Option(help="For example the field team; list and import go by it.")] = "",
    username: Annotated[str, typer.Option(help="Name shown to others; made of --name if left out.")] = "",
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing if the account is there.")] = False,
    letter: ByLetter = False,
) -> None:
    """Create an account, with a letter that holds the initial password.

    Where the site can send mail, the person gets a link to set a password instead.

    accounts.py -i inventories/local create jane@example.org --name "Jane Doe" --role admin --language fr
    """
    with opened(context) as accounts:
        created = accounts.create(
            email, name, role, language, username, group=group, if_missing=if_missing, by_letter=letter
        )
        person = created.person
        done = f"{person.email} has an account as {person.username} ({person.role})."
        done = done if created.made else f"{done} It was there already."
        answer(context, done, person, created.letter, mailed=created.mailed)


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(help="Only these: active, new, disabled or incomplete.", autocompletion=one_of(*STATES))
    ] = "",
    role: Role = "",
    group: Annotated[str, typer.Option(help="Only those of this group; '-' for those of none.")] = "",
    text: Annotated[str, typer.Option("--like", help="Only those whose name or e-mail holds this.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV, for spreadsheets.")] = False,
) -> None:
    """List the accounts. "new" means that the initial password is still open.

    accounts.py -i inventories/local list --state new
    accounts.py -i inventories/local list --group "Field team North" --csv
    """
    with reported(as_json=context.obj.json):
        if state and state not in STATES:
            raise RefusedError(f"There is no state {people.shown(state)}.", f"Give one of: {', '.join(STATES)}.")
        if role:
            people.check_role(role)
        wanted = "" if group == "-" else people.check_group(group).casefold()
    with opened(context) as accounts:
        found = [
            person
            for person in accounts.list()
            if state in ("", person.state)
            and role in ("", person.role)
            and (not group or person.group.casefold() == wanted)
            and text.lower() in f"{person.username} {person.name} {person.email}".lower()
        ]
        if context.obj.json:
            print_json([person.as_dict() for person in found])
            return
        if as_csv:
            print_csv([person.as_dict() for person in found])
            return
        _show(found)
        out.print(f"{len(found)} accounts" if len(found) != 1 else "1 account")


def _show(found: list[Person]) -> None:
    columns: dict[str, Callable[[Person], str]] = {
        "E-mail": lambda person: person.email,
        "Name": lambda person: person.name,
        "Shown as": lambda person: person.username,
        "Role": lambda person: person.role,
        "State": lambda person: person.state,
        "Group": lambda person: person.group,
        "Last login": lambda person: person.last_login[:10],
        "Pictures": lambda person: str(person.pictures),
        "MB": lambda person: str(round(person.bytes / 1_000_000)),
    }
    if out.width < ROOMY:
        del columns["Shown as"]
    if not any(person.group for person in found):
        del columns["Group"]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for title in columns:
        number = title in ("Pictures", "MB")
        foldable = title in ("E-mail", "Name", "Shown as", "Group")
        table.add_column(title, overflow="fold", no_wrap=not foldable, justify="right" if number else "left")
    for person in found:
        table.add_row(*(column(person).replace("[", "\\[") for column in columns.values()))
    out.print(table)


@app.command()
def show(context: typer.Context, email: Email) -> None:
    """Show one account.

    accounts.py -i inventories/local show jane@example.org
    """
    with opened(context) as accounts:
        person = accounts.show(email)
        if context.obj.json:
            print_json(person.as_dict())
            return
        for key, value in person.as_dict().items():
            out.print(f"{key:14} {value}", markup=False)


@app.command()
def disable(
    context: typer.Context,
    email: Email,
    why: Annotated[str, typer.Option(help="A reason, kept with the account.")] = "",
) -> None:
    """Cut a person off at once: logins, cookies and API tokens. Their pictures stay.

    accounts.py -i inventories/local disable jane@example.org --why "left in May"
    """
    with opened(context) as accounts:
        person = accounts.disable(email, why)
        answer(context, f"{person.email} is disabled; everything the person held has stopped working.", person)


@app.command()
def enable(context: typer.Context, email: Email) -> None:
    """Let a disabled person in again. API tokens have to be made anew.

    accounts.py -i inventories/local enable jane@example.org
    """
    with opened(context) as accounts:
        person = accounts.enable(email)
        answer(context, f"{person.email} is enabled.", person)


@app.command("reset-password")
def reset_password(context: typer.Context, email: Email, letter: ByLetter = False) -> None:
    """Give a person a new initial password, with a letter. Ends logins and two-step login: for a lost phone too.

    Where the site can send mail, the person gets a link to set a password instead.

    accounts.py -i inventories/local reset-password jane@example.org
    """
    with opened(context) as accounts:
        person, path = accounts.reset_password(email, by_letter=letter)
        sentence = "has a new initial password." if path else "has no password any more, and a link to set one."
        answer(context, f"{person.email} {sentence}", person, path, mailed=path is None)


@app.command("reset-second-factor")
def reset_second_factor(context: typer.Context, email: Email) -> None:
    """Forget a person's app for one-time codes, as after the loss of a phone. The password stays.

    accounts.py -i inventories/local reset-second-factor jane@example.org
    """
    with opened(context) as accounts:
        person = accounts.reset_second_factor(email)
        answer(context, f"{person.email} logs in with the password alone, until another app is set up.", person)


@app.command("set-role")
def set_role(
    context: typer.Context,
    email: Email,
    role: Annotated[str, typer.Argument(help="user or admin.", autocompletion=one_of(*people.ROLES))],
) -> None:
    """Make a person an administrator, or an ordinary user again.

    accounts.py -i inventories/local set-role jane@example.org admin
    """
    with opened(context) as accounts:
        person = accounts.set_role(email, role)
        answer(context, f"{person.email} is {person.role}.", person)


@app.command("sign-out")
def sign_out(context: typer.Context, email: Email) -> None:
    """End a person's logins at Keycloak. To cut somebody off, use disable.

    accounts.py -i inventories/local sign-out jane@example.org
    """
    with opened(context) as accounts:
        person = accounts.sign_out(email)
        answer(context, f"{person.email} is signed out.", person)


keep_examples(app)
keep_examples(tokens)
