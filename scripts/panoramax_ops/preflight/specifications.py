"""Names and types: every setting against the specifications of the roles (meta/argument_specs.yml)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import Settings, SettingUndefinedError, is_private, relative, shown

# An operator's own variables may stand beside ours under the first prefix; Ansible's own begin with the others.
FREE_PREFIXES = ("custom_", "ansible_", "molecule_", "discovered_interpreter_")
MAGIC = frozenset(
    [
        *(
            "environment",
            "gather_subset",
            "group_names",
            "groups",
            "hostvars",
            "images_reference",
            "inventory_dir",
            "inventory_file",
        ),
        *("inventory_hostname", "inventory_hostname_short", "module_setup", "omit", "play_hosts", "playbook_dir"),
        *("role_name", "role_path", "vars"),
    ]
)
# What somebody may look for who expects an ordinary, public instance.
WISHES = (
    (
        re.compile(r"regist|sign_?up|self_service"),
        "nobody can register here; an administrator makes accounts with scripts/accounts.py create",
    ),
    (
        re.compile(r"public|anonym|guest|open_|visib|without_login"),
        "nothing can be made public here; api_default_visibility chooses between logged-only and owner-only",
    ),
)
# Where the list of choices needs a word more.
NOTES = {"api_default_visibility": "nothing can be made public here; "}
# Of these entry points no deployment reads anything.
_NOT_DEPLOYED = ("uninstall",)

Options = Mapping[str, Mapping[str, Any]]


@cache
def _load(roles: Path) -> list[tuple[str, str, Options]]:
    """Role, name and options of all entry points."""
    return [
        (path.parents[1].name, name, entry_point.get("options", {}))
        for path in sorted(roles.glob("*/meta/argument_specs.yml"))
        for name, entry_point in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].items()
    ]


def load_options(roles: Path) -> dict[str, dict[str, Any]]:
    """All options of all roles by name."""
    found: dict[str, dict[str, Any]] = {}
    for _, _, options in _load(roles):
        for name, option in options.items():
            found.setdefault(name, {}).update(option)
    return found


def required_names(roles: Path, extra: Container[str] = ()) -> set[str]:
    """Options without which a deployment cannot run. `extra`: roles of the operator's own that it runs."""
    return {
        name
        for role, entry_point, options in _load(roles)
        for name, option in options.items()
        if option.get("required")
        and entry_point not in _NOT_DEPLOYED
        and (role in extra or not (roles / role / "image").is_dir())
    }


def defaults(options: Options) -> dict[str, Any]:
    """Defaults that are plain values."""
    return {
        name: option["default"] for name, option in options.items() if "default" in option and "{{" not in str(option)
    }


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """A hint at the name that was meant."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else otherwise


def unknown_settings(settings: Settings, options: Options) -> Iterator[Problem]:
    """Variables that nothing knows: most are misspelt, and would be ignored without a word."""
    for name in sorted(settings.values):
        if name in options or name in MAGIC or name.startswith((*FREE_PREFIXES, "_")):
            continue
        wish = next((answer for pattern, answer in WISHES if pattern.search(name)), "")
        near = difflib.get_close_matches(name, list(options), n=1, cutoff=0.85 if wish else 0.6)
        hint = f"did you mean {near[0]}?" if near else wish or "variables of your own begin with custom_"
        yield Problem(settings.place(name), f"{name} is not a setting", hint)


def missing_settings(settings: Settings, options: Options, required: Iterable[str]) -> Iterator[Problem]:
    """Settings without a default that nobody sets."""
    for name in sorted(required):
        if name not in settings:
            description = " ".join(str(options[name].get("description", "")).split())
            place = settings.directory / "group_vars" / "all" / "site.yml"
            yield Problem(relative(place), f"{name} is missing", f"set it. {description}".rstrip("."))


def wrong_types(settings: Settings, options: Options) -> Iterator[Problem]:
    """Values of another type than the specification's, or not among its choices."""
    for name in sorted(set(options) & set(settings.values)):
        if settings.is_wired(name):
            continue
        try:
            value = settings.value(name)
        except SettingUndefinedError as error:
            yield Problem(settings.place(name), f"{name} cannot be evaluated", str(error))
            continue
        for path, wrong, remedy in type_problems(name, value, options[name]):
            what = path if is_private(path) else f"{path} is {shown(wrong)}"
            yield Problem(settings.place(name), what, NOTES.get(name, "") + remedy)


def type_problems(path: str, value: Any, option: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """What is wrong with a value: the path to it, the part at fault, the remedy."""
    kind = option.get("type", "str")
    if value is None:
        yield path, value, "it is empty; give a value, or remove the line for the default"
        return
    if remedy := _type_remedy(kind, value, option):
        yield path, value, remedy
        return
    if kind == "list":
        yield from _list_problems(path, value, option)
    elif kind == "dict":
        yield from _dict_problems(path, value, option.get("options"))
    elif "choices" in option and value not in option["choices"]:
        near = difflib.get_close_matches(str(value), option["choices"], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield path, value, f"give one of {', '.join(map(str, option['choices']))}{hint}"


def _type_remedy(kind: str, value: Any, option: Mapping[str, Any]) -> str:
    example = f", for example {shown(option['default'])}" if option.get("default") not in (None, "") else ""
    boolean = isinstance(value, bool)
    if kind in ("str", "path") and (boolean or isinstance(value, list | dict)):
        return "YAML reads this as true or false; put it in quotes" if boolean else f"give a text{example}"
    if kind == "int" and (boolean or not re.fullmatch(r"-?\d+", str(value))):
        return f"give a whole number{example}"
    if kind == "float" and (boolean or not re.fullmatch(r"-?\d+(\.\d+)?", str(value))):
        return f"give a number{example}"
    if kind == "bool" and not boolean:
        return "write true or false, without quotes"
    if kind == "list" and not isinstance(value, list):
        return f"give a list{example}"
    if kind == "dict" and not isinstance(value, Mapping):
        return f"give a mapping of names to values{example}"
    return ""


def _list_problems(path: str, value: list[Any], option: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    element = {"type": option.get("elements", "raw"), "options": option.get("options")}
    if "choices" in option:
        element["choices"] = option["choices"]
    for index, entry in enumerate(value):
        yield from type_problems(f"{path}[{index}]", entry, element)


def _dict_problems(path: str, value: Mapping[str, Any], options: Options | None) -> Iterator[tuple[str, Any, str]]:
    if not options:
        return
    for key in value:
        if key not in options:
            yield (
                f"{path}.{key}",
                value[key],
                f"{path} has no {key}; " + nearest(str(key), options, f"known are {', '.join(options)}"),
            )
    for key, option in options.items():
        if key in value:
            yield from type_problems(f"{path}.{key}", value[key], option)
    missing = [key for key, option in options.items() if option.get("required") and key not in value]
    if missing:
        yield path, value, f"{', '.join(missing)} missing in it (what you give replaces the default as a whole)"
