"""Whether pictures are sent to the blurring at all: only while it is seen to do its work, on a picture of ours.

Its own health check is not asked: what stands between it and the worker can fail too, and another service has another
one. A small picture that goes the whole way and comes back with a valid proof leaves nothing to guess. That also tells
whose fault a failure was: a service that blurs the test picture and fails on somebody's picture fails on that picture.
"""

import io
import logging
import time
from collections.abc import Callable

from PIL import Image

log = logging.getLogger("launcher.breaker")

# No picture has this identifier, so that what is signed for the test proves nothing else.
TEST_PICTURE = "00000000-0000-0000-0000-000000000000"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0


def test_picture() -> bytes:
    """Return a JPEG of 256 x 256 pixels without faces or plates."""
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, "JPEG")
    return out.getvalue()


class Breaker:
    """Open (nothing is sent) from the start, and from a failure on, until the test succeeds."""

    def __init__(self, test: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        """`test` sends the test picture and returns why that failed, or an empty text."""
        self._test, self._clock = test, clock
        self._closed = False
        self._quiet_until = float("-inf")
        self._pause = FIRST_PAUSE
        self._reason = ""

    def passes(self) -> bool:
        """Whether a picture may be sent now; tests the service if it is time to."""
        if not self._closed and self._clock() >= self._quiet_until:
            self.test()
        return self._closed and self._clock() >= self._quiet_until

    def test(self) -> bool:
        """Send the test picture, and return whether the service does its work."""
        reason = self._test()
        if not reason:
            if not self._closed:
                log.info("The blurring service does its work%s", f" again ({self._reason})" if self._reason else "")
            self._closed, self._pause, self._reason = True, FIRST_PAUSE, ""
            return True
        if self._closed or reason != self._reason:
            log.warning("Pictures wait: %s", reason)
        self._closed, self._reason = False, reason
        self._quiet_until = self._clock() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return False

    def rest(self, seconds: float) -> None:
        """Send nothing for a while: the service has enough to do."""
        self._quiet_until = self._clock() + seconds
