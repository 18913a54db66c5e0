"""What a type cannot say about a setting: ranges, forms, and settings that contradict each other."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from panoramax_ops.colours import colour_problem
from panoramax_ops.preflight.detectors import blurring_models, detectors
from panoramax_ops.preflight.engine import engine
from panoramax_ops.preflight.model import Problem
from panoramax_ops.preflight.outside import outside
from panoramax_ops.preflight.settings import Settings
from panoramax_ops.secret_store import weakness

Rule = Callable[[Settings], Iterator[Problem]]

EMAIL = re.compile(r"[^@\s<>\",;]+@[^@\s.<>\",;]+(\.[^@\s.<>\",;]+)+")
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")
SIZE = re.compile(r"([1-9][0-9]*)([kmg])")
SIZES = re.compile(r"_memory$|^keycloak_heap$|_shm_size$|^proxy_upload_buffer$|_log_max_size$")
# The least with which a service still starts and does its work, measured (docs/performance.md); in MiB.
LEAST_MEMORY = {
    "api_memory": 384,
    "api_worker_memory": 512,
    "api_detector_memory": 128,
    "blurring_memory": 768,
    "blurring_detection_memory": 256,
    "database_memory": 128,
    "keycloak_memory": 512,
    "proxy_memory": 64,
    "website_memory": 16,
}
# JVM memory beside the heap (docs of role keycloak).
KEYCLOAK_BESIDE_HEAP = 350
# Names that no public authority vouches for: reserved (RFC 2606, RFC 6761, RFC 6762), or never delegated.
PRIVATE_NAMES = re.compile(r"(^|\.)(localhost|local|internal|lan|home|corp|test|invalid|example|home\.arpa)$|^[^.]+$")

RANGES: dict[str, tuple[int, int]] = {
    "site_https_port": (1, 65535),
    "site_http_port": (1, 65535),
    "site_initial_password_days": (1, 365),
    "site_memory_min_mb": (0, 10_000_000),
    "site_disk_min_mb": (0, 1_000_000_000),
    "api_database_connections": (2, 100),
    "api_database_port": (1, 65535),
    "api_detector_timeout": (5, 3600),
    "api_processes": (1, 64),
    "api_threads": (1, 64),
    "api_workers": (1, 64),
    "api_proxies": (1, 10),
    "api_session_lifetime": (300, 2_592_000),
    "api_statement_timeout": (1, 900),
    "api_worker_job_timeout": (10, 86_400),
    "blurring_detection_threads": (0, 256),
    "blurring_foreign_timeout": (1, 86_400),
    "blurring_max_bytes": (1_000_000, 1_000_000_000),
    "blurring_max_pixels": (1_000_000, 1_000_000_000),
    "blurring_picture_timeout": (10, 86_400),
    "blurring_queue": (1, 1000),
    "blurring_queue_bytes": (1_000_000, 100_000_000_000),
    "blurring_threads": (0, 256),
    "certificate_renew_days": (1, 89),
    "container_log_max_files": (1, 100),
    "database_log_slow_queries_ms": (-1, 3_600_000),
    "database_max_connections": (40, 2000),
    "docker_engine_start_timeout": (5, 3600),
    "keycloak_database_connections": (2, 500),
    "keycloak_events_days": (1, 3650),
    "keycloak_password_length": (8, 128),
    "keycloak_session_idle": (60, 2_592_000),
    "keycloak_session_max": (300, 31_536_000),
    "proxy_hsts_seconds": (0, 63_072_000),
    "proxy_upload_max_mib": (1, 1000),
    "proxy_uploads_at_once": (1, 1000),
    "proxy_workers": (1, 64),
}


def ranges(settings: Settings) -> Iterator[Problem]:
    """Numbers within what makes sense."""
    for name, (least, most) in RANGES.items():
        number = settings.usable(name, int)
        if number is not None and not least <= number <= most:
            yield settings.problem(name, f"give a whole number from {least} to {most}")


def names(settings: Settings) -> Iterator[Problem]:
    """The site's name, its domain and its people."""
    if "site_name" in settings and not re.fullmatch(r"[a-z][a-z0-9-]{1,30}", settings.text("site_name")):
        yield settings.problem(
            "site_name", "use 2 to 31 lower-case letters, digits and dashes, beginning with a letter"
        )
    if "site_domain" in settings and (remedy := _domain_remedy(settings.text("site_domain"))):
        yield settings.problem("site_domain", remedy)
    for name, whose in (("site_admin_email", "of a person"), ("site_contact", "that is read by somebody")):
        if name in settings and not EMAIL.fullmatch(settings.text(name)):
            yield settings.problem(name, f"give an e-mail address {whose}, for example maps@example.org")
    shown = settings.text("site_admin_name")
    if "site_admin_name" in settings and ("@" in shown or len(shown.strip()) < 3):
        yield settings.problem(
            "site_admin_name",
            "this name is shown to everybody on the site; give a name of three letters or more, not an e-mail address",
        )
    for name in ("site_title", "site_operator"):
        if name in settings and not settings.text(name).strip():
            yield settings.problem(name, "everybody sees it on the landing page; give a name")


