"""The verifier as an operator runs it: it passes the site, leaves nothing behind, and says why it cannot work."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from prometheus_client.parser import text_string_to_metric_families

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
    # What a shell starts in the background ignores Ctrl-C, and so do its children.
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        running = subprocess.Popen(command(site), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    finally:
        signal.signal(signal.SIGINT, heard)
    with running:
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


def test_the_playbook_hands_a_broken_claim_to_prometheus(site: Site, database_sql: Sql, tmp_path: Path) -> None:
    playbook = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), "-i", str(site.inventory), "playbooks/verify.yml"]
    try:
        database_sql("UPDATE configurations SET collaborative_metadata = true")
        with settings(site, f"site_metrics_directory: {tmp_path}"):
            done = subprocess.run(playbook, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        database_sql("UPDATE configurations SET collaborative_metadata = false")
    assert done.returncode == 2, done.stdout[-3000:]
    assert "collaborative editing t" in done.stdout
    (path,) = tmp_path.iterdir()
    assert path.name == f"panoramax_verification_{site.project}.prom"
    assert path.stat().st_mode & 0o777 == 0o644
    found = {
        (sample.name.removeprefix("panoramax_verification_"), sample.labels.get("claim", "")): sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
    }
    claims = {claim: value for (name, claim), value in found.items() if name == "claim_holds"}
    # Collaborative editing also lets others write to a sequence.
    assert [claim for claim, value in claims.items() if value != 1] == ["C1", "C2"]
    assert len(claims) == 13
    assert (found["findings", ""], found["exit_code", ""]) == (2, 1)
    assert found["certificate_not_after_timestamp_seconds", ""] > time.time()
    assert abs(found["timestamp_seconds", ""] - time.time()) < 600


@contextlib.contextmanager
def settings(site: Site, *lines: str) -> Iterator[None]:
    """The inventory with these settings on top, which are not deployed."""
    path = site.inventory / "group_vars" / "all" / "zz_test.yml"
    path.write_text("---\n" + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


def test_a_private_authority_is_trusted_where_it_is_named(site: Site, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    shutil.copy(site.ca, authority)
    with settings(site, "site_certificate: provided", f"site_certificate_ca_file: {authority}"):
        done = site.run("verify.py", "--json", "--read-only", check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "site_certificate: provided",
            ("is not from the authorities that this machine knows", "site_certificate_ca_file"),
        ),
        ("site_https_port: 9", ("localhost:9 is not reached: Connection refused", "Does the proxy run")),
        ("site_domain: nowhere.invalid", ("the name nowhere.invalid is unknown here", "Is site_domain right")),
        ("site_name: nobody", ("There is no container nobody-keycloak", "Deploy the site first")),
        ("secret_accounts_client: wrong", ("refuses the service account panoramax-accounts",)),
        ("secret_database_ops: wrong", ("password",)),
    ],
)
def test_what_keeps_it_from_working_is_named(site: Site, line: str, words: tuple[str, ...]) -> None:
    with settings(site, line):
        done = site.run("verify.py", check=False)
    assert done.returncode == 2, done.stdout[-2000:]
    output = " ".join((done.stdout + done.stderr).split())
    assert [word for word in words if word not in output] == [], output
    assert "Traceback" not in output


def test_a_missing_right_is_named(site: Site) -> None:
    """In a mount namespace of its own the engine's socket is hidden from the verifier alone."""
    hide = f"mount --bind /dev/null /var/run/docker.sock && exec {shlex.join(command(site))}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hide], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stdout[-2000:]
    assert "Docker does not answer" in done.stderr
    assert "may you use it (root, or the group docker)" in " ".join(done.stderr.split())


def test_a_wrong_inventory_is_named(site: Site) -> None:
    missing = subprocess.run(
        [*command(site)[:-1], "inventories/nowhere"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "There is no inventory inventories/nowhere" in missing.stderr
    assert "Traceback" not in missing.stderr
