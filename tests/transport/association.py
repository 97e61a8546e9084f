"""Two ends of an association in the clear, and a link between them that a test controls."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from gateway.transport.data_channel import SIGNALS, Channel, ChannelTerms, DataChannels, Receiver
from gateway.transport.dtls import DtlsSession
from gateway.transport.sctp import Association
from gateway.wire.dcep import DataChannelOpen

TERMS = ChannelTerms(remote_port=5000, remote_max_message_bytes=65_536, max_message_bytes=4096)


class Plain:
    """A DTLS session without encryption: what an association needs of one."""

    state = "connected"

    def __init__(self, role: str, send: Callable[[bytes], None]) -> None:
        self._role = role
        self.send = send

    def as_dtls(self) -> DtlsSession:
        return cast(DtlsSession, self)


@dataclass
class Listener:
    """A `Receiver` that remembers what it was told, and says the same again if it is to."""

    texts: list[tuple[str, float]] = field(default_factory=list)
    closed: int = 0
    echoes: Channel | None = None

    def on_text(self, text: str, arrival_s: float) -> None:
        self.texts.append((text, arrival_s))
        if self.echoes is not None:
            self.echoes.send(text)

    def on_closed(self) -> None:
        self.closed += 1

    @property
    def heard(self) -> list[str]:
        return [text for text, _ in self.texts]


class Pair:
    """A gateway's data channels and a player's. Packets wait in `queue` until they are carried."""

    def __init__(self, *, player_role: str = "client", terms: ChannelTerms = TERMS) -> None:
        self.queue: deque[tuple[str, bytes]] = deque()
        """(sender, packet)"""
        self.carried: list[tuple[str, bytes]] = []
        self.carries: Callable[[str, bytes], bool] = lambda _sender, _packet: True
        self.drops: dict[str, list[str]] = {"gateway": [], "player": []}
        self.channels: list[Channel] = []
        """What the gateway was offered."""
        self.listener, self.player_listener = Listener(), Listener()
        self.accept: Callable[[Channel], Receiver | None] = lambda _channel: self.listener
        self.opened = 0
        self.now_s = 0.0
        self.gateway = self._end("gateway", "server" if player_role == "client" else "client", terms)
        self.player = self._end("player", player_role, TERMS)

    def _end(self, name: str, role: str, terms: ChannelTerms) -> DataChannels:
        dtls = Plain(role, lambda packet: self.queue.append((name, packet))).as_dtls()
        return DataChannels(dtls, terms, self._on_channel, self.drops[name].append)

    def _on_channel(self, channel: Channel) -> Receiver | None:
        self.channels.append(channel)
        return self.accept(channel)

    @property
    def association(self) -> Association:
        """The gateway's."""
        return self.gateway._association

    @property
    def player_association(self) -> Association:
        return self.player._association

    def deliver(self, sender: str, packet: bytes) -> None:
        """To the other end."""
        (self.gateway if sender == "player" else self.player).on_packet(packet, self.now_s)

    def carry(self) -> None:
        """Let packets travel until none is left."""
        while self.queue:
            sender, packet = self.queue.popleft()
            if self.carries(sender, packet):
                self.carried.append((sender, packet))
                self.deliver(sender, packet)

    def open(self, opening: DataChannelOpen = SIGNALS) -> Channel:
        """The player's channel, carried as far as it goes."""
        channel = self.player.open(self.player_listener, self._on_open, opening)
        self.carry()
        return channel

    def _on_open(self) -> None:
        self.opened += 1

    async def settle(self) -> None:
        """Let what timers have begun come to its end, and travel."""
        for _ in range(3):
            await asyncio.sleep(0)
            self.carry()

    def close(self) -> None:
        self.gateway.close()
        self.player.close()


def timers_of(association: Association) -> list[asyncio.TimerHandle]:
    """Those that still run."""
    names = ("_t1_handle", "_t2_handle", "_t3_handle", "_reconfig_handle")
    handles = [getattr(association, name) for name in names]
    return [handle for handle in handles if handle is not None]
