"""The commands of `scripts/supply.py`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from panoramax_ops.console import err, out, print_json, reported
from panoramax_ops.errors import RefusedError, UnableError

ROOT = Path(__file__).resolve().parents[3]

# The groups of an inventory whose hosts run containers.
GROUPS = ("proxy", "app", "workers", "blurring", "database")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]

app = typer.Typer(
    help="Look after what the site is made of: versions, vulnerabilities, bills of material.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@app.callback()
def main(
    context: typer.Context,
    inventory: Annotated[Path | None, typer.Option("-i", "--inventory", help="Directory of the inventory.")] = None,
) -> None:
    """Keep the inventory for the commands that look at a site."""
    context.obj = inventory


@app.command()
def newer(
    as_json: Json = False,
    everything: Annotated[bool, typer.Option("--all", help="Show what is current, too.")] = False,
) -> None:
    """Show which pinned packages have a newer version, and the file that pins them.

    Exit code 0: all registries were asked; 2: some could not be (their packages are shown with the reason).
    Packages of Debian follow their suite: images_refresh in the inventory builds with today's.
    """
    from panoramax_ops.supply.pins import pins
    from panoramax_ops.supply.registries import NotAskedError, newest

    with reported(as_json=as_json):
        with err.status("Asking the package registries ..."):
            known = newest(pins(ROOT))
        rows = [(pin, known[pin]) for pin in sorted(known)]
        unknown = [pin for pin, found in rows if isinstance(found, NotAskedError)]
        if as_json:
            print_json(
                [
                    {
                        "kind": pin.kind,
                        "name": pin.name,
                        "pinned": pin.version,
                        "newest": None if isinstance(found, NotAskedError) else found,
                        "error": str(found) if isinstance(found, NotAskedError) else None,
                        "file": pin.file,
                    }
                    for pin, found in rows
                ]
            )
        else:
            table = Table("", "package", "pinned", "newest", "pinned in", box=box.SIMPLE)
            for pin, found in rows:
                if everything or str(found) != pin.version:
                    colour = "red" if isinstance(found, NotAskedError) else "yellow"
                    shown = "" if str(found) == pin.version else f"[{colour}]"
                    table.add_row(pin.kind, pin.name, pin.version, f"{shown}{found}", pin.file)
            if table.row_count:
                out.print(table)
            else:
                out.print(f"All {len(rows)} pinned packages are the newest.")
        raise typer.Exit(2 if unknown else 0)


@app.command()
def audit(as_json: Json = False) -> None:
    """Look for known vulnerabilities in all locked packages.

    Exit code 0: none is known; 1: some are; 2: no finding, but something could not be checked.
    """
    from panoramax_ops.supply.vulnerabilities import audit as audit_one
    from panoramax_ops.supply.vulnerabilities import lock_files

    with reported(as_json=as_json):
        with err.status("Asking about known vulnerabilities ..."), ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda path: audit_one(path, ROOT), lock_files(ROOT)))
        if as_json:
            print_json([vars(result) for result in results])
        else:
            for result in results:
                verdict = f"[red]{len(result.findings)} known[/red]" if result.findings else "none known"
                if result.unknown and not result.findings:
                    verdict = "[yellow]could not be checked[/yellow]"
                out.print(f"{result.file}: {verdict} ({result.packages} packages)")
                for line in result.findings:
                    out.print(f"  {line}", markup=False)
                if result.unknown:
                    out.print(f"  {result.unknown}", markup=False)
        if any(result.findings for result in results):
            raise typer.Exit(1)
        raise typer.Exit(2 if any(result.unknown for result in results) else 0)


@app.command()
def sbom(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Option(help="Where to write them; state/NAME/sbom if not given.")] = None,
    as_json: Json = False,
) -> None:
    """Write a bill of material (CycloneDX JSON) for each image that the site runs, and for the website's scripts."""
    from panoramax_ops.access import open_access
    from panoramax_ops.inventory import Inventory
    from panoramax_ops.supply import sbom as bills

    inventory: Path | None = context.obj
    with reported(inventory, as_json=as_json):
        if inventory is None:
            raise RefusedError("No inventory is given.", "supply.py -i inventories/NAME sbom")
        site = Inventory(inventory)
        project = str(site.require("site_name"))
        target = directory or site.state / "sbom"
        target.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        hosts = {group: site.host(group) for group in GROUPS}
        with err.status("Preparing Syft ...") as status, open_access(hosts, project) as opened:
            program = bills.syft(ROOT)
            engines = {id(access): access.engine for access in opened.values()}.values()
            for service, image, engine in bills.images(engines, project):
                status.update(f"Reading the image of {service} ...")
                written.append(target / f"{service}.cdx.json")
                bills.write(engine, image, written[-1], program)
            if not written:
                raise UnableError(f"No container of {project} is there.", "Deploy the site first: make deploy")
            status.update("Reading what is bundled into the website ...")
            written.append(target / "website-scripts.cdx.json")
            bills.write_locked(ROOT / "images" / "website", written[-1], program)
        if as_json:
            print_json([str(path) for path in written])
        else:
            for path in written:
                out.print(str(path), markup=False)
