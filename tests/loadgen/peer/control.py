"""What the owner of a connected peer does in every round."""

import asyncio
import time

from loadgen.peer.datagrams import receive
from loadgen.peer.peer import Peer
from tests.e2e.waiting import until


def read(peer: Peer) -> int:
    """Read its socket empty; how many datagrams were media."""
    media = 0
    while (arrival := receive(peer.socket)) is not None:
        for datagram in arrival.datagrams():
            if datagram[0] < 128:
                peer.on_control(datagram, arrival.arrival_ns / 1e9)
            else:
                media += 1
    return media


async def round_trip(peer: Peer) -> float:
    """One check and its answer; seconds. AssertionError when none comes."""
    peer.take_rtts_s()
    peer.check(time.time())
    rtts_s: list[float] = []

    def is_answered() -> bool:
        read(peer)
        rtts_s.extend(peer.take_rtts_s())
        return bool(rtts_s)

    await until(is_answered)
    return rtts_s[0]


async def closed_by_server(peer: Peer) -> None:
    """Wait until the peer knows."""

    def is_closed() -> bool:
        read(peer)
        return peer.is_closed_by_server

    await until(is_closed)
    await asyncio.sleep(0)
