"""The operator's own models, to tell and to blur: that each can be what it says it is, before anything is changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from panoramax_ops.preflight.engine import internal_host, known_hosts
from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.settings import Settings, shown

DETECTORS, BLURRING = "site_detectors", "site_blurring_models"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")
# What stands in brackets in upstream's keys, and what separates their parts.
_LABEL = re.compile(r"[^\s\[\]=|](?:[^\[\]=|\x00-\x1f\x7f]{0,98}[^\s\[\]=|])?")
RANGES: dict[str, tuple[float, float]] = {
    "threshold": (0.01, 1),
    "size": (32, 4096),
    "tiles": (1, 8),
    "overlap": (0.05, 1),
    "smallest": (1, 1000),
    "margin": (0, 2),
    "scale": (0.001, 65535),
}


def detectors(settings: Settings) -> Iterator[Problem]:
    """Name, version and source of each; a model's file must be there, and be the one that was meant."""
    yield from _entries(settings, DETECTORS, lambda entry: _wrong(settings, entry))


def blurring_models(settings: Settings) -> Iterator[Problem]:
    """The same of those whose finds are blurred, which only our own service can do."""
    yield from _entries(settings, BLURRING, _wrong_model)
    if settings.usable(BLURRING, list) and settings.text("site_blurring_engine") != "builtin":
        yield settings.problem(
            BLURRING, "leave it out where another engine blurs (site_blurring_engine), or set builtin"
        )


def _entries(
    settings: Settings, setting: str, wrong: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
) -> Iterator[Problem]:
    names: set[str] = set()

    def problem(what: str, remedy: str) -> Problem:
        return Problem(settings.place(setting), f"{setting}: {what}", remedy)

    for entry in settings.usable(setting, list) or []:
        name = str(entry.get("name"))
        if not _NAME.fullmatch(name):
            yield problem(f"name is {shown(name)}", "use 1 to 31 small letters, digits and dashes")
        elif name in names:
            yield problem(f"{name} stands there twice", "give each one a name of its own")
        names.add(name)
        for what, remedy in wrong(entry):
            yield problem(f"{name}: {what}", remedy)


def _wrong(settings: Settings, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    version = str(entry.get("version"))
    if not _VERSION.fullmatch(version):
        yield f"version is {shown(version)}", "use 1 to 40 letters, digits, dots, dashes and plus signs"
    if ("model" in entry) == ("url" in entry):
        yield ("model and url" if "model" in entry else "neither model nor url"), "give either a model or a url"
    elif "url" in entry:
        yield from _wrong_url(settings, entry)
    else:
        yield from _wrong_model(entry)


def _wrong_model(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, (least, most) in RANGES.items():
        value = entry.get(key, least)
        if isinstance(value, int | float) and not least <= value <= most:
            yield f"{key} is {value}", f"give a number from {least:g} to {most:g}"
    for key in ("mean", "deviation"):
        values = entry.get(key, [1, 1, 1])
        if len(values) != 3 or (key == "deviation" and 0 in values):
            yield f"{key} is {shown(values)}", "give three numbers, one for each colour" + ", not 0" * (key != "mean")
    labels = entry.get("labels") or []
    yield from _wrong_labels(labels)
    if strangers := sorted({str(label) for label in entry.get("only") or []} - {str(label) for label in labels}):
        yield f"only names {', '.join(strangers)}", f"give some of its labels: {', '.join(map(str, labels))}"
    yield from _wrong_file(Path(str(entry.get("model") or "")), str(entry.get("sha256") or ""))


def _wrong_url(settings: Settings, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    url = str(entry["url"])
    host = internal_host(url)
    if host is None:
        yield f"url is {shown(url)}", "give the address of a service of your own as http://NAME:PORT"
    elif host not in known_hosts(settings):
        yield (
            f"url is {shown(url)}",
            f"{host} is no service of site_extra_services, and pictures must not leave the site; declare it there",
        )
    unused = sorted(set(entry) - {"name", "version", "url"})
    if unused:
        yield f"{', '.join(unused)} beside url", "the service decides that; remove it"


def _wrong_labels(labels: list[Any]) -> Iterator[tuple[str, str]]:
    if not labels:
        yield "no labels", "name the model's classes, in their order"
    if len({str(label) for label in labels}) < len(labels):
        yield "a label stands there twice", "give each class a label of its own"
    for label in labels:
        if not _LABEL.fullmatch(str(label)):
            yield f"label {shown(str(label))}", "use 1 to 100 characters without [ ] = and |, and no space at its ends"


def _wrong_file(path: Path, checksum: str) -> Iterator[tuple[str, str]]:
    if not path.is_absolute():
        yield f"model is {path}", "give the file's whole path, beginning with /"
    elif not path.is_file():
        yield f"model is {path}", "there is no such file on this machine"
    else:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not checksum:
            yield "sha256 missing", f"once you know that it is the file that you mean: {found}"
        elif checksum != found:
            yield f"sha256 is {checksum}", f"{path} has {found}: another file than you meant, or a new version of it"
