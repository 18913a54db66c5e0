"""A signed statement for each answer: this picture went through this service, and this is what came of it.

The key is known to this service and to the database server only, so that neither the API nor its workers can publish a
picture that was not here: the database lets no picture be shown without a statement that it can verify.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from .errors import RefusedError
from .own_model import read_declared
from .pipeline import Blurred
from .settings import Settings, SettingsError

SERVICE = "PrivatePanoramaxBlur"
#: the caller's name for the picture; without it there is no proof, as nobody could tell what it is of
HEADER = "x-picture-id"
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORTEST_KEY = 16


class Signer:
    """Signs statements with HMAC-SHA256. Without a key it signs nothing."""

    def __init__(self, key: bytes, models: Mapping[str, str]) -> None:
        self._key, self._models = key, dict(sorted(models.items()))

    @classmethod
    def from_settings(cls, settings: Settings) -> "Signer":
        """A signer with the key in the file that the settings name.

        Raises:
            SettingsError: the file cannot be read, or holds no key.
        """
        if not settings.proof_key.name:
            return cls(b"", {})
        try:
            key = settings.proof_key.read_bytes().strip()
        except OSError as error:
            msg = f"BLUR_PROOF_KEY: {settings.proof_key} cannot be read ({error.strerror})"
            raise SettingsError(msg) from error
        if len(key) < SHORTEST_KEY:
            msg = f"BLUR_PROOF_KEY: the key in {settings.proof_key} is shorter than {SHORTEST_KEY} bytes"
            raise SettingsError(msg)
        own = read_declared(settings.own_models) if settings.own_models.name else ()
        return cls(key, _checksums(settings.models) | {f"own/{one.name}": one.sha256[:16] for one in own})

    def sign(self, picture: str | None, source: bytes, answer: Blurred) -> dict[str, str] | None:
        """Statement and signature (hexadecimal) for an answer, None where there is no key or no name of the picture.

        Raises:
            RefusedError: the picture's name is not a UUID in its usual spelling.
        """
        if picture is None or not self._key:
            return None
        if not _IDENTIFIER.fullmatch(picture):
            raise RefusedError(f"{HEADER} must be a UUID in lower case", 400)
        # Where another engine did it, this service answers for the checks, and says whose work it is.
        work: dict[str, object] = {"engine": answer.engine} if answer.engine else {"models": self._models}
        said = {
            "picture": picture,
            "input": hashlib.sha256(source).hexdigest(),
            "answer": hashlib.sha256(answer.data).hexdigest(),
            "bytes": len(answer.data),
            "service": SERVICE,
            "version": program_digest(),
            **work,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        statement = json.dumps(said, separators=(",", ":"))
        return {"statement": statement, "signature": hmac.digest(self._key, statement.encode(), "sha256").hex()}


def _checksums(models: Path) -> dict[str, str]:
    """Short checksums of the model files, by name, as they were made (and are checked at the start) with the image."""
    lines = (models / "SHA256SUMS").read_text().splitlines()
    named = (line.split(maxsplit=1) for line in lines)
    return {name: checksum[:16] for checksum, name in named if name.endswith(".onnx")}


@cache
def program_digest() -> str:
    """Short checksum of this program's source: a version that nobody can forget to count up."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
