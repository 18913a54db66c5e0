"""Whether a TLS certificate will do: read, in time, for the right name, with the right key and a whole chain.

Used before anything changes on a host, so every answer says what is wrong in words that an operator can act on.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtensionOID

MIN_RSA_BITS = 2048


class CertificateError(ValueError):
    """A file cannot be read as what it should be; the message names the file."""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from error


def load_chain(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file in their order, at least one.

    Raises:
        CertificateError: unreadable, or no certificate in it.
    """
    data = _read(path)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise CertificateError(f"{path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)") from error


def load_key(path: Path) -> PrivateKeyTypes:
    """The private key of a PEM file.

    Raises:
        CertificateError: unreadable, no key in it, or the key needs a passphrase.
    """
    data = _read(path)
    try:
        return load_pem_private_key(data, password=None)
    except TypeError as error:
        raise CertificateError(f"{path} is protected by a passphrase, which nobody could type at a start") from error
    except ValueError as error:
        raise CertificateError(f"{path} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)") from error


def names(certificate: x509.Certificate) -> list[str]:
    """DNS names and addresses that a certificate is for; the common name does not count (RFC 9110, section 4.3.4)."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return []
    alternative = extension.value
    assert isinstance(alternative, x509.SubjectAlternativeName)
    addresses = [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]
    return [*alternative.get_values_for_type(x509.DNSName), *addresses]


def matches(name: str, domain: str) -> bool:
    """Whether a name of a certificate covers a domain. A wildcard stands for one label, the first (RFC 6125)."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    if name.startswith("*."):
        try:
            ipaddress.ip_address(domain)
        except ValueError:
            return domain.partition(".")[2] == name[2:]
        return False
    return name == domain


def _same_key(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _problems_in_time(certificate: x509.Certificate, path: Path, now: datetime, days: int) -> list[str]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends <= now:
        return [f"{path} expired on {ends:%Y-%m-%d %H:%M} UTC"]
    if begins > now:
        return [f"{path} is not valid before {begins:%Y-%m-%d %H:%M} UTC (is this machine's clock right?)"]
    if ends - now < timedelta(days=days):
        return [f"{path} expires on {ends:%Y-%m-%d}, in fewer than {days} days"]
    return []


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _problems_of_trust(
    chain: list[x509.Certificate], path: Path, authorities: list[x509.Certificate], authority: Path, now: datetime
) -> list[str]:
    """What keeps a client that trusts the authorities from trusting the chain."""
    top = chain[-1]
    above = [one for one in authorities if one == top or _issued_by(top, one)]
    if not above:
        return [
            f"{path} does not lead to an authority in {authority}: the last of its certificates was issued by"
            f" {top.issuer.rfc4514_string() or 'nobody'} (is the certificate between them missing?)"
        ]
    if not any(_is_authority(one) for one in above):
        return [f"{authority} holds a certificate that is no authority's (basic constraints, CA:TRUE)"]
    in_time = [_problems_in_time(one, authority, now, 0) for one in above]
    return [] if [] in in_time else in_time[0]


def problems(
    certificate_file: Path,
    key_file: Path,
    domain: str,
    *,
    days: int = 0,
    issuer_file: Path | None = None,
    authority_file: Path | None = None,
    now: datetime | None = None,
) -> list[str]:
    """What speaks against serving `domain` with this certificate; empty if nothing does.

    Args:
        certificate_file: PEM file, the site's certificate first, then those that lead to the authority.
        key_file: PEM file with its private key.
        domain: host name (or address) as browsers ask for it.
        days: the certificate must be valid at least so many days more.
        issuer_file: if given, the certificate must be issued by this one.
        authority_file: if given, the chain must lead to one of the authorities in this PEM file.
        now: the time to judge by.
    """
    try:
        chain, key = load_chain(certificate_file), load_key(key_file)
        issuer = load_chain(issuer_file)[0] if issuer_file else None
        authorities = load_chain(authority_file) if authority_file else []
    except CertificateError as error:
        return [str(error)]
    certificate = chain[0]
    found = _problems_in_time(certificate, certificate_file, now or datetime.now(UTC), days)
    known = names(certificate)
    if not any(matches(name, domain) for name in known):
        found.append(f"{certificate_file} is for {', '.join(known) or 'no name at all'}, not for {domain}")
    if not _same_key(key, certificate):
        found.append(f"{key_file} is not the key of {certificate_file}")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        found.append(f"{key_file} has {key.key_size} bits: browsers want at least {MIN_RSA_BITS}")
    for index, (lower, upper) in enumerate(pairwise(chain), start=2):
        if not _issued_by(lower, upper):
            found.append(f"{certificate_file}: certificate {index} did not issue the one before it (order: site first)")
    if issuer is not None and not _issued_by(certificate, issuer):
        found.append(f"{certificate_file} was not issued by {issuer_file}")
    if authority_file:
        found += _problems_of_trust(chain, certificate_file, authorities, authority_file, now or datetime.now(UTC))
    return found
