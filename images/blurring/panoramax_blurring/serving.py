"""The HTTP server of this image's services, the same for each."""

import uvicorn

GRACE = 25  # seconds a picture in work may take after SIGTERM


async def serve(app: object, host: str, port: int, tls_certificate: str, tls_key: str) -> None:
    """Serve an ASGI application until a signal, then let what is in work end; with empty paths without TLS."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=tls_certificate or None,
        ssl_keyfile=tls_key or None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    await uvicorn.Server(config).serve()
