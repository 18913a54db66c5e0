"""The host restarts, and the site is back without anybody's help."""

from __future__ import annotations

import ssl
import subprocess
import time

import httpx
from airgap_lab import CONTROLLER, HOST, PROJECT, ROOT, SERVICES
from testinfra.host import Host

testinfra_hosts = ["ansible://all"]
PATIENCE_SECONDS = 240


def _answers() -> bool:
    """Whether the website, the API, and (by way of the login) the identity pages answer through the proxy."""
    trust = ssl.create_default_context(cafile=str(CONTROLLER.state / "ca.crt"))
    try:
        with httpx.Client(verify=trust, base_url=CONTROLLER.url, timeout=5, follow_redirects=True) as client:
            return all(client.get(page).status_code == 200 for page in ("/", "/api/configuration", "/api/auth/login"))
    except httpx.HTTPError:
        return False


def test_the_site_comes_back_by_itself(host: Host) -> None:
    assert _answers()
    # The signal that the image names makes systemd shut down in order, as `reboot` does.
    subprocess.run(["docker", "restart", "-t", "90", HOST], check=True, capture_output=True)
    started = time.monotonic()
    while not _answers():
        assert time.monotonic() - started < PATIENCE_SECONDS, "the site does not answer"
        time.sleep(1)
    seconds = time.monotonic() - started
    artefacts = ROOT / "artefacts" / "molecule-default"
    artefacts.mkdir(parents=True, exist_ok=True)
    (artefacts / "reboot.txt").write_text(f"answered {seconds:.0f} s after the host's start\n", encoding="utf-8")
    while "starting" in (states := _states(host)):
        assert time.monotonic() - started < PATIENCE_SECONDS, states
        time.sleep(2)
    assert states.count("healthy") == len(SERVICES), states
    assert "unhealthy" not in states


def _states(host: Host) -> str:
    return str(
        host.check_output(f"docker ps --filter label=org.private-panoramax={PROJECT} --format '{{{{.Status}}}}'")
    )
