"""The process that measures: the studio, and the players that check and time what they get."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from loadgen.peer.datagrams import load_socket, receive
from loadgen.signalling.offer import player_offer, studio_offer
from loadgen.studios.transmission import REPORT_INTERVAL_S
from tests.bench.pictures import Studio
from tests.bench.players import SampledPlayer
from tests.bench.remote import Service
from tests.bench.sessions import Sessions
from tests.bench.studio import StudioSession

LOOPBACK_DATAGRAMS = 2_000


@dataclass(frozen=True, slots=True)
class ProbeFigures:
    """What the sampled players saw in one window."""

    delays_ns: list[int]
    """Of every packet of every sampled player: from the studio's send to the player's queue."""
    runs: list[tuple[int, int, int]]
    """The sends to one of them: (arrival in ns, segment bytes, bytes of the whole run)."""
    lost: int
    duplicates: int
    wrong: int
    """Packets whose payload is not what the studio sent."""


class Probe(Service):
    """The studio of `whip_url` and players of `whep_url`."""

    def __init__(self, whip_url: str, whep_url: str, host: str, studio: Studio) -> None:
        self._whip_url = whip_url
        self._whep_url = whep_url
        self._host = host
        self._kind = studio
        self._sessions = Sessions(host)
        self._studio: StudioSession | None = None
        self._players: list[SampledPlayer] = []
        self._tasks = [asyncio.create_task(self._report())]

    async def publish(self) -> None:
        """Connect the studio; it is silent until `go_live`."""
        async for peer in self._sessions.opened(self._whip_url, studio_offer):
            studio = self._studio = StudioSession(peer, self._kind)
            self._tasks.append(asyncio.create_task(studio.run()))

    async def go_live(self, is_live: bool) -> None:
        """Let the studio send, or pause it."""
        self._live_studio.is_live = is_live

    async def join(self, count: int) -> None:
        """Let `count` sampled players join, one after another."""
        async for peer in self._sessions.opened(self._whep_url, player_offer, count):
            self._players.append(SampledPlayer(peer, self._live_studio.sent))

    async def begin_window(self) -> None:
        """Measure from now on."""
        for player in self._players:
            player.delays_ns, player.runs = [], []
            player.is_measured = True

    async def end_window(self) -> ProbeFigures:
        """What was seen since `begin_window`."""
        delays_ns: list[int] = []
        for player in self._players:
            player.is_measured = False
            delays_ns.extend(player.delays_ns)
        return ProbeFigures(
            delays_ns=delays_ns,
            runs=self._players[len(self._players) // 2].runs,
            lost=sum(player.lost for player in self._players),
            duplicates=sum(player.duplicates for player in self._players),
            wrong=sum(player.wrong for player in self._players),
        )

    async def loopback_delays_ns(self) -> list[int]:
        """The floor of a delay: the same stamp and the same kernel time, without a gateway between."""
        sender, receiver = load_socket(self._host), load_socket(self._host)
        delays_ns: list[int] = []
        with contextlib.closing(sender), contextlib.closing(receiver):
            for _ in range(LOOPBACK_DATAGRAMS):
                sender.sendto(time.time_ns().to_bytes(8, "big") + bytes(1100), receiver.getsockname())
                arrival = receive(receiver)
                assert arrival is not None
                delays_ns.append(arrival.arrival_ns - int.from_bytes(arrival.run[:8], "big"))
                await asyncio.sleep(0)
        return delays_ns

    async def close(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        if self._studio is not None:
            self._studio.close()
        for player in self._players:
            player.peer.vanish()

    @property
    def _live_studio(self) -> StudioSession:
        assert self._studio is not None, "publish first"
        return self._studio

    async def _report(self) -> None:
        for count in range(1 << 30):
            await asyncio.sleep(REPORT_INTERVAL_S)
            for player in self._players:
                player.report()
                if count % 2 == 0:
                    player.peer.check(time.time())
