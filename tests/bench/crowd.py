"""The process of the many: players with a session of their own each, that drain their sockets and report."""

import asyncio
import secrets
import socket
import time
from collections import deque
from dataclasses import dataclass

from loadgen.peer.datagrams import drain, kernel_drops, load_socket
from loadgen.signalling.offer import player_offer
from tests.bench.players import DrainingPlayer
from tests.bench.remote import Service
from tests.bench.sessions import Sessions

DRAIN_INTERVAL_S = 0.02
ROUNDS_A_SECOND = round(1 / DRAIN_INTERVAL_S)
CONSENT_INTERVAL_S = 2.5
"""What Chromium takes (RFC 7675 says about 5 s)."""


@dataclass(frozen=True, slots=True)
class CrowdFigures:
    """Of all players since they joined."""

    received_bytes: int
    kernel_drops: int
    """Reads lost on the players' side: the load was too slow."""


class Crowd(Service):
    """Players of `url`."""

    def __init__(self, url: str, host: str) -> None:
        self._url = url
        self._host = host
        self._sessions = Sessions(host)
        self._buffer = bytearray(2048)
        self._players: list[DrainingPlayer] = []
        self._sinks: list[socket.socket] = []
        self._task = asyncio.create_task(self._run())

    async def join(self, count: int) -> None:
        """Let `count` players join, one after another."""
        async for peer in self._sessions.opened(self._url, player_offer, count):
            self._players.append(DrainingPlayer(peer, self._buffer))

    async def figures(self) -> CrowdFigures:
        """What came so far."""
        return CrowdFigures(
            sum(player.received_bytes for player in self._players), sum(p.kernel_drops() for p in self._players)
        )

    async def open_sinks(self, count: int) -> list[tuple[str, int]]:
        """Sockets like the players' that are only drained; their addresses."""
        self._sinks = [load_socket(self._host) for _ in range(count)]
        return [sink.getsockname() for sink in self._sinks]

    async def close_sinks(self) -> int:
        """Close what `open_sinks` opened; how many reads they lost."""
        sinks, self._sinks = self._sinks, []
        dropped = sum(map(kernel_drops, sinks))
        for sink in sinks:
            sink.close()
        return dropped

    async def close(self) -> None:
        """End."""
        self._task.cancel()
        for player in self._players:
            player.peer.vanish()

    async def _run(self) -> None:
        """Drain everybody in every round; report and check by turns, so that each second is like the other."""
        loop = asyncio.get_running_loop()
        turns = round(CONSENT_INTERVAL_S * ROUNDS_A_SECOND)
        turn = secrets.randbelow(turns)
        while True:
            started_s = loop.time()
            players = self._players
            for player in players:
                player.drain()
            for sink in self._sinks:
                deque(drain(sink, self._buffer), maxlen=0)
            for player in players[turn % ROUNDS_A_SECOND :: ROUNDS_A_SECOND]:
                player.report()
            for player in players[turn::turns]:
                player.peer.check(time.time())
            turn = (turn + 1) % turns
            await asyncio.sleep(max(started_s + DRAIN_INTERVAL_S - loop.time(), 0.001))
