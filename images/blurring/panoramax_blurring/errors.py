"""Why a picture was not blurred. Every error becomes an HTTP status; none ever carries the picture."""


class RefusedError(Exception):
    """The picture cannot be blurred safely; the caller is told why.

    Attributes:
        status: HTTP status of the answer, 4xx.
    """

    def __init__(self, detail: str, status: int = 422) -> None:
        super().__init__(detail)
        self.status = status


class JpegError(RefusedError):
    """Not a JPEG file of a kind that this service can edit without doubt."""


class EngineError(RuntimeError):
    """An engine of another make did not do its work. That is no fault of the picture's."""


class ModelError(RuntimeError):
    """A model or an engine is missing, damaged or does not do what it should: the service must not run."""
