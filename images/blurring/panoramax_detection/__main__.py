"""`python -m panoramax_detection`: load the models, try each, then serve; or exit with the reason."""

import asyncio
import logging
import os
import sys

from panoramax_blurring.errors import ModelError
from panoramax_blurring.own_model import OwnModel
from panoramax_blurring.serving import serve

from .app import create_app
from .settings import load

logger = logging.getLogger("panoramax_detection")
EXIT_CONFIG = 78


def main() -> int:
    """Entry point."""
    try:
        settings = load()
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
        threads = settings.threads or len(os.sched_getaffinity(0))
        detectors = {declared.name: OwnModel(declared, threads) for declared in settings.detectors}
    except ModelError as error:
        print(f"detection: {error}", file=sys.stderr)
        return EXIT_CONFIG
    logger.info("ready: %s", ", ".join(detectors))
    app = create_app(detectors, settings)
    asyncio.run(serve(app, "0.0.0.0", settings.port, settings.tls_certificate, settings.tls_key))
    return 0


if __name__ == "__main__":
    sys.exit(main())
