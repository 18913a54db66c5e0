"""What is seen on the wire between the test's hosts: every frame that this machine's bridge passes on."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

ETH_P_ALL = 0x0003
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
# UDP port of VXLAN, which carries overlay networks (RFC 7348, and Docker's own default).
VXLAN_PORTS = (struct.pack("!H", 4789),)

# What must not be seen in clear. Each is longer than chance would make it in some tens of megabytes.
SECRETS = {
    "a JPEG file": b"\xff\xd8\xff\xe1",
    "a JPEG's tables": b"\x00JFIF\x00",
    "EXIF data": b"Exif\x00\x00",
    "SQL": b"SELECT ",
    "a change by SQL": b"UPDATE ",
    "a cookie": b"__Host-session",
    "an access token": b"Bearer ey",
    "a signed token": b"eyJhbGciOi",
    "a client's secret": b"client_secret",
    "a request": b"HTTP/1.1",
    "an upload": b"multipart/form-data",
}


@dataclass
class Capture:
    """Frames, one after the other, and how many of them were of an overlay network."""

    frames: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(map(len, self.frames))

    @property
    def overlay(self) -> int:
        """Bytes of frames that carry an overlay network."""
        # Ethernet 14, IPv4 20, UDP: destination port at 36.
        return sum(len(frame) for frame in self.frames if frame[23:24] == b"\x11" and frame[36:38] in VXLAN_PORTS)

    def seen(self, secrets: dict[str, bytes]) -> list[str]:
        """Those of the byte strings that occur in a frame."""
        return [what for what, mark in secrets.items() if any(mark in frame for frame in self.frames)]


@contextlib.contextmanager
def listening(bridge: str) -> Iterator[Capture]:
    """Everything that crosses the bridge meanwhile. Needs root."""
    capture = Capture()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 2**20)
        ear.bind((bridge, 0))
        # Only so does a bridge give this machine a copy of what goes from one of its ports to another.
        index = socket.if_nametoindex(bridge)
        ear.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))
        ear.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    capture.frames.append(ear.recv(2**17))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield capture
        finally:
            over.set()
            thread.join()
