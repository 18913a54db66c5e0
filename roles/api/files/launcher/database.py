"""Waiting for the database, and the question whether it is fit to be served from."""

import functools
import logging
import os
import time
from pathlib import Path

import geovisio
import psycopg

log = logging.getLogger("launcher.database")


class NotReadyError(Exception):
    """The database cannot be used; the message says why and what to do."""


def connect(patience: float = 60.0) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect as the settings say, waiting up to ``patience`` seconds for a database that is still starting.

    Raises:
        NotReadyError: if there is no connection by then.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return psycopg.connect(
                os.environ["DB_URL"], autocommit=True, connect_timeout=5, application_name="launcher"
            )
        except psycopg.OperationalError as error:
            # The first line says what is wrong; the rest may repeat addresses for each attempt.
            reason = str(error).splitlines()[0]
            if time.monotonic() > deadline:
                raise NotReadyError(f"no connection to the database within {patience:.0f} s: {reason}") from None
            log.info("Waiting for the database: %s", reason)
            time.sleep(2)


def checked_connections() -> None:
    """Let the API try each connection of its pool before a request gets it; call this before the API is created.

    Upstream hands them out as they are: after a restart of the database each one costs a request a 500 (measured). The
    pool itself waits twice as long after each failure, so that after an outage of half a minute a process of the API
    was away for as long again (measured); here it tries every second.
    """
    from geovisio.utils import db
    from psycopg_pool.base import AttemptWithBackoff

    AttemptWithBackoff.DELAY_BACKOFF = 1.0
    db.ConnectionPool = functools.partial(db.ConnectionPool, check=db.ConnectionPool.check_connection)


def known_migrations() -> set[str]:
    """Names of the migrations that this version of geovisio brings."""
    folder = Path(geovisio.__file__).parent / "migrations"
    return {file.stem for file in folder.iterdir() if file.suffix in {".sql", ".py"} and ".rollback" not in file.name}


def check(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Refuse a database whose schema is of another version, or whose guard is not whole.

    Upstream's own check takes a lock that a killed process leaves behind, and every later start then fails; this one
    only reads. (It is switched off by DB_CHECK_SCHEMA=false.)

    Raises:
        NotReadyError: naming what is missing.
    """
    # The step runs once for each release; its container stays, and can be started again.
    remedy = "run the migration step again: docker start --attach SITE-migrate"
    try:
        rows = connection.execute("SELECT migration_id FROM _yoyo_migration").fetchall()
    except psycopg.errors.UndefinedTable:
        raise NotReadyError(f"the database has no schema yet; {remedy}") from None
    applied = {str(row[0]) for row in rows}
    missing, unknown = known_migrations() - applied, applied - known_migrations()
    if missing:
        raise NotReadyError(f"the database lacks migrations ({', '.join(sorted(missing))}); {remedy}")
    if unknown:
        raise NotReadyError(
            f"the database is of a newer version than this image ({', '.join(sorted(unknown))}); "
            "deploy the newer image, or restore the backup made before the upgrade"
        )
    findings = guard_findings(connection)
    if findings:
        raise NotReadyError(f"the guard of the database is not whole: {'; '.join(findings)}; {remedy}")


def is_fit() -> bool:
    """Wait for the database, and see whether it can be served from; the log tells why not."""
    try:
        with connect() as connection:
            check(connection)
    except NotReadyError as error:
        log.error("%s", error)
        return False
    return True


def guard_findings(connection: "psycopg.Connection[tuple[object, ...]]") -> list[str]:
    """Return one line per fault of the guard, none if it is whole."""
    try:
        rows = connection.execute("SELECT finding FROM priv.guard_findings()").fetchall()
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName):
        return ["it is not there"]
    return [str(row[0]) for row in rows]
