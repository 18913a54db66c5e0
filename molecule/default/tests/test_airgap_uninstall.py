"""The last test: the site goes, and leaves nothing on the host."""

from __future__ import annotations

from airgap_lab import CONTROLLER, PROJECT
from testinfra.host import Host

testinfra_hosts = ["ansible://all"]


def test_uninstall_leaves_nothing_of_the_site(host: Host) -> None:
    done = CONTROLLER.run("uninstall.py", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("ps --all", "network ls", "volume ls", "images"):
        left = host.check_output(f"docker {what} --quiet --filter label=org.private-panoramax={PROJECT}")
        assert left == "", what
    assert host.check_output("docker images --quiet") == ""
    assert not host.file(f"/etc/private-panoramax/{PROJECT}").exists
    assert not CONTROLLER.state.exists()
