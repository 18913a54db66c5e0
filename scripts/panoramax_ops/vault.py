"""Ansible's vault, with the password that Ansible itself is configured with (ANSIBLE_VAULT_PASSWORD_FILE, ...)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from panoramax_ops.errors import UnableError

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "Give Ansible the vault's password: export ANSIBLE_VAULT_PASSWORD_FILE=FILE, then run this again."


def configured_secrets(loader: Any) -> Any:
    """The vault's secrets that Ansible is configured with, for a DataLoader; empty if there are none.

    Raises AnsibleError if a configured password file cannot be read. The first call of a process also makes them known
    to templates, whose values may be encrypted one by one.
    """
    from ansible import constants
    from ansible.cli import CLI
    from ansible.parsing.vault import VaultSecretsContext

    files = [constants.DEFAULT_VAULT_PASSWORD_FILE] if constants.DEFAULT_VAULT_PASSWORD_FILE else []
    return CLI.setup_vault_secrets(
        loader,
        vault_ids=list(constants.DEFAULT_VAULT_IDENTITY_LIST),
        vault_password_files=files,
        auto_prompt=False,
        initialize_context=VaultSecretsContext.current(optional=True) is None,
    )


class AnsibleVault:
    """Opened only when something encrypted turns up: importing Ansible takes most of a second."""

    def __init__(self, place: Path) -> None:
        """`place` is named in errors."""
        self._place = place
        self._lib: Any = None

    def _open(self) -> Any:
        if self._lib is None:
            os.environ.setdefault("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
            from ansible.errors import AnsibleError
            from ansible.parsing.dataloader import DataLoader
            from ansible.parsing.vault import VaultLib

            try:
                secrets = configured_secrets(DataLoader())
            except AnsibleError as error:
                raise UnableError(f"{self._place} is encrypted: {error}", REMEDY) from error
            if not secrets:
                raise UnableError(
                    f"{self._place} is encrypted by ansible-vault, and no password is configured.", REMEDY
                )
            self._lib = VaultLib(secrets=secrets)
        return self._lib

    def decrypt(self, text: str) -> str:
        """Plain text. Raises UnableError without the right password."""
        from ansible.errors import AnsibleError

        lib = self._open()
        try:
            plain: bytes = lib.decrypt(text.strip().encode())
        except AnsibleError as error:
            reason = str(error).splitlines()[0]
            raise UnableError(f"{self._place} cannot be decrypted: {reason}", REMEDY) from error
        return plain.decode()

    def encrypt(self, text: str, like: str) -> str:
        """Encrypted with the secret whose label the encrypted text `like` carries (the first one if it has none)."""
        lib = self._open()
        parts = like.splitlines()[0].split(";")
        label = parts[3].strip() if len(parts) > 3 else None
        secret = next((secret for name, secret in lib.secrets if name == label), lib.secrets[0][1])
        encrypted: bytes = lib.encrypt(text, secret=secret, vault_id=label)
        return encrypted.decode()
