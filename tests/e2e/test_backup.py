"""A site is stored while people use it, loses everything, and is put back to what the backup holds."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import docker
import pytest

from conftest import ROOT, Person, Site
from panoramax_ops.inventory import Inventory
from signing_in import SignInError, sign_in
from test_accounts_script import log_in, upload

pytestmark = pytest.mark.e2e

PROGRAM = ["restic", "--no-lock", "--password-command", "printenv SECRET"]


def play(site: Site, playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook on the site."""
    command = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), "-i", str(site.inventory), f"playbooks/{playbook}.yml"]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_is_lost_comes_back_from_a_backup(
    site: Site, engine: docker.DockerClient, new_person: Callable[..., Person], tmp_path: Path
) -> None:
    where = ["-e", f"site_backup_repository={tmp_path / 'repository'}"]
    owner, other = new_person("Bella Backup"), new_person("Olga Other")
    files = ("hd.jpg", "sd.jpg", "thumb.jpg")
    with closing(log_in(site, owner)) as session:
        picture = upload(session)
        paths = [f"/api/pictures/{picture}/{name}" for name in files]
        before = [session.get(path, follow_redirects=True).content for path in paths]
    with closing(log_in(site, other)) as session:
        assert session.get(paths[0], follow_redirects=True).content == before[0]

    # Which makes a backup before anything else; without anything new that is all.
    stored = play(site, "upgrade", *where)
    assert stored.returncode == 0, stored.stdout[-3000:] + stored.stderr[-1000:]
    assert "PLAY [Database]" in stored.stdout.partition("PLAY [Check the inventory and the hosts]")[0]
    run = re.findall(r"pictures of \S+, run (\S+?)['\"]?$", stored.stdout, re.MULTILINE)[0]
    secret = str(Inventory(site.inventory).require("secret_backup"))
    assert secret not in stored.stdout
    everything = b"".join(path.read_bytes() for path in (tmp_path / "repository").rglob("*") if path.is_file())
    assert not any(word in everything for word in (owner.email.encode(), before[2], b"JFIF", b"PGDMP"))
    listed = subprocess.run(
        [*PROGRAM, "-r", str(tmp_path / "repository"), "ls", "latest"],
        env={"SECRET": secret, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "/permanent/" in listed
    assert "/tmp/" not in listed.replace(str(tmp_path), ""), "originals are in no backup"
    left = Path("/var/lib/private-panoramax") / site.project / "backup"
    assert not left.exists(), "no dump and no password stays on the host"

    late = new_person("Lea Late")
    volume = Path(engine.volumes.get(f"{site.project}-pictures").attrs["Mountpoint"])
    for folder in ("permanent", "derivates"):
        subprocess.run(["find", str(volume / folder), "-mindepth", "1", "-delete"], check=True)

    refused = play(site, "restore", *where)
    assert refused.returncode != 0
    assert f"-e backup_overwrite={site.project}" in refused.stdout
    meant = [*where, "-e", f"backup_overwrite={site.project}"]
    unknown = play(site, "restore", *meant, "-e", "backup_run=20200101T000000Z")
    assert unknown.returncode != 0
    assert run in unknown.stdout, "which runs there are"
    with closing(log_in(site, late)) as session:
        assert session.get("/api/users/me").status_code == 200, "what is refused changes nothing"

    # As a restore leaves it that is interrupted once the site rests.
    for service in ("worker-1", "api", "keycloak"):
        engine.containers.get(f"{site.project}-{service}").stop(timeout=30)
    engine.containers.get(f"{site.project}-migrate").remove(force=True)
    restored = play(site, "restore", *meant)
    assert restored.returncode == 0, restored.stdout[-3000:] + restored.stderr[-1000:]
    for person in (owner, other):
        with closing(sign_in(site.url, site.ca, person.email, person.password)) as session:
            assert [session.get(path, follow_redirects=True).content for path in paths] == before
    with pytest.raises(SignInError):
        sign_in(site.url, site.ca, late.email, late.password, secrets.token_urlsafe(18))
    recorded = site.run("accounts.py", "--json", "log", check=False)
    assert late.email in recorded.stdout, "what administrators did is not forgotten"
    assert not left.exists()
    assert not (volume / ".fetched").exists()
    proven = site.run("verify.py", check=False)
    assert proven.returncode == 0, proven.stdout[-4000:]
