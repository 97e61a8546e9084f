"""Datagrams of nobody on the media port, in bursts that no small receive buffer holds.

`python -m tests.e2e.flood HOST PORT` sends until it is ended. The kernel cuts each call into datagrams (UDP_SEGMENT).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator

from tests.e2e.gateway_process import ROOT
from tests.e2e.orphans import end_with_the_run

CALLS_A_BURST = 4
DATAGRAMS_A_CALL = 60
DATAGRAM_BYTES = 1000
PAUSE_S = 0.0005
_UDP_SEGMENT = 103


@contextlib.asynccontextmanager
async def flood(host: str, port: int) -> AsyncIterator[None]:
    """Bursts during the block, by a process of their own."""
    command = (sys.executable, "-m", "tests.e2e.flood", host, str(port))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    """See the module."""
    end_with_the_run()
    address = (sys.argv[1], int(sys.argv[2]))
    burst = bytes([0xFF]) * (DATAGRAMS_A_CALL * DATAGRAM_BYTES)
    ancillary = ((socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", DATAGRAM_BYTES)),)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while True:
            for _ in range(CALLS_A_BURST):
                sender.sendmsg([burst], ancillary, 0, address)
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
