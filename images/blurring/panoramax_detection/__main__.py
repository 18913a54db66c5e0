"""`python -m panoramax_detection`: load the models, try each, then serve; or exit with the reason."""

import asyncio
import logging
import os
import sys

import uvicorn

from .app import create_app
from .detector import Detector
from .settings import SettingsError, load

logger = logging.getLogger("panoramax_detection")
EXIT_CONFIG = 78
GRACE = 25  # seconds a picture in work may take after SIGTERM


def main() -> int:
    """Entry point."""
    try:
        settings = load()
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
        threads = settings.threads or len(os.sched_getaffinity(0))
        detectors = {declared.name: Detector(declared, threads) for declared in settings.detectors}
    except SettingsError as error:
        print(f"detection: {error}", file=sys.stderr)
        return EXIT_CONFIG
    logger.info("ready: %s", ", ".join(detectors))
    config = uvicorn.Config(
        create_app(detectors, settings),
        host="0.0.0.0",
        port=settings.port,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    asyncio.run(uvicorn.Server(config).serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
