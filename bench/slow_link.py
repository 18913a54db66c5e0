"""A link of so many megabit a second, as a proxy that browsers and programs are told to use (HTTP CONNECT).

Loopback carries gigabytes a second, and then only the processor is measured. Field staff have a link that is slower
than either: what counts there is whether a program keeps it full.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Bytes that go at once: few enough for an even flow, enough to cost little.
PIECE = 16_384
# Seconds of the link's time that are made up for when this program was woken too late.
LATE = 0.1


class Link:
    """The way up, shared by all connections; what comes back is little and not held up."""

    def __init__(self, megabit: float) -> None:
        self._seconds_a_byte = 8 / (megabit * 1e6)
        self._free = 0.0

    async def carry(self, count: int) -> None:
        """Wait until ``count`` more bytes are through."""
        clock = asyncio.get_running_loop()
        self._free = max(self._free, clock.time() - LATE) + count * self._seconds_a_byte
        await asyncio.sleep(max(0, self._free - clock.time()))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: the line that names its end, then whatever is sent."""
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode().split(" ")
        host, _, port = target.rpartition(":")
        # Chromium also calls its maker, who is not here.
        if method != "CONNECT" or host != "localhost":
            writer.close()
            return
        site_reader, site_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(
            self._pass_on(reader, site_writer, held_up=True), self._pass_on(site_reader, writer, held_up=False)
        )

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held_up: bool) -> None:
        try:
            while piece := await reader.read(PIECE):
                if held_up:
                    await self.carry(len(piece))
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@contextmanager
def slow_link(megabit: float) -> Iterator[str]:
    """Address of a proxy on loopback that is this fast, while it is in use."""
    loop = asyncio.new_event_loop()
    link = Link(megabit)
    server = loop.run_until_complete(asyncio.start_server(link.serve, "127.0.0.1", 0, limit=PIECE))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
