"""A picture that is still in work must not keep clients waiting for an answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from launcher.serve import finish_interim


@pytest.mark.parametrize(("upstream", "sent"), [(102, 202), (200, 200), (404, 404)])
def test_102_is_no_last_word(upstream: int, sent: int) -> None:
    assert finish_interim(SimpleNamespace(status_code=upstream)).status_code == sent
