"""The command of `scripts/secrets.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panoramax_ops.console import out, print_json, reported
from panoramax_ops.secret_store import fill
from panoramax_ops.vault import AnsibleVault

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@app.command()
def main(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Make the secrets that the inventory lacks, in its group_vars/all/secrets.yml. Values are never shown.

    secrets.py -i inventories/local
    """
    path = inventory / "group_vars" / "all" / "secrets.yml"
    with reported(inventory, as_json=as_json):
        result = fill(path, AnsibleVault(path))
        if as_json:
            print_json({"file": str(path), "made": result.made, "kept": result.kept, "encrypted": result.encrypted})
        elif result.made:
            out.print(f"{path}: made {len(result.made)} of {len(result.made) + len(result.kept)} secrets", markup=False)
        else:
            out.print(f"{path}: all {len(result.kept)} secrets are there", markup=False)
        if result.mode_mended and not as_json:
            out.print("The file was readable by others; its mode is 0600 now.")
