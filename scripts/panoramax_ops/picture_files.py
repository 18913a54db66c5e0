"""Files of pictures inside the API's container: fetch the published ones, remove originals that nobody will process.

Paths are those of geovisio 2.15.1 (utils/pictures.py): the id's first eight characters in pairs, then the rest.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from panoramax_ops.access import Access
from panoramax_ops.errors import UnableError

ROOT = "/data/geovisio"
BATCH = 400


def path_of(picture: UUID) -> str:
    """Path of a picture's file below `permanent/` or `tmp/`."""
    text = str(picture)
    return f"{text[:2]}/{text[2:4]}/{text[4:6]}/{text[6:8]}/{text[9:]}.jpg"


def _batches(pictures: Iterable[UUID]) -> Iterator[list[str]]:
    rest = iter(pictures)
    while batch := [path_of(picture) for picture in islice(rest, BATCH)]:
        yield batch


class PictureFiles:
    """The files of one site's pictures."""

    def __init__(self, access: Access, project: str) -> None:
        """Nothing is asked before the first call."""
        self._access = access
        self._name = f"{project}-api"

    def _container(self) -> Any:
        import docker

        try:
            return self._access.engine.containers.get(self._name)
        except docker.errors.DockerException as error:
            raise UnableError(f"The container {self._name} cannot be reached: {error}", "Deploy the site.") from error

    def remove_originals(self, pictures: list[UUID]) -> None:
        """Remove what waits among the temporary files. Raises UnableError, with the files, if it cannot be done."""
        for batch in _batches(pictures):
            paths = [f"{ROOT}/tmp/{path}" for path in batch]
            code, output = self._container().exec_run(["rm", "-f", "--", *paths])
            if code:
                raise UnableError(
                    f"{len(paths)} originals of deleted pictures are still there: {output.decode().strip()}",
                    f"Remove them by hand: docker exec {self._name} rm -f {' '.join(paths)}",
                )

    def fetch(self, pictures: Iterable[UUID]) -> Iterator[tuple[str, bytes]]:
        """(path, content) of each published picture that has a file. One picture at a time in memory."""
        container = self._container()
        for batch in _batches(pictures):
            # A missing file is no reason to stop: a picture in work has none yet.
            command = ["tar", "--create", "--ignore-failed-read", "-C", f"{ROOT}/permanent", "--", *batch]
            chunks = container.exec_run(command, stream=True, demux=True).output
            stream = _Stream(chunk for chunk, _ in chunks if chunk)
            try:
                with tarfile.open(fileobj=stream, mode="r|") as archive:
                    for member in archive:
                        content = archive.extractfile(member)
                        if content is not None:
                            yield member.name, content.read()
            except tarfile.ReadError as error:
                raise UnableError(f"The pictures cannot be read in {self._name}: {error}", "Run it again.") from error


class _Stream(io.RawIOBase):
    """What Docker sends, as a file that can only be read on."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
