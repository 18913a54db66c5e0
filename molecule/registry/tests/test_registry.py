"""The site runs from what a registry holds under the official names, and refuses what it does not hold."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from testinfra.host import Host

testinfra_hosts = ["ansible://registry"]

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventories" / "molecule-registry"
MIRROR = "172.31.244.20:5000/mirror"
OFFICIAL = {
    "database": "postgis/postgis",
    "keycloak": "keycloak/keycloak",
    "api": "panoramax/api",
    "worker-1": "panoramax/api",
    "blurring": "panoramax/sgblur",
    "website": "panoramax/website",
    "proxy": "library/nginx",
}


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.parametrize("service", OFFICIAL)
def test_every_service_runs_from_the_official_name_by_digest(host: Host, service: str) -> None:
    image = host.check_output(f"docker inspect -f '{{{{.Config.Image}}}}' registry-{service}")
    assert re.fullmatch(rf"{re.escape(MIRROR)}/{OFFICIAL[service]}@sha256:[0-9a-f]{{64}}", image), image


def test_nothing_was_built_or_loaded_on_the_host(host: Host) -> None:
    names = set(host.check_output("docker images --format '{{.Repository}}'").splitlines())
    assert names == {f"{MIRROR}/{name}" for name in OFFICIAL.values()}
    assert not host.exists("debootstrap")


def test_the_site_answers_and_the_verifier_is_content(host: Host) -> None:
    context = ssl.create_default_context(cafile=str(ROOT / "state" / "molecule-registry" / "ca.crt"))
    assert httpx.get("https://panoramax.registry.test/", verify=context).status_code == 200
    # `make deploy` makes the first administrator, the playbook alone does not.
    for script in ("accounts.py create jane@example.org --name Jane --role admin", "verify.py"):
        name, *arguments = script.split()
        done = _run(".venv/bin/python", f"scripts/{name}", "-i", str(INVENTORY), *arguments)
        assert done.returncode == 0, done.stdout[-4000:]
    assert host.check_output("docker ps --filter health=unhealthy -q") == ""


def test_a_digest_that_the_registry_does_not_hold_is_refused_and_the_site_stays(host: Host) -> None:
    before = host.check_output("docker ps --no-trunc --format '{{.ID}} {{.Names}}' | sort")
    wrong = yaml.safe_load((INVENTORY / "group_vars" / "all" / "30_images.yml").read_text(encoding="utf-8"))
    wrong["images_registry_references"]["website"] = f"panoramax/website@sha256:{'0' * 64}"
    path = INVENTORY / "group_vars" / "all" / "zz_test.yml"
    path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    try:
        done = _run(".venv/bin/ansible-playbook", "-i", str(INVENTORY), "playbooks/site.yml")
    finally:
        path.unlink()
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    for words in ("panoramax/website@sha256:0000", "cannot be pulled", "images_registry_references.website"):
        assert words in said, done.stdout[-3000:]
    assert host.check_output("docker ps --no-trunc --format '{{.ID}} {{.Names}}' | sort") == before
