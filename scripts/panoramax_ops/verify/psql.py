"""SQL as the database's superuser, on the local socket inside its container: nothing else may delete or see it all."""

from __future__ import annotations

from typing import Any

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.executed import execute

SOCKET = "/run/postgresql"


class Psql:
    """Runs statements in one database of the site."""

    def __init__(self, engine: Any, project: str, database: str = "panoramax") -> None:
        """`engine` is the Docker client of the host that carries the database."""
        self._engine = engine
        self._container = f"{project}-database"
        self._database = database

    def run(self, statements: str, *, again: bool = False) -> list[list[str]]:
        """All rows as text (NULL is empty). Statements are one transaction.

        Nothing that comes from outside may be part of the text, but checked identifiers.

        Raises:
            UnableError: one fails, or its answer was lost; with `again`, they may be run once more then.
        """
        command = ["psql", "--no-psqlrc", "-qAtX", "-v", "ON_ERROR_STOP=1", "-F", "\t", "-h", SOCKET, "-U", "postgres"]
        container = self._engine.containers.get(self._container)
        code, text = execute(container, [*command, "-d", self._database, "-c", statements], again=again)
        if code != 0:
            raise UnableError(
                f"The database refuses a statement of the verifier: {text.strip()[:300]}",
                f"Is {self._container} healthy (docker ps), and the site deployed to its end?",
            )
        return [line.split("\t") for line in text.splitlines()]

    def read(self, query: str) -> list[list[str]]:
        """Rows of a query in a transaction that can write nothing."""
        return self.run(f"BEGIN READ ONLY; {query}", again=True)
