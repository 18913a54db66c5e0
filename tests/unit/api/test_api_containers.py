"""What the role hands to role ``container``."""

from __future__ import annotations

import pytest

from api_containers import FILES, files, numbered


def test_files_are_found_in_the_order_of_their_names() -> None:
    guard = [entry["path"] for entry in files(["guard/*.sql"], "/opt/x")]
    assert guard == sorted(guard)
    assert guard[0] == "/opt/x/guard/00_schema.sql"
    assert guard[-1] == "/opt/x/guard/90_seal.sql"


def test_all_programs_are_delivered() -> None:
    delivered = {entry["path"] for entry in files(["run.py", "launcher/*.py"], "/opt/x")}
    assert delivered == {f"/opt/x/{file.relative_to(FILES)}" for file in FILES.rglob("*.py")}


def test_a_pattern_without_files_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no files/nothing\.\*"):
        files(["nothing.*"], "/opt/x")


def test_workers_are_numbered() -> None:
    assert numbered(3, {"name": "worker", "memory": "1g"}) == {"name": "worker-3", "memory": "1g"}
