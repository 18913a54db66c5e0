#!/usr/bin/env python3
"""How long accounts for many people take, beside what Keycloak alone takes for the same users.

bench/accounts.py -i inventories/NAME --number 1000   (the accounts are removed again)
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "scripts"))

from panoramax_ops import deletion, people
from panoramax_ops.accounts import Accounts
from panoramax_ops.importing import Report, plan, run
from panoramax_ops.keycloak import CONNECTIONS
from panoramax_ops.opening import open_accounts
from panoramax_ops.people_file import read
from panoramax_ops.person import UPDATE_PASSWORD


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.monotonic()
    result = work()
    return round(time.monotonic() - started, 2), result


def _import(accounts: Accounts, emails: list[str], mark: str, directory: Path) -> Report:
    """What `accounts.py import --yes` does: read, check, plan, create, letters, results."""
    file = directory / f"bench-{mark}.csv"
    lines = [f"{email},Bench {mark} {number}" for number, email in enumerate(emails)]
    file.write_text("e-mail,name\n" + "\n".join(lines), encoding="utf-8")
    try:
        rows, problems = read(file)
        steps, taken = plan(accounts, rows)
        assert not problems
        assert not taken
        report = run(accounts, steps, lambda _: None, by_letter=True)
        for written in (report.table, report.letters, report.letters and report.letters.with_suffix(".html")):
            if written:
                written.unlink()
        return report
    finally:
        file.unlink()


def _together(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(work, items))


def _keycloak_alone(accounts: Accounts, mark: str, number: int) -> list[str]:
    def create(index: int) -> str:
        password = {"type": "password", "value": people.initial_password(), "temporary": True}
        return accounts.keycloak.create_user(
            {
                "username": f"alone.{mark}.{index}",
                "email": f"alone-{mark}-{index}@example.org",
                "emailVerified": True,
                "enabled": True,
                "requiredActions": [UPDATE_PASSWORD],
                "credentials": [password],
            }
        )

    return _together(create, range(number))


def main(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    number: Annotated[int, typer.Option(help="How many people.")] = 1000,
) -> None:
    """Measure, and remove what was made."""
    mark = secrets.token_hex(3)
    emails = [f"bench-{mark}-{index}@example.org" for index in range(number)]
    with open_accounts(inventory) as site:
        accounts = site.accounts
        report: Report | None = None
        alone: list[str] = []
        try:
            load = os.getloadavg()[0]
            alone_seconds, alone = _timed(lambda: _keycloak_alone(accounts, mark, number))
            seconds, report = _timed(lambda: _import(accounts, emails, mark, site.inventory.state))
            again, _ = _timed(lambda: _import(accounts, emails, mark, site.inventory.state))
        finally:
            _together(accounts.keycloak.delete_user, alone)
            there = [person.email for person in accounts.list() if person.email.startswith(f"bench-{mark}-")]
            _together(
                lambda email: deletion.delete(accounts, deletion.prepare(accounts, email, "delete"), lambda _: None),
                there,
            )
        assert report is not None
        result = {
            "people": number,
            "import_seconds": seconds,
            "repeated_import_seconds": again,
            "keycloak_alone_seconds": alone_seconds,
            "letters": report.letter_count,
            "created": report.count("created"),
            "cpus": os.cpu_count(),
            "load_before": round(load, 1),
            "load_after": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    typer.run(main)
