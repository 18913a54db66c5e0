"""What an anonymous caller gets from the site: nothing but the landing page and the way to sign in."""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from panoramax_ops.policy import Rule, Who, load_policy
from panoramax_ops.verify.model import Check, ClaimBrokenError, Target

IDENTIFIER = "00000000-0000-4000-8000-00000000dead"
# What stands in for the parts of a path, by name or converter; what is not here is a word.
PARTS = {"uuid": IDENTIFIER, "int": "1", "format": "jpg", "col": "0", "row": "0", "lang": "en"}
DENIED = frozenset({400, 401, 403, 404, 405, 421, 429})
CERTIFICATE_DAYS = 14


def tls_context(target: Target) -> ssl.SSLContext:
    """Trust in the site's own authority where it has one, else in the system's."""
    return ssl.create_default_context(cafile=str(target.ca) if target.ca else None)


def client(target: Target) -> httpx.Client:
    """An anonymous client that follows no redirect and uses no proxy of this machine."""
    return httpx.Client(base_url=target.url, verify=tls_context(target), trust_env=False, timeout=20)


def example(path: str, realm: str) -> str:
    """A path of the policy with its parts filled in."""

    def fill(match: re.Match[str]) -> str:
        converter, _, name = match.group(1).rpartition(":")
        return {**PARTS, "realm": realm}.get(name) or PARTS.get(converter) or "x1"

    return re.sub(r"<([^>]+)>", fill, path)


def _leak(rule: Rule, method: str, answer: httpx.Response) -> str | None:
    where = f"{method} {answer.request.url.raw_path.decode()}"
    location = answer.headers.get("location", "")
    to_login = answer.status_code in {301, 302, 303} and urlsplit(location).path == "/api/auth/login"
    if answer.status_code in DENIED or to_login:
        return None
    return f"{where}: {answer.status_code} {location}".rstrip() + f" (policy: {rule.who})"


def anonymous_audit(target: Target) -> str:
    """Every route and method that the policy does not give to everybody is refused to an anonymous caller."""
    policy = load_policy(target.policy)
    leaks: list[str] = []
    asked = 0
    with client(target) as session:
        for rule in policy.active():
            if rule.who is Who.ANONYMOUS:
                continue
            for method in rule.answered_methods:
                asked += 1
                answer = session.request(method, example(rule.path, target.realm))
                if leak := _leak(rule, method, answer):
                    leaks.append(leak)
    if leaks:
        raise ClaimBrokenError("; ".join(leaks))
    return f"{asked} routes and methods refused"


def files_closed(target: Target) -> str:
    """The paths by which stock installations hand out picture files."""
    folder = f"{IDENTIFIER[0:2]}/{IDENTIFIER[2:4]}/{IDENTIFIER[4:6]}/{IDENTIFIER[6:8]}/{IDENTIFIER[9:]}"
    paths = [f"/{root}/{rest}" for root in ("permanent", "derivates", "tmp", "data/geovisio/permanent")
             for rest in (f"{IDENTIFIER}.jpg", f"{folder}.jpg", f"{folder}/sd.jpg")]  # fmt: skip
    with client(target) as session:
        given = [path for path in paths if session.get(path).status_code not in DENIED]
    if given:
        raise ClaimBrokenError(f"answered: {', '.join(given)}")
    return f"{len(paths)} paths closed"


