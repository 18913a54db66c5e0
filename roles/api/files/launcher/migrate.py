"""The migration step: upstream's schema, then the guard, in the order in which they depend on each other."""

import json
import logging
import os
from pathlib import Path

import psycopg
from geovisio import db_migrations

from launcher import database

log = logging.getLogger("launcher.migrate")

GUARD = Path("/opt/private-panoramax/guard")
# Versions of the operator's own detectors by their names.
DETECTORS = Path("/etc/private-panoramax/detectors.json")
# Any number that nothing else in this database uses as an advisory lock.
_LOCK = 4_812_163


def clear_stale_lock(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Remove upstream's lock row, which a process that was killed leaves behind for ever (facts 9).

    Only the migration step takes that lock (the others run with DB_CHECK_SCHEMA=false), and this process holds the
    advisory lock that only one migration step can hold: a row that is there now is nobody's.
    """
    if connection.execute("SELECT to_regclass('public.yoyo_lock')").fetchone() == (None,):
        return
    removed = connection.execute("DELETE FROM public.yoyo_lock").rowcount
    if removed:
        log.warning("Removed the lock of a migration that was killed")


def apply_guard(connection: "psycopg.Connection[tuple[object, ...]]", folder: Path = GUARD) -> int:
    """Apply the guard's files in the order of their names, all or none, and return how many there were.

    Raises:
        NotReadyError: if there are none, or the guard is not whole afterwards.
        psycopg.Error: if one of them fails; the message names the file.
    """
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise database.NotReadyError(f"no guard in {folder}")
    with connection.transaction():
        connection.execute("SET LOCAL client_min_messages = warning")
        for file in files:
            try:
                connection.execute(file.read_bytes())
            except psycopg.Error:
                log.error("The guard could not be applied: %s", file.name)
                raise
        findings = database.guard_findings(connection)
        if findings:
            raise database.NotReadyError(f"the guard is not whole after applying it: {'; '.join(findings)}")
    return len(files)


def keep_defaults_in_step(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Write the two defaults that upstream reads from its settings only once, at the very first start (facts 1.3)."""
    connection.execute(
        "UPDATE public.configurations SET default_visibility = %(visibility)s, collaborative_metadata = %(together)s "
        "WHERE (default_visibility, collaborative_metadata) IS DISTINCT FROM "
        "(%(visibility)s::public.visibility_status, %(together)s)",
        {
            "visibility": os.environ["API_DEFAULT_PICTURE_VISIBILITY"],
            "together": os.environ["API_DEFAULT_COLLABORATIVE_METADATA_EDITING"] == "true",
        },
    )


def declare_detectors(connection: "psycopg.Connection[tuple[object, ...]]", path: Path = DETECTORS) -> None:
    """Tell the database which detectors there are: those that are gone lose their tags, a new version begins anew.

    What was removed is printed as a line of its own, which the deployment shows.
    """
    versions = json.loads(path.read_text(encoding="utf-8"))
    wanted = [{"name": name, "version": version} for name, version in versions.items()]
    with connection.transaction():
        rows = connection.execute(
            "SELECT gone, pictures, tags FROM priv.declare_detectors(%s)", (json.dumps(wanted),)
        ).fetchall()
    for name, pictures, tags in rows:
        print(f"NOTE Detector {name} is gone, and with it {tags} tags on {pictures} pictures", flush=True)


def run() -> int:
    """Bring the database up to date. Returns 1 if that failed; the reason is in the log."""
    try:
        with database.connect() as connection:
            connection.add_notice_handler(lambda notice: log.warning("%s", notice.message_primary))
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            clear_stale_lock(connection)
            before = known_applied(connection)
            db_migrations.update_db_schema(os.environ["DB_URL"], force=True)
            files = apply_guard(connection)
            keep_defaults_in_step(connection)
            declare_detectors(connection)
            for (warning,) in connection.execute("SELECT warning FROM priv.guard_warnings()"):
                log.warning("%s", warning)
            log.info("Schema: %d migrations applied now; guard: %d files", known_applied(connection) - before, files)
    except database.NotReadyError as error:
        log.error("%s", error)
        return 1
    except psycopg.Error as error:
        log.error("%s", error)
        return 1
    return 0


def known_applied(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    """Return how many of upstream's migrations the database has seen."""
    if connection.execute("SELECT to_regclass('public._yoyo_migration')").fetchone() == (None,):
        return 0
    row = connection.execute("SELECT count(*) FROM public._yoyo_migration").fetchone()
    return int(str(row[0])) if row else 0
