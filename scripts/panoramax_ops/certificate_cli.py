"""The commands of `scripts/certificate.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from panoramax_ops.certificates import CertificateError, load_chain, names
from panoramax_ops.console import out, print_json, reported
from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.inventory import ROOT, Inventory

# The longest that a public authority gives is 90 days (Let's Encrypt), so at least one renewal was due before this.
WARN_DAYS = 14

app = typer.Typer(
    help="Show and renew the site's certificate. Exit codes: 0 done, 1 it ends soon, 2 it could not be done.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)
InventoryOption = Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
DaysOption = Annotated[
    int | None,
    typer.Option(
        help="Renew if it is valid for fewer days than these, instead of the inventory's certificate_renew_days."
    ),
]


def _file(inventory: Inventory) -> Path:
    """The certificate that the site serves, on this machine."""
    source, keys = str(inventory.require("site_certificate")), inventory.state / "certificate"
    if source == "provided":
        return Path(str(inventory.require("site_certificate_file")))
    return keys / ("acme.crt" if source == "acme" and (keys / "acme.crt").exists() else "local.crt")


@app.command()
def show(inventory: InventoryOption, as_json: JsonOption = False) -> None:
    """Say which certificate the site has, and how long it is valid."""
    with reported(inventory, as_json=as_json):
        path = _file(Inventory(inventory))
        try:
            certificate = load_chain(path)[0]
        except CertificateError as error:
            raise UnableError(f"{error}.", f"Deploy first: make deploy INVENTORY={inventory}") from error
        ends = certificate.not_valid_after_utc
        days = (ends - datetime.now(UTC)).days
        if as_json:
            print_json({"file": str(path), "names": names(certificate), "ends": ends.isoformat(), "days": days})
        else:
            out.print(f"{path}: for {', '.join(names(certificate))}, until {ends:%Y-%m-%d %H:%M} UTC ({days} days)")
        if days < WARN_DAYS:
            remedy = f"Renew it: scripts/certificate.py renew -i {inventory}; with provided files, get new ones."
            raise RefusedError(f"It ends in {days} days.", remedy)


@app.command()
def renew(inventory: InventoryOption, days: DaysOption = None) -> None:
    """Renew the certificate if it is due, and deliver it. With provided files: deliver them anew.

    The proxy reads it at each handshake, so no request fails and nothing is restarted. Safe to repeat: the schedule
    runs it every day.
    """
    with reported(inventory, as_json=False):
        Inventory(inventory)
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            str(inventory),
            "playbooks/certificate.yml",
        ]
        if days is not None:
            command += ["-e", f'{{"certificate_renew_days": {days}}}']
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_DISPLAY_OK_HOSTS": "false"}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            raise UnableError(
                f"The certificate could not be renewed (exit {done.returncode}).",
                "The site goes on with the one it has. Mend what is said above, run again.",
            )
    show(inventory)
