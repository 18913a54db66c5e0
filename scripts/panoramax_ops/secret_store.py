"""The generated secrets of an inventory: `group_vars/all/secrets.yml`, mode 0600, plain or encrypted by a vault.

Only missing secrets are made. What is there keeps its place, its comments and its value; a secret that is too weak is
refused by name, because changing it here would not change it in the services that know the old one.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.files import write_private

# Every secret that the site needs, with what it is for.
SECRETS = {
    "secret_database_panoramax": "The API's password for the database.",
    "secret_database_keycloak": "Keycloak's password for the database.",
    "secret_database_ops": "The scripts' password for the database.",
    "secret_keycloak_bootstrap": "Keycloak's first administrator, deleted by the first deployment.",
    "secret_keycloak_admin": "The service account by which the deployment administers Keycloak.",
    "secret_oauth_client": "The API's client at Keycloak.",
    "secret_accounts_client": "The service account of scripts/accounts.py at Keycloak.",
    "secret_flask_key": "Signs the API's cookies and tokens; a new one signs everybody out and ends all tokens.",
    "secret_blurring_proof": "Signs the proof that a picture was blurred; the blurring and the database know it.",
    "secret_backup": "Encrypts the backups. Keep it elsewhere too: without it nobody can read them.",
}
FLASK_KEY = "secret_flask_key"
HEADER = """---
# Made by scripts/secrets.py, which fills in what is missing and changes nothing else. Keep it with the backups:
# without it a restored site cannot be opened. Encrypt it if you like: ansible-vault encrypt.
"""
VAULT_MARK = "$ANSIBLE_VAULT"
SHORTEST = 16
FEWEST_DISTINCT = 8


class Vault(Protocol):
    """Ansible's vault with its configured password."""

    def decrypt(self, text: str) -> str:
        """Plain text. Raises UnableError without the right password."""
        ...

    def encrypt(self, text: str, like: str) -> str:
        """Encrypted under the same label as the encrypted text `like`."""
        ...


@dataclass(frozen=True)
class Result:
    """What was done: names of the secrets, never their values."""

    path: Path
    made: list[str]
    kept: list[str]
    encrypted: bool
    mode_mended: bool


class _Encrypted(str):
    """A single value that is encrypted by the vault."""


class _Loader(yaml.SafeLoader):
    """YAML with Ansible's `!vault` values, and with duplicate keys refused (YAML would take the last one)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_constructor("!vault", lambda _, node: _Encrypted(node.value))


def generate(name: str) -> str:
    """A new secret of 256 bits, of letters, digits, - and _ only: some go into URLs and properties files.

    The leading letter keeps one that consists of digits (or digits and an e) from being read as a number, as the API's
    JSON-decoded FLASK_SECRET_KEY would be (geovisio 2.15.1).
    """
    return f"{'k' if name == FLASK_KEY else 's'}{secrets.token_urlsafe(32)}"


def weakness(name: str, value: Any) -> str:
    """What is wrong with a secret, or an empty string."""
    if value is None or value == "":
        return "is empty"
    if not isinstance(value, str):
        return "is not text: put it in quotes"
    if len(value) < SHORTEST or len(set(value)) < FEWEST_DISTINCT:
        return f"is too weak (at least {SHORTEST} characters, {FEWEST_DISTINCT} of them different)"
    if not re.fullmatch(r"[A-Za-z0-9._~-]+", value):
        return "holds characters other than letters, digits and . _ ~ -"
    if name == FLASK_KEY and not re.search(r"[A-Za-df-z]", value):
        return "could be read as a number: it needs a letter other than e"
    return ""


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        # _Loader is a SafeLoader: it makes no objects but text.
        values = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise RefusedError(f"{path}{place}: {problem}.", "Mend the line by hand; nothing was changed.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RefusedError(f"{path} does not hold `name: value` lines.", "Mend it by hand; nothing was changed.")
    return values


def _check(values: dict[str, Any], path: Path, vault: Vault) -> None:
    findings = []
    for name in SECRETS.keys() & values.keys():
        value = values[name]
        plain = vault.decrypt(value) if isinstance(value, _Encrypted) else value
        if problem := weakness(name, plain):
            findings.append(f"{name} {problem}")
    if findings:
        raise RefusedError(
            f"{path}: {'; '.join(sorted(findings))}.",
            "Remove such a line, run this again and deploy; nothing was changed.",
        )


def completed(text: str, missing: list[str]) -> str:
    """The file's text with new secrets at its end."""
    body = text if text.strip() else HEADER
    if not body.endswith("\n"):
        body += "\n"
    for name in missing:
        body += f"\n# {SECRETS[name]}\n{name}: {generate(name)}\n"
    return body


def fill(path: Path, vault: Vault) -> Result:
    """Make the secrets that the file lacks; makes the file if it is not there. Two runs at once wait for each other.

    Raises RefusedError if a person has to mend something in the file, UnableError if it cannot be read or written.
    """
    if not path.parent.parent.parent.is_dir():
        raise UnableError(f"There is no inventory {path.parent.parent.parent}.", "Give -i inventories/NAME.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        directory = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise UnableError(f"{path.parent}: {error.strerror}.") from error
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        return _fill(path, vault)
    finally:
        os.close(directory)


def _fill(path: Path, vault: Vault) -> Result:
    try:
        stored = path.read_text(encoding="utf-8") if path.exists() else ""
        mode_mended = path.exists() and path.stat().st_mode & 0o777 != 0o600
    except (OSError, UnicodeDecodeError) as error:
        raise UnableError(f"{path} cannot be read: {error}.") from error
    encrypted = stored.startswith(VAULT_MARK)
    text = vault.decrypt(stored) if encrypted else stored
    values = _parse(text, path)
    _check(values, path, vault)
    missing = [name for name in SECRETS if name not in values]
    if missing:
        text = completed(text, missing)
        write_private(path, vault.encrypt(text, stored) if encrypted else text)
    elif mode_mended:
        path.chmod(0o600)
    return Result(path, missing, [name for name in SECRETS if name not in missing], encrypted, mode_mended)
