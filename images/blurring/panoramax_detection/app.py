"""The web interface: POST /NAME/detect/ finds things in a picture, GET /healthz tells that all models are loaded."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from panoramax_blurring import turbojpeg
from panoramax_blurring.errors import RefusedError
from panoramax_blurring.jpegfile import parse
from panoramax_blurring.multipart import receive_picture
from panoramax_blurring.own_model import Found, OwnModel

from .settings import Settings

logger = logging.getLogger(__name__)
BODY_SECONDS = 60.0
MAX_FOUND = 200
#: Nothing is decoded larger than twice what a model will be shown.
DIVISORS = (8, 4, 2)


def look(detector: OwnModel, data: bytes, max_pixels: int) -> list[Found]:
    """What is in the picture, in its own pixels, the surest first; 200 at most.

    Raises:
        RefusedError: not a JPEG that can be read, or too large.
    """
    picture = parse(data)
    size = (picture.width, picture.height)
    if size[0] * size[1] > max_pixels:
        raise RefusedError(f"{size[0]} x {size[1]} pixels are more than the limit of {max_pixels}", 413)
    divisor = next((divisor for divisor in DIVISORS if max(size) // divisor >= detector.sees), 1)
    pixels, _ = turbojpeg.decode(data, size, divisor)
    found = []
    height, width = pixels.shape[:2]
    for one in detector.find((width, height), lambda x, y, w, h: pixels[y : y + h, x : x + w])[:MAX_FOUND]:
        left, top, right, bottom = (side * divisor for side in one.box)
        found.append(Found(one.label, one.confidence, (left, top, min(right, size[0]), min(bottom, size[1]))))
    return found


def create_app(detectors: dict[str, OwnModel], settings: Settings) -> Starlette:
    """The ASGI application. One picture at a time: the caller is one process, and the blurring needs the processors."""
    one_at_a_time = ThreadPoolExecutor(max_workers=1)

    async def detect(request: Request) -> Response:
        detector = detectors.get(request.path_params["name"])
        if detector is None:
            return JSONResponse({"detail": "no such detector"}, 404)
        since = time.perf_counter()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                kind = request.headers.get("content-type", "")
                data = await receive_picture(kind, request.stream(), settings.max_bytes)
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(one_at_a_time, look, detector, data, settings.max_pixels)
        except RefusedError as error:
            return JSONResponse({"detail": str(error)}, error.status)
        except (TimeoutError, ClientDisconnect):
            return JSONResponse({"detail": "the picture did not arrive in time"}, 408)
        except Exception:
            logger.exception("%s failed", detector.declared.name)
            return JSONResponse({"detail": "detection failed"}, 500)
        logger.info("%s: %d found, %.2f s", detector.declared.name, len(found), time.perf_counter() - since)
        return JSONResponse({"detections": [asdict(one) for one in found]})

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "detectors": sorted(detectors)})

    return Starlette(routes=[Route("/{name}/detect/", detect, methods=["POST"]), Route("/healthz", health)])