def foreign_pages(target: Target) -> str:
    """No page of another site may read answers of this one."""
    origin = "https://evil.example"
    with client(target) as session:
        for method, path in (("GET", "/api/configuration"), ("GET", "/api"), ("OPTIONS", "/api/search"), ("GET", "/")):
            answer = session.request(method, path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
            allowed = [name for name in answer.headers if name.lower().startswith("access-control-allow")]
            if allowed:
                raise ClaimBrokenError(f"{method} {path} answers {allowed[0]}: {answer.headers[allowed[0]]}")
        policy = session.get("/").headers.get("content-security-policy", "")
    foreign = [word for word in policy.split() if word.startswith(("http", "*")) and "127.0.0.1" not in word]
    if "default-src 'self'" not in policy or foreign or "'unsafe-eval'" in policy:
        raise ClaimBrokenError(f"content security policy: {policy or '(none)'}")
    return "no Access-Control-Allow-*, content security policy without third parties"


def certificate(target: Target) -> str:
    """The certificate is valid for the name and for a while, and old TLS is refused."""
    parts = urlsplit(target.url)
    address = (parts.hostname or "", parts.port or 443)
    with (
        socket.create_connection(address, timeout=10) as plain,
        tls_context(target).wrap_socket(plain, server_hostname=address[0]) as tls,
    ):
        der = tls.getpeercert(binary_form=True) or b""
        version = tls.version()
    until = x509.load_der_x509_certificate(der).not_valid_after_utc
    days = (until - dt.datetime.now(dt.UTC)).days
    if days < CERTIFICATE_DAYS:
        raise ClaimBrokenError(f"the certificate ends on {until:%Y-%m-%d}, in {days} days")
    old = tls_context(target)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        with socket.create_connection(address, timeout=10) as plain, old.wrap_socket(plain, server_hostname=address[0]):
            raise ClaimBrokenError("TLS 1.1 is accepted")
    except (ssl.SSLError, ConnectionError):
        pass
    with client(target) as session:
        if "max-age" not in session.get("/").headers.get("strict-transport-security", ""):
            raise ClaimBrokenError("no Strict-Transport-Security header")
    return f"valid until {until:%Y-%m-%d}, {version}, TLS 1.1 refused"


def registration_closed(target: Target) -> str:
    """Every known door of Keycloak and of the API by which an account can be had without an administrator."""
    realm = f"/oauth/realms/{target.realm}"
    query = "client_id=geovisio&response_type=code&scope=openid&redirect_uri=" + f"{target.url}/api/auth/redirect"
    doors = [
        ("GET", f"{realm}/protocol/openid-connect/registrations?{query}"),
        ("GET", f"{realm}/login-actions/registration?client_id=geovisio"),
        ("GET", f"{realm}/login-actions/reset-credentials?client_id=geovisio"),
        ("POST", f"{realm}/clients-registrations/default"),
        ("POST", f"{realm}/clients-registrations/openid-connect"),
        ("GET", f"{realm}/broker/google/login"),
        ("POST", f"{realm}/protocol/openid-connect/auth/device"),
        ("POST", f"{realm}/protocol/openid-connect/ext/ciba/auth"),
        ("GET", "/oauth/admin/"),
        ("GET", "/oauth/admin/master/console/"),
        ("GET", "/oauth/realms/master"),
        ("POST", "/oauth/realms/master/protocol/openid-connect/token"),
        ("POST", "/api/auth/tokens/generate"),
    ]
    with client(target) as session:
        opened = [f"{m} {p.partition('?')[0]}: {a.status_code}" for m, p in doors
                  if (a := session.request(m, p)).status_code not in DENIED]  # fmt: skip
        configuration = session.get("/api/configuration").json()
        if configuration.get("auth", {}).get("registration_is_open") is not False:
            opened.append("the API says that registration is open")
        page = session.get("/api/auth/login", params={"next_url": "/explore"})
        page = session.get(page.headers["location"])
        if "registration" in page.text.lower():
            opened.append("the sign-in page offers registration")
    if opened:
        raise ClaimBrokenError("; ".join(opened))
    return f"{len(doors)} doors closed, the sign-in page offers none"


def not_harvestable(target: Target) -> str:
    """What a harvester of the federation, or a search engine, would read."""
    with client(target) as session:
        for path in ("/api", "/api/", "/api/collections", "/api/search", "/api/collections?show_deleted=true"):
            if (answer := session.get(path)).status_code not in DENIED:
                raise ClaimBrokenError(f"GET {path}: {answer.status_code}")
        robots = session.get("/robots.txt").text
        if not re.search(r"^Disallow: /\s*$", robots, re.MULTILINE):
            raise ClaimBrokenError("robots.txt does not forbid everything")
        if "noindex" not in session.get("/").headers.get("x-robots-tag", ""):
            raise ClaimBrokenError("no X-Robots-Tag: noindex")
    return "the catalogue is closed, robots are sent away"


CHECKS = (
    Check("C1", "Anonymous callers are refused everywhere", anonymous_audit),
    Check("C1", "Picture files have no direct way", files_closed),
    Check("C1", "Other sites' pages read nothing", foreign_pages),
    Check("C1", "Connections are encrypted", certificate),
    Check("C3", "Registration is closed", registration_closed),
    Check("C4", "Nothing can be harvested", not_harvestable),
)
