"""Write files that hold secrets: whole or not at all, and readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from panoramax_ops.errors import UnableError


def write_private(path: Path, content: str | bytes) -> None:
    """Replace the file at once by one of mode 0600; text is written as UTF-8.

    Raises UnableError if the directory does not allow it.
    """
    temporary = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes the file 0600 from its first moment.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
        raise UnableError(
            f"{path} cannot be written: {error.strerror}.", "Is the disk full, or the directory not yours?"
        ) from error
