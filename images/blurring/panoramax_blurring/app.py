"""The web interface: POST /blur/ as Panoramax calls it, GET /healthz, GET /metrics."""

import asyncio
import json
import logging
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .errors import RefusedError
from .multipart import OVERHEAD, multipart_answer, receive_picture
from .pipeline import Blurred
from .proof import HEADER, SERVICE, Signer
from .service import BusyError, GoneError, Service, UnhealthyError

logger = logging.getLogger(__name__)
RETRY_AFTER = {"Retry-After": "10"}
CLIENT_CLOSED = 499


def _refuse(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": detail}, status, headers=headers)


def _announced_size(request: Request, max_bytes: int) -> int:
    """Bytes to reserve: what the caller announces, or the limit for a body of unknown length.

    Raises:
        RefusedError: more than allowed, or not a number.
    """
    text = request.headers.get("content-length")
    if text is None:
        return max_bytes
    if not text.isdecimal():
        raise RefusedError("Content-Length is not a number", 400)
    if int(text) > max_bytes + OVERHEAD:
        raise RefusedError(f"the picture is larger than {max_bytes} bytes", 413)
    return int(text)


def _answer(request: Request, result: Blurred, proof: dict[str, str] | None) -> Response:
    # Detections are not published as annotations: the place of every face is nobody's business.
    metadata: dict[str, Any] = {"service_name": SERVICE, "blurring_id": str(uuid.uuid4()), "annotations": []}
    if proof is not None:
        metadata["proof"] = proof
    if "multipart/form-data" in request.headers.get("accept", ""):
        body, content_type = multipart_answer(metadata, result.data)
        return Response(body, headers={"content-type": content_type})
    return Response(result.data, media_type="image/jpeg", headers={"x-sgblur": json.dumps(metadata)})


def create_app(service: Service, signer: Signer) -> Starlette:
    """The ASGI application around a service; `signer` makes the proofs that go with its answers."""
    settings = service.settings

    async def blur_picture(request: Request) -> Response:
        # Tests again if it failed some time ago, so that work goes on as soon as somebody has some.
        failure = await service.health()
        if failure is not None:
            return _refuse(503, f"unhealthy: {failure}", RETRY_AFTER)
        try:
            with service.admitted(_announced_size(request, settings.max_bytes)):
                async with asyncio.timeout(settings.body_timeout):
                    content_type = request.headers.get("content-type", "")
                    data = await receive_picture(content_type, request.stream(), settings.max_bytes)
                result = await service.process(data, request.is_disconnected)
            proof = signer.sign(request.headers.get(HEADER), data, result)
        except RefusedError as error:
            logger.warning("refused: %s", error)
            return _refuse(error.status, str(error))
        except BusyError:
            return _refuse(503, "busy", RETRY_AFTER)
        except UnhealthyError as error:
            return _refuse(503, f"unhealthy: {error}", RETRY_AFTER)
        except TimeoutError:
            return _refuse(408, "the picture did not arrive in time")
        except (GoneError, ClientDisconnect):
            return _refuse(CLIENT_CLOSED, "the caller is gone")
        except Exception:
            logger.exception("failed")
            return _refuse(500, "blurring failed")
        total = sum(result.seconds.values())
        shape = f"{result.width}x{result.height}"
        logger.info("%s, %d -> %d bytes, %s, left out %s, %.2f s",
                    shape, len(data), len(result.data), result.counts, result.dropped, total)  # fmt: skip
        return _answer(request, result, proof)

    async def health(_: Request) -> Response:
        failure = await service.health()
        return JSONResponse({"status": "ok"}) if failure is None else _refuse(503, failure)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(service.metrics.text(), media_type="text/plain; version=0.0.4")

    return Starlette(
        routes=[
            Route("/blur/", blur_picture, methods=["POST"]),
            Route("/healthz", health),
            Route("/metrics", metrics),
        ]
    )
