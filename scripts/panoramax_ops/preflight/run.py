"""The whole check of an inventory; needs no host and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from panoramax_ops.preflight import regularly, rules, sources, specifications
from panoramax_ops.preflight.hosts import host_problems
from panoramax_ops.preflight.model import Problem, merged
from panoramax_ops.preflight.settings import ROOT, Settings
from panoramax_ops.preflight.together import together_problems

ROLES = ROOT / "roles"


def check(
    hosts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    template: Callable[[Mapping[str, Any], Any], Any],
    directory: Path,
    *,
    secrets_are_made: bool = True,
) -> list[Problem]:
    """Everything that is wrong with an inventory.

    Args:
        hosts: variables of each host, as Ansible loaded them.
        groups: names of the hosts of each group.
        template: evaluates a value with a host's variables.
        directory: the inventory.
        secrets_are_made: whether scripts/secrets.py ran; else a missing secret is no problem yet.
    """
    options = specifications.load_options(ROLES)
    defaults = specifications.defaults(options)
    # Images are named when they are built; here only their presence counts.
    own = [path.parents[1].name for path in ROLES.glob("*/image/Dockerfile")]
    images = {name: name for name in (*options["images_names"]["default"], *own)}
    found: list[tuple[str, Problem]] = []
    everywhere: dict[str, Settings] = {}
    for host, loaded in hosts.items():
        values = {**loaded, "images_reference": images}

        def evaluate(value: Any, values: Mapping[str, Any] = values) -> Any:
            return template(values, value)

        settings = everywhere[host] = Settings(host, values, evaluate, defaults, directory)
        services = settings.usable("site_extra_services", list) or []
        required = specifications.required_names(ROLES, [service.get("role") for service in services])
        if not secrets_are_made:
            required = {name for name in required if not name.startswith("secret_")}
        found += ((host, problem) for problem in _settings_problems(settings, options, required))
    of_all = [*host_problems(groups, directory), *together_problems(groups, everywhere)]
    found += ((host, problem) for problem in of_all for host in hosts)
    return merged(found, hosts)


def _settings_problems(settings: Settings, options: specifications.Options, required: set[str]) -> Iterator[Problem]:
    yield from specifications.unknown_settings(settings, options)
    yield from specifications.missing_settings(settings, options, required)
    wrong: set[str] = set()
    for problem in specifications.wrong_types(settings, options):
        wrong.add(problem.what.split()[0].split(".")[0].split("[")[0])
        yield problem
    # What has the wrong type was said; a second sentence about the same value helps nobody.
    for rule in (*rules.RULES, *sources.RULES, *regularly.RULES):
        for problem in rule(settings):
            if problem.what.split()[0].split(".")[0] not in wrong:
                yield problem
