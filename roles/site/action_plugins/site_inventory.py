"""Action of role `site`: refuse an inventory that cannot work, with everything that is wrong with it at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.template import Templar

# The code is shared with the scripts beside the roles; at the end of the path, where it hides nothing of others.
sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts"))

from panoramax_ops.preflight.run import check


class ActionModule(ActionBase):  # type: ignore[misc]
    """Looks at the variables of all hosts; needs none of them."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Result of the task: failed with one line per problem, or ok."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        # All of the inventory, also where a run is limited to some: they make one site.
        hosts = {name: variables["hostvars"].raw_get(name) for name in variables["groups"]["all"]}

        def template(values: Mapping[str, Any], value: Any) -> Any:
            return Templar(loader=self._loader, variables=values).template(value)

        found = check(hosts, variables["groups"], template, Path(variables["inventory_dir"]))
        if found:
            result |= {"failed": True, "msg": "\n".join(str(problem) for problem in found)}
        return result
