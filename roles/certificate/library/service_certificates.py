"""Ansible module: an authority for the services of one site, and a certificate for each of them, in one call.

Runs on the controller. Everything is kept in one directory and made again only when it would not serve (any more).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOCUMENTATION = r"""
module: service_certificates
short_description: Keep an authority and one server certificate per service, as files of the controller
description:
  - Keys are ECDSA P-256. The authority is valid for ten years; certificates for O(days).
  - In check mode nothing is written, and what is missing is made in memory.
options:
  directory:
    description: Directory that holds everything. Keys have mode 0600.
    type: path
    required: true
  authority:
    description: Common name of the authority.
    type: str
    required: true
  services:
    description: Each with C(name), and the C(names) and C(addresses) that clients reach it by.
    type: list
    elements: dict
    required: true
  days:
    description: Validity of a certificate.
    type: int
    default: 730
  renew_days:
    description: A certificate that is valid for fewer days than these is made anew.
    type: int
    default: 30
author: Private Panoramax
"""

RETURN = r"""
issued:
  description: Per service C(certificate), C(key) and C(authority), as PEM. Secret.
  type: dict
  returned: always
renewed:
  description: What was made, C(authority) among it.
  type: list
  returned: always
"""

AUTHORITY_DAYS = 3650
BACKDATED = timedelta(hours=1)  # clocks of hosts differ


@dataclass(frozen=True)
class Service:
    """A server, and how its clients name it."""

    name: str
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = field(default=())

    def alternatives(self) -> list[x509.GeneralName]:
        """Subject alternative names. Raises ValueError for an address that is none."""
        found: list[x509.GeneralName] = [x509.DNSName(name) for name in self.names]
        return found + [x509.IPAddress(ipaddress.ip_address(address)) for address in self.addresses]


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> tuple[str, str]:
        """Certificate and key as PEM."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.certificate.public_bytes(Encoding.PEM).decode(), key.decode()


def _load(directory: Path, name: str) -> Pair | None:
    """What lies there, or None if it is missing, damaged, or of two minds."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / f"{name}.crt").read_bytes())
        key = load_pem_private_key((directory / f"{name}.key").read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    same = key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)
    return Pair(certificate, key) if same else None


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _build(name: str, days: int, issuer: Pair | None, now: datetime) -> tuple[Any, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    signer = issuer.key if issuer else key
    constraints = x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        # Python 3.13 and newer insist on it.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(issuer is None), critical=True)
        .add_extension(constraints, critical=True)
    )
    return builder, key


def make_authority(name: str, now: datetime) -> Pair:
    """A new authority of that common name."""
    builder, key = _build(name, AUTHORITY_DAYS, None, now)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def make_certificate(service: Service, authority: Pair, days: int, now: datetime) -> Pair:
    """A new certificate for a server."""
    builder, key = _build(service.name, days, authority, now)
    builder = builder.add_extension(x509.SubjectAlternativeName(service.alternatives()), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def serves(pair: Pair, service: Service, authority: Pair, renew_days: int, now: datetime) -> bool:
    """Whether a certificate is by this authority, for exactly these names, and valid for long enough."""
    certificate = pair.certificate
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    lasts = certificate.not_valid_after_utc - now >= timedelta(days=renew_days)
    return lasts and set(alternative) == set(service.alternatives())


def _write(path: Path, text: str, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def keep(
    directory: Path, authority_name: str, services: list[Service], *, days: int, renew_days: int, check: bool
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Have the authority and all certificates. Returns what is issued, and the names of what was made.

    Raises OSError if the directory cannot be written, ValueError for an address that is none.
    """
    now = datetime.now(UTC)
    renewed: dict[str, Pair] = {}
    authority = _load(directory, "ca")
    # An authority must outlive what it signs.
    if authority is None or authority.certificate.not_valid_after_utc - now < timedelta(days=days):
        authority = renewed["ca"] = make_authority(authority_name, now)
    issued = {}
    for service in services:
        pair = _load(directory, service.name)
        if pair is None or not serves(pair, service, authority, renew_days, now):
            pair = renewed[service.name] = make_certificate(service, authority, days, now)
        certificate, key = pair.pem()
        issued[service.name] = {"certificate": certificate, "key": key, "authority": authority.pem()[0]}
    if renewed and not check:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, pair in renewed.items():
            certificate, key = pair.pem()
            _write(directory / f"{name}.key", key, 0o600)
            _write(directory / f"{name}.crt", certificate, 0o644)
    return issued, ["authority" if name == "ca" else name for name in renewed]


def main() -> None:
    """Entry point of the module."""
    service = {
        "name": {"type": "str", "required": True},
        "names": {"type": "list", "elements": "str", "default": []},
        "addresses": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "authority": {"type": "str", "required": True},
            "services": {"type": "list", "elements": "dict", "required": True, "options": service},
            "days": {"type": "int", "default": 730},
            "renew_days": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    options = module.params
    wanted = [Service(one["name"], tuple(one["names"]), tuple(one["addresses"])) for one in options["services"]]
    try:
        issued, renewed = keep(
            Path(options["directory"]),
            options["authority"],
            wanted,
            days=options["days"],
            renew_days=options["renew_days"],
            check=bool(module.check_mode),
        )
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}; is the disk full or read-only?")
    except ValueError as error:
        module.fail_json(msg=f"certificate_services: {error}")
    module.exit_json(changed=bool(renewed), issued=issued, renewed=renewed)


if __name__ == "__main__":
    main()
