"""Whether a site answers at all, before anything is tried on it: a verification of nothing would prove nothing."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from panoramax_ops.errors import UnableError
from panoramax_ops.signing_in import tls_context

SECONDS = 15
# X509_V_ERR_* of OpenSSL.
NOT_YET, EXPIRED, OTHER_NAME = 9, 10, 62


def must_answer(url: str, authority: Path | None) -> None:
    """Open a TLS connection. Raises UnableError that says what keeps it from being opened, and what to do."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        context = tls_context(authority)
    except OSError as error:
        raise UnableError(
            f"{authority} holds no certificate of an authority: {error}.",
            "Give a PEM file (-----BEGIN CERTIFICATE-----).",
        ) from error
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return
    except ssl.SSLCertVerificationError as error:
        raise _distrusted(url, authority, error) from error
    except socket.gaierror as error:
        raise UnableError(
            f"{url} is not reached: the name {host} is unknown here ({error.strerror}).",
            "Is site_domain right, and does it resolve on this machine (getent hosts)?",
        ) from error
    except OSError as error:
        raise UnableError(
            f"{url} is not reached: {error.strerror or error}.",
            "Does the proxy run (docker ps), and do firewall, site_bind_address and site_https_port let it be reached?",
        ) from error


def _distrusted(url: str, authority: Path | None, error: ssl.SSLCertVerificationError) -> UnableError:
    trusted = str(authority) if authority else "the authorities that this machine knows"
    if error.verify_code == EXPIRED:
        return UnableError(
            f"The certificate of {url} has expired.",
            "Renew it: make deploy does for local_ca and acme, and delivers new provided files.",
        )
    if error.verify_code == NOT_YET:
        return UnableError(f"The certificate of {url} is not valid yet.", "Is the clock of this machine right?")
    if error.verify_code == OTHER_NAME:
        return UnableError(
            f"The certificate of {url} is for another name: {error.verify_message}.",
            "Is site_domain the name that the certificate is for, and does another program answer there?",
        )
    return UnableError(
        f"The certificate of {url} is not from {trusted}: {error.verify_message}.",
        "Deploy again, or name the file of the authority in site_certificate_ca_file.",
    )
