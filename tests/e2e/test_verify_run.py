"""The verifier as an operator runs it: it passes the site, leaves nothing behind, and says why it cannot work."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import ROOT, Site

pytestmark = pytest.mark.e2e

Sql = Callable[..., list[list[str]]]
ACCOUNTS = "SELECT name FROM accounts WHERE name LIKE 'verification.%'"
USERS = "SELECT email FROM user_entity WHERE email LIKE '%@verification.invalid'"
SECONDS = 60


def command(site: Site, *arguments: str) -> list[str]:
    return [str(ROOT / ".venv" / "bin" / "python"), "scripts/verify.py", "-i", str(site.inventory), *arguments]


def left(database_sql: Sql) -> list[list[str]]:
    return database_sql(ACCOUNTS) + database_sql(USERS, database="keycloak")


def rows(database_sql: Sql) -> dict[str, str]:
    """How many rows the tables have that a verification writes to."""
    tables = ("accounts", "tokens", "pictures", "sequences", "upload_sets", "files", "reports", "job_queue")
    counts = {table: database_sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    return counts | {"blocked": database_sql("SELECT count(*) FROM priv.blocked_accounts")[0][0]}


def files(site: Site) -> set[str]:
    find = ["docker", "exec", f"{site.project}-api", "find", "/data/geovisio", "-type", "f"]
    return set(subprocess.run(find, capture_output=True, text=True, check=True).stdout.split())


def test_a_site_as_deployed_passes_and_nothing_is_left(site: Site, database_sql: Sql, tmp_path: Path) -> None:
    before, files_before = rows(database_sql), files(site)
    junit, page = tmp_path / "junit.xml", tmp_path / "report.html"
    since = time.monotonic()
    done = site.run("verify.py", "--json", "--junit", str(junit), "--html", str(page), check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert time.monotonic() - since < SECONDS
    report = json.loads(done.stdout)
    assert {result["verdict"] for result in report["results"]} == {"holds", "not covered"}
    assert set(report["claims"]) == {*(f"C{number}" for number in range(1, 14)), "H"}
    assert [claim for claim, verdict in report["claims"].items() if verdict == "not covered"] == ["C12"]
    assert len(ElementTree.parse(junit).findall("testsuite/testcase")) == len(report["results"])
    assert "Everything that was checked holds." in page.read_text(encoding="utf-8")
    kept = max((site.state / "reports").glob("verification-*.json"))
    assert json.loads(kept.read_text(encoding="utf-8")) == report
    assert kept.stat().st_mode & 0o777 == 0o600
    assert left(database_sql) == []
    assert (rows(database_sql), files(site)) == (before, files_before)


def test_reading_only_uploads_nothing(site: Site) -> None:
    done = site.run("verify.py", "--json", "--read-only", check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["claims"]["C6"] == "not covered"
    assert report["claims"]["C5"] == "holds in part"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interruption_leaves_nothing_for_long(site: Site, database_sql: Sql, how: signal.Signals) -> None:
    before = files(site)
    with subprocess.Popen(command(site), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        deadline = time.monotonic() + SECONDS
        # In the midst of it: the accounts are there, and something of theirs is, too.
        while not database_sql("SELECT id FROM upload_sets WHERE title = 'Verification by verify.py'"):
            assert running.poll() is None, running.stdout and running.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        running.send_signal(how)
        running.wait(timeout=SECONDS)
    if how is signal.SIGKILL:
        assert left(database_sql) != []
        assert site.run("verify.py", "--read-only", check=False).returncode == 0
    else:
        assert running.returncode == 2
    assert left(database_sql) == []
    assert not any("/tmp/" in path for path in files(site) - before)
    assert database_sql("SELECT id FROM upload_sets WHERE title = 'Verification by verify.py'") == []


def test_a_wrong_inventory_is_named(site: Site) -> None:
    missing = subprocess.run(
        [*command(site)[:-1], "inventories/nowhere"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "There is no inventory inventories/nowhere" in missing.stderr
    assert "Traceback" not in missing.stderr
