"""All that is stored about a person, as one archive to hand over (a request for access under the GDPR, article 15)."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from panoramax_ops.accounts import Accounts
from panoramax_ops.audit import MARKS
from panoramax_ops.errors import UnableError

# What Keycloak stores for its own use.
INTERNAL = ("access", "notBefore", "disableableCredentialTypes", "totp")
README = """All that {site} ({url}) stores about {email}.

keycloak.json     the login: e-mail, name, language, group, times; the password is stored as a digest only
sessions.json     where the person is logged in now, with addresses
panoramax/*.json  the account, uploads, sequences and pictures with their metadata, edits, reports; one object per line
log.json          what administrators did with the account
pictures/         the published pictures, faces and licence plates blurred; originals are not kept

Not in it: past logins with their addresses, which Keycloak keeps for {events_days} days for security, and the web
server's log. Ask {contact}.
"""


def export(
    accounts: Accounts, email: str, target: Path, fetch: Callable[[Iterable[UUID]], Iterator[tuple[str, bytes]]]
) -> dict[str, int]:
    """Write the archive (tar, gzip) to `target`, mode 0600, and return how many objects of each kind it holds.

    `fetch` yields the files of pictures. Raises UnableError if the archive cannot be written or completed; then none
    is left.
    """
    user, account = accounts.with_account(email)
    counts: dict[str, int] = {}
    pictures: list[UUID] = []
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made 0600 from its first moment, and given its name only when it is whole.
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".export.", delete=False) as stream:
            part = Path(stream.name)
            try:
                with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
                    settings = accounts.settings
                    text = README.format(
                        site=settings.site,
                        url=settings.url,
                        email=user["email"],
                        contact=settings.contact,
                        events_days=settings.events_days,
                    )
                    _add(archive, "README.txt", text.encode())
                    login = {key: value for key, value in user.items() if key not in INTERNAL}
                    _add(archive, "keycloak.json", _json(login, indent=2))
                    sessions = accounts.keycloak.sessions(user["id"])
                    _add(archive, "sessions.json", b"".join(_json(session) for session in sessions))
                    history = accounts.log.of(user["email"], accounts.database.notes())
                    _add(archive, "log.json", b"".join(_json(_action(line)) for line in history))
                    for kind, lines, number in _kinds(accounts.database.export(account.id), pictures):
                        _add_file(archive, f"panoramax/{kind}.json", lines)
                        counts[kind] = number
                    counts["picture files"] = 0
                    for name, content in fetch(pictures):
                        _add(archive, f"pictures/{name}", content)
                        counts["picture files"] += 1
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UnableError(f"{target} cannot be written: {error.strerror}.", "Is the disk full?") from error
    accounts.log.write("export", user["email"], pictures=counts["picture files"])
    return counts


def _kinds(items: Iterable[tuple[str, dict[str, Any]]], pictures: list[UUID]) -> Iterator[tuple[str, BinaryIO, int]]:
    """(kind, file of lines, number) per kind; ids of pictures are added to `pictures` on the way."""
    current, number = "", 0
    with tempfile.TemporaryFile() as lines:
        for kind, item in items:
            if kind != current:
                if number:
                    yield current, lines, number
                lines.seek(0)
                lines.truncate()
                current, number = kind, 0
            if kind == "pictures":
                pictures.append(UUID(item["id"]))
            lines.write(_json(item))
            number += 1
        if number:
            yield current, lines, number


def _action(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in MARKS}


def _json(value: Any, indent: int | None = None) -> bytes:
    return (json.dumps(value, ensure_ascii=False, default=str, indent=indent) + "\n").encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_file(archive, name, io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, name: str, content: BinaryIO) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = content.seek(0, io.SEEK_END)
    entry.mode, entry.mtime = 0o600, int(time.time())
    content.seek(0)
    archive.addfile(entry, content)
