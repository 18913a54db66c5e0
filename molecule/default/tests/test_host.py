"""The host as it is before anything is deployed: systemd, ssh, Python, and no way out."""

from __future__ import annotations

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://all"]


def test_it_is_a_fresh_debian_13_that_systemd_runs(host: Host) -> None:
    assert host.system_info.distribution == "debian"
    assert host.system_info.release.startswith("13")
    assert host.check_output("ps -o comm= 1") == "systemd"
    assert host.check_output("systemctl is-system-running --wait") == "running"
    assert not host.exists("docker")


@pytest.mark.parametrize("address", ["1.1.1.1", "9.9.9.9"])
def test_it_has_no_way_out(host: Host, address: str) -> None:
    for port in (53, 80, 443):
        assert host.run(f"timeout 2 bash -c '</dev/tcp/{address}/{port}'").rc != 0, (address, port)
