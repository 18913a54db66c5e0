"""`accounts.py` rename, set-email, delete, export, audit and log: looking after accounts that are there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from panoramax_ops import changes, deletion, exporting, findings
from panoramax_ops.accounts_console import Email, answer, app, opened, opened_site
from panoramax_ops.console import out, print_json
from panoramax_ops.errors import RefusedError


@app.command()
def rename(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="The new name of the person.")],
    username: Annotated[str, typer.Option(help="Name shown to others; made of --name if left out.")] = "",
) -> None:
    """Give a person another name. Counts at once, also for old pictures.

    accounts.py -i inventories/local rename jane@example.org --name "Jane Roe"
    """
    with opened(context) as accounts:
        person = changes.rename(accounts, email, name, username)
        answer(context, f"{person.email} is {person.name}, shown as {person.username}.", person)


@app.command("set-email")
def set_email(
    context: typer.Context,
    email: Email,
    new: Annotated[str, typer.Argument(metavar="NEW-E-MAIL", help="The address to log in with from now on.")],
) -> None:
    """Give a person another e-mail address to log in with.

    accounts.py -i inventories/local set-email jane@example.org jane.roe@example.org
    """
    with opened(context) as accounts:
        person = changes.set_email(accounts, email, new)
        answer(context, f"{person.username} logs in as {person.email}.", person)


@app.command("set-group")
def set_group(
    context: typer.Context,
    email: Email,
    group: Annotated[str, typer.Argument(help="The group; '' for none.")],
) -> None:
    """Put a person into another group, such as a field team.

    accounts.py -i inventories/local set-group jane@example.org "Field team North"
    """
    with opened(context) as accounts:
        person = changes.set_group(accounts, email, group)
        where = f"in the group {person.group}" if person.group else "in no group"
        answer(context, f"{person.email} is {where}.", person)


@app.command()
def delete(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="E-MAIL", help="Whom; or the id that audit names.")],
    pictures: Annotated[str, typer.Option(help="What becomes of the pictures: transfer:E-MAIL, delete or keep.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
) -> None:
    """Delete a person for good. Export first what the person asked for; to lock somebody out, use disable.

    accounts.py -i inventories/local delete jane@example.org --pictures transfer:bob@example.org
    """
    with opened_site(context) as site:
        planned = deletion.prepare(site.accounts, who, pictures)
        if not context.obj.json:
            for sentence in planned.sentences():
                out.print(f"- {sentence}", markup=False)
        if not yes:
            if context.obj.json:
                raise RefusedError("Nothing was deleted: nobody was asked.", "Add --yes.")
            if not typer.confirm("This cannot be undone. Delete?"):
                raise typer.Exit(1)
        deletion.delete(site.accounts, planned, site.files.remove_originals)
        if context.obj.json:
            print_json({"deleted": planned.email, "pictures": planned.pictures, "held": planned.holdings})
        else:
            out.print(f"{planned.email} is deleted.", markup=False)


@app.command()
def export(
    context: typer.Context,
    email: Email,
    to: Annotated[Path | None, typer.Option(help="The archive to write; in the state directory if left out.")] = None,
) -> None:
    """Write all that is stored about a person into one archive: account, metadata, pictures (GDPR, article 15).

    accounts.py -i inventories/local export jane@example.org --to jane.tar.gz
    """
    with opened_site(context) as site:
        person = site.accounts.show(email)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        target = to or site.inventory.state / "exports" / f"{person.username}-{stamp}.tar.gz"
        counts = exporting.export(site.accounts, email, target, site.files.fetch)
        if context.obj.json:
            print_json({"archive": str(target), "counts": counts})
            return
        out.print(", ".join(f"{kind.replace('_', ' ')}: {number}" for kind, number in counts.items()), markup=False)
        out.print(f"Archive: {target}", markup=False)


@app.command()
def audit(
    context: typer.Context,
    expire: Annotated[
        bool, typer.Option("--expire", help="Take away initial passwords that are too old, and used letters.")
    ] = False,
    days: Annotated[int | None, typer.Option(help="Days after which an initial password is too old.")] = None,
) -> None:
    """Show what an administrator should look at, each with the command that mends it. Exit code 1 if there is any.

    accounts.py -i inventories/local audit --expire
    """
    with opened(context) as accounts:
        limit = accounts.settings.password_days if days is None else days
        expired = findings.expire(accounts, limit) if expire else []
        found = findings.audit(accounts, limit)
        if context.obj.json:
            print_json({"expired": expired, "findings": [finding.as_dict() for finding in found]})
        else:
            for email in expired:
                out.print(f"The initial password of {email} has expired.", markup=False)
            _show(found, str(context.obj.inventory))
        if any(finding.wrong for finding in found):
            raise typer.Exit(1)


def _show(found: list[findings.Finding], inventory: str) -> None:
    for wrong, title in ((True, "To be mended"), (False, "To be known")):
        some = [finding for finding in found if finding.wrong is wrong]
        if some:
            out.print(f"[bold]{title}[/bold]")
        for finding in some:
            out.print(f"{finding.account} {finding.finding}", markup=False)
            out.print(f"    {finding.remedy.replace('INVENTORY', inventory)}", markup=False)
    if not any(finding.wrong for finding in found):
        out.print("Nothing has to be mended.")
