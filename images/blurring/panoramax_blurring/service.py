"""The one worker behind the web interface: admission, waiting, the work itself, and its health."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from .errors import RefusedError
from .metrics import Metrics
from .pipeline import Blurred
from .settings import Settings
from .work import Work

logger = logging.getLogger(__name__)
EXIT_STUCK = 70
FAILURE_LIFETIME = 10.0  # seconds after which a failed self-test is tried again
Result = TypeVar("Result")


class BusyError(Exception):
    """The queue is full; the caller should come back later."""


class GoneError(Exception):
    """The caller hung up while its picture was waiting."""


class UnhealthyError(Exception):
    """The self-test failed: nothing is sent through."""


class Service:
    """One thread does the work: two pictures at once would need twice the memory and gain nothing on few cores."""

    def __init__(self, work: Work, settings: Settings) -> None:
        self.work, self.settings = work, settings
        self.metrics = Metrics()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="blur")
        self._turn = asyncio.Semaphore(1)
        self._pictures = self._bytes = 0
        self._tested = float("-inf")
        self.failure: str | None = "not tested yet"

    @contextmanager
    def admitted(self, announced_bytes: int) -> Iterator[None]:
        """Hold a place in the queue for a picture of at most so many bytes.

        Raises:
            BusyError: no place is left.
        """
        settings = self.settings
        if self._pictures >= settings.queue or (
            self._pictures and self._bytes + announced_bytes > settings.queue_bytes
        ):
            self.metrics.add("blurring_pictures_total", 1, 'outcome="turned away"')
            raise BusyError
        self._count(1, announced_bytes)
        try:
            yield
        finally:
            self._count(-1, -announced_bytes)

    def _count(self, pictures: int, size: int) -> None:
        self._pictures += pictures
        self._bytes += size
        self.metrics.set("blurring_queue_pictures", self._pictures)
        self.metrics.set("blurring_queue_bytes", self._bytes)

    async def process(self, data: bytes, caller_is_gone: Callable[[], Awaitable[bool]]) -> Blurred:
        """Blur a picture when its turn comes.

        Raises:
            RefusedError: the picture cannot be blurred safely.
            GoneError: the caller did not wait.
            UnhealthyError: the last self-test failed.
            Exception: the service is at fault; a fresh self-test decides whether it is still healthy.
        """
        arrived = time.perf_counter()
        async with self._turn:
            if await caller_is_gone():
                raise GoneError
            waited = time.perf_counter() - arrived
            if time.monotonic() - self._tested > self.work.trusted_seconds:
                await self._test()
            self._healthy()
            try:
                result = await self._in_thread(lambda: self.work.blur(data))
            except RefusedError:
                self.metrics.add("blurring_pictures_total", 1, 'outcome="refused"')
                raise
            except Exception:
                self.metrics.add("blurring_pictures_total", 1, 'outcome="failed"')
                await self._test()
                raise
            if result.unchanged:
                await self._test()
                self._healthy()
        self._record(result, waited)
        return result

    def _healthy(self) -> None:
        if self.failure is not None:
            raise UnhealthyError(self.failure)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Run in the worker thread; a picture that never ends cannot be stopped otherwise than with the process."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        done, _ = await asyncio.wait({future}, timeout=self.settings.picture_timeout)
        if not done:
            logger.critical("stuck for %.0f s: ending the process", self.settings.picture_timeout)
            os._exit(EXIT_STUCK)
        return future.result()

    def _record(self, result: Blurred, waited: float) -> None:
        self.metrics.add("blurring_pictures_total", 1, 'outcome="blurred"')
        self.metrics.add("blurring_megapixels_total", result.width * result.height / 1e6)
        self.metrics.add("blurring_waiting_seconds_total", waited)
        for kind, count in result.counts.items():
            self.metrics.add("blurring_boxes_total", count, f'kind="{kind}"')
        for step, seconds in result.seconds.items():
            self.metrics.add("blurring_seconds_total", seconds, f'step="{step}"')

    async def _test(self) -> None:
        """Run the self-test in the worker thread and keep its verdict (the caller holds the turn)."""
        try:
            await self._in_thread(self.work.test)
            self.failure = None
        except Exception as error:
            logger.exception("self-test failed")
            self.failure = str(error) or type(error).__name__
        self._tested = time.monotonic()
        self.metrics.set("blurring_selftest_ok", self.failure is None)

    async def health(self) -> str | None:
        """None if healthy, else why not. Cheap: tests again only when the verdict is old and nothing is in work."""
        lifetime = self.settings.selftest_interval if self.failure is None else FAILURE_LIFETIME
        if time.monotonic() - self._tested > lifetime and not self._turn.locked():
            async with self._turn:
                await self._test()
        return self.failure
