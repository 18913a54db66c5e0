"""`python -m panoramax_blurring`: load the models, prove that they work, then serve; or exit."""

import asyncio
import logging
import sys

from . import serving
from .app import create_app
from .detectors import Context, create_detectors
from .engine_choice import choose_engine
from .engine_client import EngineClient
from .engines import thread_count
from .errors import ModelError
from .foreign import ForeignWork
from .proof import Signer
from .selftest import SelfTest, check_files
from .service import Service
from .settings import Settings, SettingsError
from .work import OwnWork, Work

logger = logging.getLogger("panoramax_blurring")
EXIT_CONFIG = 78


def _work(settings: Settings) -> tuple[Work, str]:
    """Who blurs, and what the models run on."""
    selftest = SelfTest(settings.models)
    if settings.foreign_url:
        return ForeignWork(EngineClient(settings.foreign_url), selftest, settings), "a machine of its own"
    engine = choose_engine(settings, settings.models / "plates.onnx")
    detectors = create_detectors(Context(settings, engine))
    return OwnWork(detectors, selftest, settings), f"{engine.name}, {thread_count(settings)} threads"


async def serve(settings: Settings) -> int:
    """Run until a signal; the exit code."""
    check_files(settings.models)
    signer = Signer.from_settings(settings)
    work, engine = _work(settings)
    service = Service(work, settings)
    failure = await service.health()
    # An engine elsewhere may come up later; what is wrong with our own models stays wrong.
    if failure is not None and not settings.foreign_url:
        raise ModelError(failure)
    service.metrics.set("blurring_info", 1, f'engine="{engine}",detectors="{work.name}"')
    logger.info("%s: %s on %s", failure or "ready", work.name, engine)
    app = create_app(service, signer)
    await serving.serve(app, settings.host, settings.port, settings.tls_certificate, settings.tls_key)
    return 0


def main() -> int:
    """Entry point."""
    try:
        settings = Settings.from_environment()
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
        return asyncio.run(serve(settings))
    except (SettingsError, ModelError) as error:
        print(f"blurring: {error}", file=sys.stderr)
        return EXIT_CONFIG


if __name__ == "__main__":
    sys.exit(main())
