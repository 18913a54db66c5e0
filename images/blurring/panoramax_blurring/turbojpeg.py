"""libturbojpeg through ctypes: decode, rotate losslessly, and edit quantised DCT blocks in place.

Uses the 2.x API (`tjDecompress2`, `tjTransform` with a custom filter; Debian 13 has 2.1.5), which 3.x still exports.
Decoder and transform are the same library on purpose: what the detectors saw is what is edited.
"""

import ctypes as c
import ctypes.util
import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import JpegError, ModelError

PIXELS_BGR = 1
ACCURATE_DCT, LIMIT_SCANS = 4096, 32768
TRIM, PROGRESSIVE, COPY_NONE = 2, 32, 64
COLOURSPACES = ("rgb", "ycc", "grey", "cmyk", "ycck")
#: EXIF orientation -> lossless operation that makes the picture upright
UPRIGHT = {1: 0, 2: 1, 3: 6, 4: 2, 5: 3, 6: 5, 7: 4, 8: 7}
#: Padding between the picture and its end: the picture itself is complete.
HARMLESS = re.compile(r"\d+ extraneous bytes before marker 0xd9")

#: called with component index, block row and a writable view int16[blocks, 64] of its coefficients (row-major)
BlockEditor = Callable[[int, int, NDArray[np.int16]], None]


class _Region(c.Structure):
    _fields_ = (("x", c.c_int), ("y", c.c_int), ("w", c.c_int), ("h", c.c_int))


class _Transform(c.Structure):
    pass


_FILTER = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), _Region, _Region, c.c_int, c.c_int, c.POINTER(_Transform))
_Transform._fields_ = (
    ("region", _Region),
    ("operation", c.c_int),
    ("options", c.c_int),
    ("data", c.c_void_p),
    ("filter", _FILTER),
)


@functools.cache
def _library() -> Any:
    name = ctypes.util.find_library("turbojpeg") or "libturbojpeg.so.0"
    try:
        library = c.CDLL(name)
    except OSError as error:
        msg = f"libturbojpeg is missing (Debian package libturbojpeg0): {error}"
        raise ModelError(msg) from error
    data, size, out = c.c_char_p, c.c_ulong, c.POINTER(c.c_int)
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "tjInitDecompress": (c.c_void_p, []),
        "tjInitTransform": (c.c_void_p, []),
        "tjDestroy": (c.c_int, [c.c_void_p]),
        "tjFree": (None, [c.c_void_p]),
        "tjGetErrorStr2": (c.c_char_p, [c.c_void_p]),
        "tjGetErrorCode": (c.c_int, [c.c_void_p]),
        "tjDecompressHeader3": (c.c_int, [c.c_void_p, data, size, out, out, out, out]),
        "tjDecompress2": (c.c_int, [c.c_void_p, data, size, c.c_void_p, *[c.c_int] * 5]),
        "tjTransform": (
            c.c_int,
            [c.c_void_p, data, size, c.c_int, c.POINTER(c.c_void_p), c.POINTER(size), c.POINTER(_Transform), c.c_int],
        ),
    }
    for function, (result, arguments) in signatures.items():
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    return library


class _Handle:
    """A TurboJPEG instance; `check` turns its return codes into exceptions."""

    def __init__(self, kind: str) -> None:
        self.library = _library()
        self.pointer = getattr(self.library, kind)()
        self.clean = True

    def __enter__(self) -> "_Handle":
        return self

    def __exit__(self, *_: object) -> None:
        self.library.tjDestroy(self.pointer)

    def check(self, code: int) -> None:
        """Raises JpegError unless the call succeeded or the only complaint is padding before the end."""
        if code == 0:
            return
        message = self.library.tjGetErrorStr2(self.pointer).decode("ascii", "replace")
        is_warning = self.library.tjGetErrorCode(self.pointer) == 0
        if not (is_warning and HARMLESS.search(message)):
            raise JpegError(f"damaged picture: {message}")
        self.clean = False


def colourspace(data: bytes) -> tuple[int, int, str]:
    """Width, height and colour space (rgb, ycc, grey, cmyk, ycck) as the library sees them.

    Raises:
        JpegError: the library cannot read the header, or does not know the subsampling.
    """
    with _Handle("tjInitDecompress") as handle:
        width, height, sampling, space = (c.c_int() for _ in range(4))
        refs = [c.byref(value) for value in (width, height, sampling, space)]
        handle.check(handle.library.tjDecompressHeader3(handle.pointer, data, len(data), *refs))
        return width.value, height.value, COLOURSPACES[space.value]


def decode(data: bytes, size: tuple[int, int], divisor: int = 1) -> tuple[NDArray[np.uint8], bool]:
    """Decode to BGR uint8[height, width, 3], `size` (width, height) divided by 1, 2, 4 or 8 (rounded up).

    Returns the pixels and whether the file was clean (not clean: padding before its end).

    Raises:
        JpegError: the picture is cut off or damaged.
    """
    width, height = (-(-side // divisor) for side in size)
    pixels = np.empty((height, width, 3), np.uint8)
    with _Handle("tjInitDecompress") as handle:
        flags = ACCURATE_DCT | LIMIT_SCANS
        args = (pixels.ctypes.data, width, 3 * width, height, PIXELS_BGR, flags)
        handle.check(handle.library.tjDecompress2(handle.pointer, data, len(data), *args))
        return pixels, handle.clean


def transform(data: bytes, operation: int = 0, *, progressive: bool = False, edit: BlockEditor | None = None) -> bytes:
    """Rewrite the coefficients without decoding them: rotate or mirror (edges trimmed to whole units) or edit blocks.

    All metadata segments are left behind.

    Raises:
        JpegError: the picture is cut off or damaged.
        Exception: whatever `edit` raised.
    """
    failures: list[BaseException] = []

    def each_row(
        coefficients: Any, area: _Region, _plane: _Region, component: int, _index: int, _transform: Any
    ) -> int:
        try:
            blocks = (area.w // 8) * (area.h // 8)
            if edit is not None:
                edit(component, area.y // 8, np.ctypeslib.as_array(coefficients, shape=(blocks, 64)))
        except BaseException as error:
            failures.append(error)
            return -1
        return 0

    options = COPY_NONE | (PROGRESSIVE if progressive else 0) | (TRIM if operation else 0)
    order = _Transform(_Region(0, 0, 0, 0), operation, options, None, _FILTER(each_row) if edit else _FILTER())
    buffer, size = c.c_void_p(), c.c_ulong(0)
    with _Handle("tjInitTransform") as handle:
        try:
            code = handle.library.tjTransform(
                handle.pointer, data, len(data), 1, c.byref(buffer), c.byref(size), c.byref(order), LIMIT_SCANS
            )
            if failures:
                raise failures[0]
            handle.check(code)
            return c.string_at(buffer, size.value)
        finally:
            if buffer:
                handle.library.tjFree(buffer)