def _domain_remedy(domain: str) -> str:
    try:
        ipaddress.ip_address(domain)
        return ""
    except ValueError:
        pass
    host = urlsplit(domain if "//" in domain else f"//{domain}").hostname or ""
    host = host.rstrip(".").lower()
    meant = f": {host}" if host != domain and HOST_NAME.fullmatch(host) else ""
    if not HOST_NAME.fullmatch(domain) or re.fullmatch(r"[0-9.]+", domain):
        return f"give a host name in lower case, without https://, without a port and without a path{meant}"
    return ""


def addresses(settings: Settings) -> Iterator[Problem]:
    """Ports, addresses and networks."""
    https = settings.usable("site_https_port", int)
    if https is not None and https == settings.usable("site_http_port", int):
        yield settings.problem("site_https_port", "this is site_http_port as well; give two different ports")
    bind = settings.text("site_bind_address")
    try:
        ipaddress.ip_address(bind)
    except ValueError:
        yield settings.problem("site_bind_address", "give an address of the host, or 0.0.0.0 for all")
    subnet = settings.text("site_back_subnet")
    try:
        network = ipaddress.IPv4Network(subnet)
        fits = network.is_private and network.prefixlen == 24
    except ValueError:
        fits = False
    if not fits:
        yield settings.problem(
            "site_back_subnet", "give a private /24 network that nothing else on the host uses, e.g. 172.30.77.0/24"
        )


def links(settings: Settings) -> Iterator[Problem]:
    """Addresses of pages that people are sent to."""
    for name in ("site_operator_url", "site_terms_url", "site_licence_url"):
        address = settings.text(name)
        parts = urlsplit(address)
        if address and (parts.scheme not in ("http", "https") or not parts.hostname or " " in address):
            yield settings.problem(name, "give a full address, https://...")
    if bool(settings.text("site_licence_id")) != bool(settings.text("site_licence_url")):
        name = "site_licence_id" if settings.text("site_licence_id") else "site_licence_url"
        yield settings.problem(name, "set both site_licence_id and site_licence_url, or neither")


def looks(settings: Settings) -> Iterator[Problem]:
    """Colour and languages."""
    if problem := colour_problem(settings.text("site_colour")):
        yield settings.problem("site_colour", problem)
    languages = settings.usable("site_languages", list)
    if languages is not None and (not languages or len(set(map(str, languages))) < len(languages)):
        yield settings.problem("site_languages", "name each language once, and at least one")


def mail(settings: Settings) -> Iterator[Problem]:
    """The mail server."""
    smtp = settings.usable("site_smtp", dict)
    if not smtp:
        return
    missing = [key for key in ("host", "from") if not smtp.get(key)]
    if missing:
        yield settings.problem("site_smtp", f"{' and '.join(missing)} missing in it; {{}} sends no mail")
    if smtp.get("from") and not EMAIL.fullmatch(str(smtp["from"])):
        yield settings.problem("site_smtp", "'from' must be an e-mail address")
    if bool(smtp.get("user")) != bool(smtp.get("password")):
        yield settings.problem("site_smtp", "set both user and password, or neither")
    # The name is what the server's certificate is checked for, and what Keycloak's way out goes by.
    host = str(smtp.get("host") or "")
    if host and (not HOST_NAME.fullmatch(host.lower()) or host.replace(".", "").isdigit()):
        yield settings.problem("site_smtp", "'host' must be the server's name; its address goes into site_smtp_address")
    if not 1 <= int(smtp.get("port") or 25) <= 65535:
        yield settings.problem("site_smtp", "'port' must be between 1 and 65535, mostly 587")
    address = settings.text("site_smtp_address")
    try:
        ipaddress.IPv4Address(address or "192.0.2.1")
    except ValueError:
        yield settings.problem("site_smtp_address", "give an IPv4 address, or nothing where the DNS knows the name")
    authority = settings.text("site_smtp_ca_file")
    if authority and not Path(authority).is_file():
        yield settings.problem("site_smtp_ca_file", "there is no such file on this machine")


