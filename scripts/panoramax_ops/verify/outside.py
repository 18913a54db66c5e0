"""What an anonymous caller gets from the site: nothing but the landing page and the way to sign in."""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from cryptography import x509

from panoramax_ops.signing_in import tls_context
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.requests import DENIED, IDENTIFIER, refused_anonymous
from panoramax_ops.verify.site import Site

CERTIFICATE_DAYS = 14
# Keycloak's own refusal counts too: it does not matter here who refuses.
CLOSED = DENIED | {400}
CLOCK_SECONDS = 30


def files_closed(site: Site) -> str:
    """The paths by which stock installations hand out picture files."""
    folder = f"{IDENTIFIER[0:2]}/{IDENTIFIER[2:4]}/{IDENTIFIER[4:6]}/{IDENTIFIER[6:8]}/{IDENTIFIER[9:]}"
    paths = [f"/{root}/{rest}" for root in ("permanent", "derivates", "tmp", "data/geovisio/permanent")
             for rest in (f"{IDENTIFIER}.jpg", f"{folder}.jpg", f"{folder}/sd.jpg")]  # fmt: skip
    with site.anonymous() as session:
        given = [path for path in paths if not refused_anonymous(session.get(path))]
    if given:
        raise ClaimBrokenError(f"answered: {', '.join(given)}")
    return f"{len(paths)} paths closed"


def foreign_pages(site: Site) -> str:
    """No page of another site may read answers of this one."""
    origin = "https://evil.example"
    with site.anonymous() as session:
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


def _address(site: Site) -> tuple[str, int]:
    parts = urlsplit(site.url)
    return parts.hostname or "", parts.port or 443


def certificate_end(site: Site) -> tuple[dt.datetime, str]:
    """When the certificate ends, and the version of TLS. Raises OSError if there is no valid one for the name."""
    address = _address(site)
    with (
        socket.create_connection(address, timeout=10) as plain,
        tls_context(site.ca).wrap_socket(plain, server_hostname=address[0]) as tls,
    ):
        der = tls.getpeercert(binary_form=True) or b""
        return x509.load_der_x509_certificate(der).not_valid_after_utc, str(tls.version())


def certificate_end_of(site: Site) -> str:
    """When the certificate ends (ISO 8601), or nothing if it cannot be read."""
    try:
        return certificate_end(site)[0].isoformat()
    except OSError:
        return ""


def certificate(site: Site) -> str:
    """The certificate is valid for the name and for a while, and old TLS is refused."""
    address = _address(site)
    until, version = certificate_end(site)
    days = (until - dt.datetime.now(dt.UTC)).days
    if days < CERTIFICATE_DAYS:
        raise ClaimBrokenError(f"the certificate ends on {until:%Y-%m-%d}, in {days} days")
    old = tls_context(site.ca)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        with socket.create_connection(address, timeout=10) as plain, old.wrap_socket(plain, server_hostname=address[0]):
            raise ClaimBrokenError("TLS 1.1 is accepted")
    except (ssl.SSLError, ConnectionError):
        pass
    with site.anonymous() as session:
        if "max-age" not in session.get("/").headers.get("strict-transport-security", ""):
            raise ClaimBrokenError("no Strict-Transport-Security header")
    return f"valid until {until:%Y-%m-%d}, {version}, TLS 1.1 refused"


def registration_closed(site: Site) -> str:
    """Every known door of Keycloak and of the API by which an account can be had without an administrator."""
    realm = f"/oauth/realms/{site.realm}"
    query = "client_id=geovisio&response_type=code&scope=openid&redirect_uri=" + f"{site.url}/api/auth/redirect"
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
    with site.anonymous() as session:
        opened = [f"{m} {p.partition('?')[0]}: {a.status_code}" for m, p in doors
                  if (a := session.request(m, p)).status_code not in CLOSED]  # fmt: skip
        configuration = session.get("/api/configuration").json()
        if configuration.get("auth", {}).get("registration_is_open") is not False:
            opened.append("the API says that registration is open")
        page = session.get("/api/auth/login", params={"next_url": "/explore"})
        page = session.get(page.headers["location"])
        # The page may well say that registration is closed: what counts is a way to it.
        if re.search(r"""(?:href|action)=["'][^"']*registration|kc-regist""", page.text, re.IGNORECASE):
            opened.append("the sign-in page offers registration")
    if opened:
        raise ClaimBrokenError("; ".join(opened))
    return f"{len(doors)} doors closed, the sign-in page offers none"


def not_harvestable(site: Site) -> str:
    """What a harvester of the federation, or a search engine, would read."""
    with site.anonymous() as session:
        for path in ("/api", "/api/", "/api/collections", "/api/search", "/api/collections?show_deleted=true"):
            if (answer := session.get(path)).status_code not in DENIED:
                raise ClaimBrokenError(f"GET {path}: {answer.status_code}")
        robots = session.get("/robots.txt").text
        if not re.search(r"^Disallow: /\s*$", robots, re.MULTILINE):
            raise ClaimBrokenError("robots.txt does not forbid everything")
        if "noindex" not in session.get("/").headers.get("x-robots-tag", ""):
            raise ClaimBrokenError("no X-Robots-Tag: noindex")
    return "the catalogue is closed, robots are sent away"


def clocks(site: Site) -> str:
    """The clocks of the site and of this machine agree, as certificates and sessions take for granted."""
    with site.anonymous() as session:
        proxy = parsedate_to_datetime(session.get("/robots.txt").headers["date"])
    database = dt.datetime.fromisoformat(site.sql.read("SELECT now()::timestamptz(0)")[0][0])
    now = dt.datetime.now(dt.UTC)
    apart = max(abs((clock - now).total_seconds()) for clock in (proxy, database))
    if apart > CLOCK_SECONDS:
        raise ClaimBrokenError(f"the site's clock and this machine's are {apart:.0f} s apart")
    return f"less than {max(2, round(apart) + 1)} s apart"


CHECKS = (
    Check("C1", "Picture files have no direct way", files_closed),
    Check("C1", "Other sites' pages read nothing", foreign_pages),
    Check("C1", "Connections are encrypted", certificate),
    Check("C1", "Clocks agree", clocks),
    Check("C3", "Registration is closed", registration_closed),
    Check("C4", "Nothing can be harvested", not_harvestable),
)
