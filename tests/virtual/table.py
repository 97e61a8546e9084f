"""A table in play: one gateway, its studios and players, and the links between them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.stream.stream import StreamSettings
from gateway.transport.address import Address
from gateway.transport.session import Session
from tests.stream.doubles import FirstIndex
from tests.virtual.gateway import VirtualGateway
from tests.virtual.link import Conditions, Link
from tests.virtual.player import Player
from tests.virtual.scheduler import Scheduler
from tests.virtual.studio import Studio, StudioSettings

CLEAN = Conditions()


@dataclass(slots=True)
class Seat:
    """A peer of the gateway and its path: `up` to the gateway, `down` from it."""

    session: Session
    up: Link
    down: Link


@dataclass(slots=True)
class StudioSeat(Seat):
    """A studio at the gateway."""

    studio: Studio


@dataclass(slots=True)
class PlayerSeat(Seat):
    """A player at the gateway."""

    player: Player
    joined_s: float


class Table:
    """Builds peers and lets time pass. All chance comes from `seed`."""

    def __init__(
        self,
        seed: int,
        *,
        ingest: Conditions = CLEAN,
        egress: Conditions = CLEAN,
        settings: StreamSettings | None = None,
        first_index: int | None = None,
    ) -> None:
        self.scheduler = Scheduler()
        self.ingest, self.egress = ingest, egress
        self._seeds = random.Random(seed)
        source = random.Random(seed) if first_index is None else FirstIndex(first_index)
        self.gateway = VirtualGateway(self.scheduler, settings or StreamSettings(), source)
        self.studios: list[StudioSeat] = []
        self.players: list[PlayerSeat] = []

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        self.scheduler.run(duration_s)

    def add_studio(self, settings: StudioSettings | None = None) -> StudioSeat:
        """A studio that begins to publish now."""
        settings = settings or StudioSettings(seed=self._seeds.getrandbits(32))
        address: Address = (f"studio{len(self.studios)}", 5000)
        ours, theirs = self._masters()
        studio = Studio(self.scheduler, settings, (theirs, ours))
        down = self._link(self.ingest, studio.on_datagram)
        self.gateway.socket.routes[address] = down.send
        session = self.gateway.connect_studio(settings, address, (ours, theirs))
        up = self._link(self.ingest, partial(self.gateway.on_datagram, session))
        studio.send = up.send
        studio.start()
        self.studios.append(StudioSeat(session, up, down, studio))
        return self.studios[-1]

    def add_player(self, *, has_rtx: bool = True, sends_nack: bool = True) -> PlayerSeat:
        """A player that begins to watch now."""
        address: Address = (f"player{len(self.players)}", 5000)
        ours, theirs = self._masters()
        ssrcs = {kind: track.ssrc for kind, track in self.gateway.stream.tracks.items()}
        player = Player(self.scheduler, ssrcs, (theirs, ours), sends_nack=sends_nack)
        down = self._link(self.egress, player.on_datagram)
        self.gateway.socket.routes[address] = down.send
        session = self.gateway.connect_player(address, (ours, theirs), has_rtx=has_rtx)
        up = self._link(self.egress, partial(self.gateway.on_datagram, session))
        player.send = up.send
        player.start()
        self.players.append(PlayerSeat(session, up, down, player, self.scheduler.now_s))
        return self.players[-1]

    def move(self, seat: PlayerSeat) -> Link:
        """The player appears at a new address, and the old one leads nowhere; the link that is cut."""
        cut, address = seat.down, (f"{seat.session.session_id} moved", 6000)
        cut.is_cut = True
        seat.down = self._link(self.egress, seat.player.on_datagram)
        self.gateway.socket.routes[address] = seat.down.send
        self.gateway.move(seat.session, address)
        return cut

    def end(self) -> float:
        """Time for what is still missing; until when it is fair to judge. What nothing follows is missed by nobody."""
        until_s = self.scheduler.now_s
        self.run(0.3)
        for seat in self.studios:
            seat.studio.stop()
        self.run(1.5)
        return until_s

    def _link(self, conditions: Conditions, deliver: Callable[[bytes], None]) -> Link:
        return Link(self.scheduler, conditions, self._seeds.getrandbits(32), deliver)

    def _masters(self) -> tuple[bytes, bytes]:
        return self._seeds.randbytes(28), self._seeds.randbytes(28)