def mebibytes(text: str) -> int | None:
    """Size in MiB of `768m` or `2g`; None if it is no such text."""
    match = SIZE.fullmatch(text)
    if not match:
        return None
    return int(match[1]) * {"k": 1, "m": 1024, "g": 1024 * 1024}[match[2]] // 1024


def sizes(settings: Settings) -> Iterator[Problem]:
    """Memory limits: their form, the least that works, and what must fit into what."""
    for name in sorted(name for name in settings.values if SIZES.search(name) and not settings.is_wired(name)):
        size = mebibytes(settings.text(name))
        if size is None:
            yield settings.problem(name, "give a size like 768m or 2g")
        elif size < LEAST_MEMORY.get(name, 0):
            yield settings.problem(name, f"the service does not run in less than {LEAST_MEMORY[name]}m")
    # A container that is too small was named already.
    given = {name: mebibytes(settings.text(name)) or 0 for name in ("keycloak_memory", "proxy_memory")}
    if any(0 < size < LEAST_MEMORY[name] for name, size in given.items()):
        return
    heap, memory = (mebibytes(settings.text(name)) for name in ("keycloak_heap", "keycloak_memory"))
    if heap and memory and heap + KEYCLOAK_BESIDE_HEAP > memory:
        name = "keycloak_heap" if "keycloak_heap" in settings else "keycloak_memory"
        yield settings.problem(
            name, f"heap ({heap}m) and {KEYCLOAK_BESIDE_HEAP}m beside it must fit into keycloak_memory ({memory}m)"
        )
    buffer, proxy = (mebibytes(settings.text(name)) for name in ("proxy_upload_buffer", "proxy_memory"))
    if buffer and proxy and buffer >= proxy:
        name = "proxy_upload_buffer" if "proxy_upload_buffer" in settings else "proxy_memory"
        yield settings.problem(name, f"the upload buffer ({buffer}m) must be smaller than proxy_memory ({proxy}m)")


def uploads(settings: Settings) -> Iterator[Problem]:
    """What the door lets in, the blurring must take."""
    largest, taken = settings.usable("proxy_upload_max_mib", int), settings.usable("blurring_max_bytes", int)
    if largest and taken and largest * 2**20 > taken:
        yield settings.problem(
            "proxy_upload_max_mib",
            f"the blurring takes {taken // 2**20} MiB at most; raise blurring_max_bytes instead, this follows",
        )
    limits: dict[str, Any] = settings.usable("proxy_rate_limits", dict) or {}
    for name, limit in limits.items():
        rate = limit.get("rate") if isinstance(limit, dict) else None
        if rate is not None and not re.fullmatch(r"[1-9][0-9]*r/[sm]", str(rate)):
            yield settings.problem("proxy_rate_limits", f"the rate of {name} must look like 30r/m or 5r/s")


def secrets(settings: Settings) -> Iterator[Problem]:
    """Secrets that could be guessed, or that two services share."""
    seen: dict[str, str] = {}
    for name in sorted(name for name in settings.values if name.startswith("secret_")):
        value = settings.usable(name, object)
        if flaw := weakness(name, value):
            yield settings.problem(name, f"it {flaw}; remove the line, and the next deployment makes a new one")
        elif value in seen:
            yield settings.problem(name, f"it is the same as {seen[value]}; remove the line, and a new one is made")
        else:
            seen[str(value)] = name


RULES: tuple[Rule, ...] = (
    *(names, addresses, links, looks, outside, mail, engine),
    *(detectors, blurring_models, sizes, ranges, uploads, secrets),
)
