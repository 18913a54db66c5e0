"""Start a process of the API in its container: ``run.py api|worker|detect|migrate|backend``.

Settings, secrets among them, are read from a mounted file into the environment of this process only: they are neither
in ``docker inspect`` nor in ``/proc/1/environ``. Everything runs in this process, so that it is the one that receives
the signals of ``docker stop``.
"""

import argparse
import logging
import os
import signal
import sys
from types import FrameType

from launcher import environment


def pauses(text: str) -> list[float]:
    """Return the numbers in ``text``, which stand between commas; argparse tells about a ValueError."""
    return [float(part) for part in text.split(",") if part]


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; unknown arguments end the program with status 2."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--settings", default=environment.SETTINGS, help="file with the settings (JSON)")
    parser.add_argument("--umask", type=lambda text: int(text, 8), default=0o077, help="octal; of the files written")
    commands = parser.add_subparsers(dest="command", required=True)
    api = commands.add_parser("api", help="serve the API with gunicorn")
    api.add_argument("--bind", default="0.0.0.0:5000")
    api.add_argument("--processes", type=int, default=2)
    api.add_argument("--threads", type=int, default=4)
    api.add_argument("--certificate", default="", help="file in PEM form; with it and its key the API speaks TLS")
    api.add_argument("--key", default="")
    worker = commands.add_parser("worker", help="process pictures until told to stop")
    worker.add_argument("--job-timeout", type=int, default=300, help="seconds after which one job counts as failed")
    worker.add_argument(
        "--blur-timeout", type=int, default=240, help="seconds that the blurring may take for a picture"
    )
    worker.add_argument(
        "--retries", type=pauses, default="10,60,300", help="seconds before each further try, with commas"
    )
    detect = commands.add_parser("detect", help="have the operator's own detectors look at pictures")
    detect.add_argument("--timeout", type=int, default=120, help="seconds that a detector may take for a picture")
    commands.add_parser("migrate", help="bring the database's schema and the guard up to date, then end")
    backend = commands.add_parser("backend", help="upstream's own administration commands")
    backend.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def main() -> int:
    """Run what the command line asks for and return its exit status."""
    options = parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(name)s: %(message)s")
    # Process 1 of a container ignores SIGTERM unless it says otherwise; gunicorn and the worker's loop say more later.
    signal.signal(signal.SIGTERM, _end)
    # What is not yet blurred lies in files of this process: nobody else may read them.
    os.umask(options.umask)
    try:
        environment.apply(environment.load(options.settings))
    except environment.SettingsError as error:
        logging.error("%s", error)
        return 2

    # Imported late: each of these imports geovisio, which reads the environment.
    if options.command == "api":
        from launcher import serve

        tls = (options.certificate, options.key) if options.certificate else None
        return serve.run(options.bind, options.processes, options.threads, tls)
    if options.command == "worker":
        from launcher import worker

        return worker.run(options.job_timeout, options.blur_timeout, options.retries)
    if options.command == "detect":
        from launcher import detecting

        return detecting.run(options.timeout)
    if options.command == "migrate":
        from launcher import migrate

        return migrate.run()
    from geovisio import cli

    cli(options.arguments, prog_name="backend")
    return 0


if __name__ == "__main__":
    sys.exit(main())
