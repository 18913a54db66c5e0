"""The API behind gunicorn."""

import logging
import sys
from typing import Any

from launcher import failures, known, metadata, privacy, refusals, sign_in

log = logging.getLogger("launcher.serve")


def arguments(bind: str, processes: int, threads: int, tls: tuple[str, str] | None = None) -> list[str]:
    """Return gunicorn's command line for ``processes`` processes of ``threads`` threads each.

    ``tls`` names the files of certificate and key; without it the API speaks plain HTTP.
    """
    return [
        "gunicorn",
        f"--bind={bind}",
        f"--workers={processes}",
        f"--threads={threads}",
        "--worker-class=gthread",
        # The root file system is read-only.
        "--worker-tmp-dir=/dev/shm",
        "--no-control-socket",
        # Searches with many ids are long; nginx allows as much.
        "--limit-request-line=8190",
        # A process takes no more connections than it has threads; the others wait where the next free process finds
        # them. gunicorn's own 1000 would queue them in a process whose threads are all busy, beside an idle one.
        f"--worker-connections={threads}",
        # The proxy keeps no connections to the API, and one that is kept would count among these.
        "--keep-alive=0",
        "--timeout=60",
        # Less than the time that `docker stop` leaves.
        "--graceful-timeout=25",
        *([f"--certfile={tls[0]}", f"--keyfile={tls[1]}"] if tls else []),
        "launcher.serve:application()",
    ]


def end_sessions_at_logout(provider: Any) -> None:
    """Let ``/api/auth/logout`` end the session at the identity provider too, in every process.

    Upstream takes the provider's logout address from metadata that a process only has once it served a login: in any
    other process logging out ends the local session alone, and the next login asks for no password (facts 3).
    """

    def logout_url() -> Any:
        try:
            return provider.client.load_server_metadata().get("end_session_endpoint")
        except Exception:
            log.exception("The identity provider's metadata cannot be read: logging out locally only")
            return None

    provider.logout_url = logout_url


def finish_interim(response: Any) -> Any:
    """Turn 102, which upstream gives as the last word on a picture in work, into 202 with the same body.

    To a client a 1xx is no answer: it would wait for another until its patience ends (facts 5.1, measured).
    """
    if response.status_code == 102:
        response.status_code = 202
    return response


def application() -> Any:
    """Create the WSGI application; gunicorn calls this once in each process."""
    from geovisio import create_api
    from geovisio.utils import auth

    from launcher import database

    database.checked_connections()
    app = create_api()
    if auth.oauth_provider is not None:
        end_sessions_at_logout(auth.oauth_provider)
    refusals.register(app)
    privacy.register(app)
    privacy.publish_nothing_unblurred()
    metadata.register(app)
    sign_in.register(app)
    known.register(app)
    failures.register(app)
    app.after_request(finish_interim)
    return app


def run(bind: str, processes: int, threads: int, tls: tuple[str, str] | None = None) -> int:
    """Serve until told to stop. Returns 1 without serving if the database is not fit for it."""
    from gunicorn.app import wsgiapp

    from launcher import database

    if not database.is_fit():
        return 1
    sys.argv = arguments(bind, processes, threads, tls)
    wsgiapp.run()
    return 0
