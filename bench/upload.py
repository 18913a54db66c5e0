#!/usr/bin/env python3
"""Upload throughput of Share Photos in Chromium, side by side with panoramax_cli, on the same link to the same site.

bench/upload.py -i inventories/NAME --number 60 --megabytes 4   (account and pictures are removed again)

On loopback the processor sets the pace; `--megabit 50` puts a link of that speed between both and the site.
Needs a deployed site on this machine. Its workers rest meanwhile, so that blurring does not take the processor away.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import docker
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

# At the end: scripts/secrets.py has the name of a standard module.
sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from playwright.sync_api import Page, expect
from slow_link import slow_link

from browser import chromium, watched
from conftest import ARTEFACTS, Person, Site, password_in, site_of
from pictures import small_picture, unique
from test_story import NEW_PASSWORD, install_panoramax_cli, sign_in_by_hand

ROOT = Path(__file__).resolve().parents[1]
console = Console()


def padded(number: int, megabytes: float) -> bytes:
    """A picture of about that size: what cameras' pictures weigh, without the work of making real ones."""
    picture = small_picture(number)
    noise = Image.effect_noise((1600, 1200), 80)
    file = io.BytesIO()
    noise.save(file, "JPEG", quality=95, exif=Image.open(io.BytesIO(picture)).getexif())
    missing = max(0, int(megabytes * 1e6) - file.tell())
    # Behind the end of the picture, where readers do not look.
    return unique(file.getvalue()) + secrets.token_bytes(missing)


def make_pictures(folder: Path, number: int, megabytes: float) -> float:
    """Write that many pictures; their weight in MB."""
    folder.mkdir()
    for index in range(number):
        (folder / f"{index:04}.jpg").write_bytes(padded(index, megabytes))
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


def by_cli(site: Site, program: Path, token: str, folder: Path, proxy: str | None) -> float:
    """Seconds that panoramax_cli takes for the folder, from its start to its end; it does not wait for the blurring."""
    started = time.monotonic()
    environment = {**os.environ, "SSL_CERT_FILE": str(site.ca), "REQUESTS_CA_BUNDLE": str(site.ca), "NO_COLOR": "1"}
    if proxy:
        environment |= {"HTTPS_PROXY": proxy, "NO_PROXY": "", "no_proxy": ""}
    command = [str(program), "upload", "--api-url", site.url, "--token", token, str(folder)]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return time.monotonic() - started


def by_browser(page: Page, folder: Path) -> float:
    """Seconds from choosing the folder, with all checks, until everything is sent."""
    page.goto("/share-photos")
    page.locator("#title").evaluate("(title) => { title.value = 'bench'; }")
    started = time.monotonic()
    page.locator("#folder").set_input_files(str(folder))
    page.get_by_role("button", name="Upload pictures").click()
    expect(page.locator("#blurring")).to_be_visible(timeout=600_000)
    return time.monotonic() - started


@contextmanager
def resting_workers(project: str) -> Iterator[None]:
    """Let the site's workers wait."""
    workers = docker.from_env().containers.list(filters={"name": f"^{project}-worker-"})
    for worker in workers:
        worker.pause()
    try:
        yield
    finally:
        for worker in workers:
            worker.unpause()


def measure(
    site: Site, person: Person, number: int, megabytes: float, rounds: int, proxy: str | None
) -> Iterator[tuple[str, float, float]]:
    """Rounds of both in turn: which, MB, seconds."""
    program = install_panoramax_cli()
    # Chromium reaches loopback without a proxy, unless it is told not to.
    through: dict[str, object] = {"proxy": {"server": proxy, "bypass": "<-loopback>"}} if proxy else {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        chromium() as browser,
        watched(browser, site.url, ARTEFACTS, **through) as seen,
    ):
        # What was sent, and its answer lost with a network of the machine, is sent again.
        seen.expect("status of 409")
        seen.page.goto("/")
        sign_in_by_hand(seen, person.email, person.password, NEW_PASSWORD)
        token = seen.page.evaluate(
            """async () => {
                const [first] = await (await fetch('/api/users/me/tokens')).json();
                return (await (await fetch(`/api/users/me/tokens/${first.id}`)).json()).jwt_token;
            }"""
        )
        ways: dict[str, Callable[[Path], float]] = {
            "panoramax_cli": lambda folder: by_cli(site, program, token, folder, proxy),
            "browser": lambda folder: by_browser(seen.page, folder),
        }
        for turn in range(rounds):
            for name, upload in ways.items():
                folder = Path(scratch) / f"{name}-{turn}"
                weight = make_pictures(folder, number, megabytes)
                yield name, weight, upload(folder)


def main(
    inventory: Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")],
    number: Annotated[int, typer.Option(help="Pictures in a round.")] = 60,
    megabytes: Annotated[float, typer.Option(help="Size of a picture.")] = 4,
    rounds: Annotated[int, typer.Option(help="Rounds of each.")] = 3,
    megabit: Annotated[float | None, typer.Option(help="Speed of the link, in Mbit/s; without it, loopback.")] = None,
) -> None:
    """Upload by both in turn, and show how fast they were."""
    site = site_of(inventory.resolve())
    email = f"bench.upload.{secrets.token_hex(3)}@example.org"
    made = site.run("accounts.py", "--json", "create", email, "--name", f"Bench {secrets.token_hex(2)}")
    letter = Path(json.loads(made.stdout)["letter"])
    rates: dict[str, list[float]] = {}
    try:
        with resting_workers(site.project), slow_link(megabit) if megabit else nullcontext() as proxy:
            for name, weight, seconds in measure(
                site, Person(email, "", password_in(letter), letter), number, megabytes, rounds, proxy
            ):
                console.print(f"{name}: {weight:.0f} MB in {seconds:.1f} s, {weight / seconds:.1f} MB/s")
                rates.setdefault(name, []).append(weight / seconds)
    finally:
        site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)
    table = Table("way", "MB/s, median", "rounds")
    for name, found in rates.items():
        table.add_row(name, f"{statistics.median(found):.1f}", ", ".join(f"{rate:.1f}" for rate in found))
    console.print(table)
    share = statistics.median(rates["browser"]) / statistics.median(rates["panoramax_cli"])
    console.print(f"The browser reaches {share:.0%} of panoramax_cli (aim: 90 % or more).")


if __name__ == "__main__":
    typer.run(main)
