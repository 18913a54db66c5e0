"""Read one picture out of a multipart/form-data body, in memory and within a limit; write the multipart answer."""

import json
import secrets
from collections.abc import AsyncIterable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import RefusedError

FIELD = b"picture"
OVERHEAD = 64 * 1024  # boundaries, part headers and small other fields
MAX_HEADER = 4096


class PictureReceiver:
    """Collects the part named `picture`; other parts are counted and thrown away.

    Raises (from every method):
        RefusedError: not multipart, damaged, several pictures, or more bytes than allowed.
    """

    def __init__(self, content_type: str, max_bytes: int) -> None:
        kind, options = parse_options_header(content_type.encode("latin-1"))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise RefusedError("the body must be multipart/form-data with a field `picture`", 400)
        self.max_bytes, self.total = max_bytes, 0
        self.picture: bytearray | None = None
        self.finished = False
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._wanted = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._name) + len(self._value) > MAX_HEADER:
            raise RefusedError("a part header is too long", 400)

    def _header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._headers = {}
        self._wanted = options.get(b"name") == FIELD
        if self._wanted:
            if self.picture is not None:
                raise RefusedError("more than one picture", 400)
            self.picture = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted and self.picture is not None:
            self.picture += data[start:end]

    def _end(self) -> None:
        self.finished = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        self.total += len(chunk)
        if self.total > self.max_bytes + OVERHEAD or len(self.picture or b"") > self.max_bytes:
            raise RefusedError(f"the picture is larger than {self.max_bytes} bytes", 413)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise RefusedError(f"damaged multipart body: {error}", 400) from error

    def result(self) -> bytes:
        """The picture, once the whole body was fed."""
        if not self.finished:
            raise RefusedError("the multipart body is cut off", 400)
        if self.picture is None:
            raise RefusedError("the field `picture` is missing", 400)
        if not self.picture:
            raise RefusedError("the picture is empty", 400)
        if len(self.picture) > self.max_bytes:
            raise RefusedError(f"the picture is larger than {self.max_bytes} bytes", 413)
        return bytes(self.picture)


async def receive_picture(content_type: str, chunks: AsyncIterable[bytes], max_bytes: int) -> bytes:
    """The bytes of the field `picture`.

    Raises:
        RefusedError: see PictureReceiver.
    """
    receiver = PictureReceiver(content_type, max_bytes)
    async for chunk in chunks:
        if chunk:
            receiver.feed(chunk)
    return receiver.result()


def multipart_answer(metadata: dict[str, Any], picture: bytes) -> tuple[bytes, str]:
    """Body and content type of an answer with the parts `metadata` (JSON) and `image` (JPEG)."""
    boundary = secrets.token_hex(24)
    parts = (
        ("metadata", "metadata.json", "application/json", json.dumps(metadata).encode()),
        ("image", "picture.jpg", "image/jpeg", picture),
    )
    body = []
    for name, filename, kind, content in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        body += [f"{head}Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode(), content, b"\r\n"]
    body.append(f"--{boundary}--\r\n".encode())
    return b"".join(body), f"multipart/form-data; boundary={boundary}"
