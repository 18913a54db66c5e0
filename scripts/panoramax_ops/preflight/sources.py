"""Where certificate and images come from: files that must be there, and settings that must go together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from panoramax_ops import certificates
from panoramax_ops.policy import PolicyError, load_policy, with_services
from panoramax_ops.preflight.engine import SGBLUR
from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.role_code import load
from panoramax_ops.preflight.rules import PRIVATE_NAMES
from panoramax_ops.preflight.settings import ROOT, Settings

PUBLIC_AUTHORITIES = ("letsencrypt.org", "zerossl.com", "pki.goog", "buypass.com")
REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-][a-z0-9]+)*)*")
PINNED = re.compile(r"[^@]+(@sha256:[0-9a-f]{64}|:[^/:@]*[0-9][^/:@]*)")


def certificate(settings: Settings) -> Iterator[Problem]:
    """The certificate: what the chosen source needs, and nothing that another source would need."""
    source = settings.text("site_certificate")
    authority = settings.text("site_certificate_ca_file")
    if authority and source == "local_ca":
        yield settings.problem(
            "site_certificate_ca_file",
            "site_certificate is local_ca, which has an authority of its own; remove this line",
        )
    elif authority and not Path(authority).is_absolute():
        yield settings.problem("site_certificate_ca_file", "give the file's whole path, beginning with /")
        return
    files = ("site_certificate_file", "site_certificate_key_file")
    if source == "provided":
        yield from _provided(settings, *files)
        return
    for name in files:
        if settings.text(name):
            yield settings.problem(
                name, f"site_certificate is {source}, which uses no file; set it to provided, or remove this line"
            )
    if source == "acme":
        yield from _acme(settings)


def _provided(settings: Settings, *names: str) -> Iterator[Problem]:
    missing = [name for name in names if not settings.text(name)]
    if missing:
        yield settings.problem("site_certificate", f"name {' and '.join(missing)} as well: PEM files on this machine")
        return
    certificate_file, key_file = (Path(settings.text(name)) for name in names)
    for name, path in zip(names, (certificate_file, key_file), strict=True):
        if not path.is_absolute():
            yield settings.problem(name, "give the file's whole path, beginning with /")
            return
    named = settings.text("site_certificate_ca_file")
    authority = Path(named) if named else None
    domain = settings.text("site_domain")
    for sentence in certificates.problems(certificate_file, key_file, domain, authority_file=authority):
        name = names[1] if key_file != certificate_file and sentence.startswith(str(key_file)) else names[0]
        if authority and str(authority) in sentence:
            name = "site_certificate_ca_file"
        yield Problem(settings.place(name), f"{name} cannot be used", sentence)


def _acme(settings: Settings) -> Iterator[Problem]:
    directory, domain = settings.text("certificate_acme_directory_url"), settings.text("site_domain")
    parts = urlsplit(directory)
    if directory and (parts.scheme != "https" or not parts.hostname):
        yield settings.problem("certificate_acme_directory_url", "give the authority's address, https://...")
        return
    public = not directory or (parts.hostname or "").endswith(PUBLIC_AUTHORITIES)
    if public and (PRIVATE_NAMES.search(domain) or re.search(r"^[0-9.]+$|:|(^|\.)example\.(org|com|net)$", domain)):
        yield settings.problem(
            "site_domain",
            "no public authority vouches for this name, so site_certificate cannot be acme; "
            "use local_ca or provided, or the name that people reach it by from outside",
        )
    if public and settings.usable("site_http_port", int) not in (80, None):
        yield settings.problem(
            "site_http_port", "the authority asks on port 80 (site_certificate is acme); set it to 80, or use local_ca"
        )


def images(settings: Settings) -> Iterator[Problem]:
    """The images: what the chosen source needs, and nothing that another source would need."""
    source = settings.text("images_source")
    archive, references = settings.text("images_archive"), settings.usable("images_registry_references", dict) or {}
    if source == "archive":
        if not archive:
            yield settings.problem("images_source", "name images_archive as well, the file on this machine")
        elif not Path(archive).is_file() and settings.is_wired("images_archive"):
            yield settings.problem(
                "images_source", "unpack a bundle and work in it, or name images_archive, the file on this machine"
            )
        elif not Path(archive).is_file():
            yield settings.problem("images_archive", "there is no such file on this machine")
    elif archive:
        yield settings.problem(
            "images_archive", f"images_source is {source}, which loads no file; set it to archive, or remove this line"
        )
    if source != "registry" and settings.text("site_blurring_engine") == SGBLUR:
        yield from _sgblur(settings)
    if source == "registry":
        yield from _registry(settings)
        yield from _references(settings, references)
    elif references:
        yield settings.problem(
            "images_registry_references",
            f"images_source is {source}, which pulls nothing; set it to registry, or remove these lines",
        )


def _sgblur(settings: Settings) -> Iterator[Problem]:
    image, example = settings.text("site_sgblur_image"), "e.g. ghcr.io/cquest/sgblur@sha256:..."
    if not image:
        yield settings.problem(
            "site_blurring_engine",
            f"name site_sgblur_image as well, the image that you have, pinned, {example}",
        )
    elif not PINNED.fullmatch(image):
        yield settings.problem(
            "site_sgblur_image", f"pin it by version or digest, {example}; 'latest' changes under the site"
        )


def _registry(settings: Settings) -> Iterator[Problem]:
    registry, authority = settings.text("images_registry"), settings.text("images_registry_ca_file")
    if registry and not REGISTRY.fullmatch(registry):
        yield settings.problem(
            "images_registry", "give an address like registry.example.org:5000/mirror, without https://"
        )
    if authority and not registry:
        yield settings.problem("images_registry_ca_file", "name the registry that it vouches for in images_registry")
    if authority:
        try:
            certificates.load_chain(Path(authority))
        except certificates.CertificateError as error:
            yield Problem(
                settings.place("images_registry_ca_file"), "images_registry_ca_file cannot be used", str(error)
            )


def _references(settings: Settings, references: dict[str, Any]) -> Iterator[Problem]:
    names = settings.usable("images_names", list) or []
    name = "images_registry_references" if references else "images_source"
    missing = [image for image in names if image not in references]
    if missing:
        yield settings.problem(
            name,
            f"images_registry_references lacks {', '.join(missing)}; give each a reference pinned by version or "
            f"digest, e.g. registry.example.org/panoramax/{missing[0]}:1.2.3",
        )
    # Of several hosts each needs some images only, and all are told of all.
    further = {str(service.get("role")) for service in settings.usable("site_extra_services", list) or []}
    if settings.text("site_blurring_engine") == SGBLUR:
        further.add(SGBLUR)
    known = sorted({*names, *settings.defaults["images_names"], *further})
    for image, reference in references.items():
        if image not in known:
            near = difflib.get_close_matches(str(image), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the site's images are {', '.join(known)}"
            yield Problem(settings.place(name), f"images_registry_references.{image} is no image of the site", hint)
        elif not PINNED.fullmatch(str(reference)):
            yield Problem(
                settings.place(name),
                f"images_registry_references.{image} is {reference}",
                f"pin it by version or digest, e.g. registry.example.org/panoramax/{image}:1.2.3; "
                "'latest' changes under the site",
            )


def api_settings(settings: Settings) -> Iterator[Problem]:
    """Further settings of the API, as role `api` knows them."""
    extra = settings.usable("api_settings_extra", dict)
    if not extra:
        return
    api = load("api", "filter_plugins/api_settings.py")
    for name, value in extra.items():
        try:
            api.environment({}, {name: value})
        except api.SettingError as error:
            sentence = str(error).removeprefix("api_settings_extra: ")
            yield Problem(settings.place("api_settings_extra"), "api_settings_extra", sentence)


def services(settings: Settings) -> Iterator[Problem]:
    """Services of the operator's own: their roles, and the paths that people reach them by."""
    declared = settings.usable("site_extra_services", list) or []
    name = "site_extra_services"
    for service in declared:
        role = str(service.get("role"))
        if not (ROOT / "roles" / role / "tasks").is_dir():
            what = f"{name}: role is {role}"
            yield Problem(
                settings.place(name), what, f"there is no such role; make roles/{role} (docs/adding-a-service.md)"
            )
        if ("path" in service) != ("address" in service):
            yield Problem(settings.place(name), f"{name}: {role}", "set both path and address, or neither")
    try:
        policy = load_policy(ROOT / "roles" / "proxy" / "files" / "policy.yml")
        with_services(policy, [service for service in declared if {"role", "path"} <= set(service)])
    except PolicyError as error:
        yield Problem(settings.place(name), name, str(error))


RULES = (certificate, images, api_settings, services)
