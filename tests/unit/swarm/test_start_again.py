"""Which containers are started again after a boot: those that could not join their network, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from start_again import left_behind

FAILED = "Could not attach to network hhpxzfta002g: context deadline exceeded"


def _container(error: str, running: bool = False, policy: str = "unless-stopped") -> dict[str, Any]:
    return {"State": {"Running": running, "Error": error}, "HostConfig": {"RestartPolicy": {"Name": policy}}}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (_container(FAILED), True),
        (_container(""), False),
        (_container(FAILED, running=True), False),
        (_container(FAILED, policy="no"), False),
        (_container("OCI runtime create failed: no such file"), False),
    ],
)
def test_left_behind(container: dict[str, Any], expected: bool) -> None:
    assert left_behind(container) is expected
