"""Ansible callback: how long each part of the deployment took, as JSON for the program that started the playbook."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: part_times
type: aggregate
short_description: Seconds per role, written to the file named in PART_TIMES_FILE
description:
  - A role's seconds include those of the roles that it includes.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Adds up the time between the starts of tasks, per role that the playbook names."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "part_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Begin with no part."""
        super().__init__()
        self.seconds: dict[str, float] = {}
        self.part = "start"
        self.since = time.monotonic()

    def _turn_to(self, part: str) -> None:
        now = time.monotonic()
        self.seconds[self.part] = self.seconds.get(self.part, 0.0) + now - self.since
        self.part, self.since = part, now

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play is a part until one of its roles begins."""
        self._turn_to(str(play.get_name()))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the sum of each part, in seconds."""
        del stats
        self._turn_to("end")
        if target := os.environ.get("PART_TIMES_FILE"):
            times = {part: round(seconds, 1) for part, seconds in self.seconds.items() if part != "start"}
            Path(target).write_text(json.dumps(times), encoding="utf-8")
