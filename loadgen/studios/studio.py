"""A studio: it publishes one stream, and does what its scenario says, until the run is over."""

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial

from gateway.errors import WireError
from gateway.wire.h264 import H264Profile, profile_class
from loadgen.errors import SignallingError
from loadgen.figures import StudioCounts
from loadgen.scenario.schema import ReconnectEvent
from loadgen.signalling.offer import CONSTRAINED_BASELINE, studio_offer
from loadgen.studios.broadcast import Broadcast, fresh_ssrcs
from loadgen.studios.packetizer import PacketizedClip
from loadgen.studios.timeline import Event, Happening, next_happening
from loadgen.studios.whip_peer import PeerFactory, WhipPeer

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0
"""An encoder tries again: at first soon, then every few seconds."""


class Studio:
    """`run` until it is cancelled, then `close`. Nothing happens to it before `begin`."""

    def __init__(
        self,
        stream: str,
        clip: PacketizedClip,
        events: Sequence[Event],
        peer_factory: PeerFactory,
        counts: StudioCounts,
    ) -> None:
        """`counts` grow from now on; see `take_counts`."""
        self.stream = stream
        self.counts = counts
        self.is_on_air = asyncio.Event()
        """Set while media is sent; paused is on air."""
        self.last_error: SignallingError | None = None
        """Why the newest attempt to connect failed; None once one succeeded."""
        self._clip = clip
        self._events = events
        self._peer_factory = peer_factory
        self._began_monotonic_s = math.inf
        self._news = asyncio.Event()
        """Something that `_until_off_air` waits for without knowing when it comes."""
        self._peer: WhipPeer | None = None
        self._broadcast: Broadcast | None = None

    def begin(self, run_began_s: float) -> None:
        """The events' times count from `run_began_s`, unix seconds."""
        self._began_monotonic_s = time.monotonic() - (time.time() - run_began_s)
        self._news.set()

    @property
    def elapsed_s(self) -> float:
        """Since the run began; minus infinity before."""
        return time.monotonic() - self._began_monotonic_s

    def take_counts(self) -> StudioCounts:
        """What was counted since this was last asked."""
        taken = replace(self.counts)
        for each in fields(self.counts):
            setattr(self.counts, each.name, 0)
        return taken

    def take_lateness_s(self) -> float:
        """How late we were to send, at worst, since this was last asked."""
        if self._broadcast is None:
            return 0.0
        transmission = self._broadcast.transmission
        lateness_s, transmission.lateness_s = transmission.lateness_s, 0.0
        return lateness_s

    async def run(self) -> None:
        """Connect, publish, reconnect, until cancelled. Media stops then; the session is left to `close`."""
        try:
            while True:
                await self._go_on_air()
                await asyncio.sleep(await self._until_off_air())
        finally:
            self._stop_sending()

    async def close(self) -> None:
        """End the session by DELETE, if there is one."""
        self._stop_sending()
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.goodbye()

    # Connecting

    async def _go_on_air(self) -> None:
        retry_s = FIRST_RETRY_S
        while not await self._connects():
            self.counts.failures += 1
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, LAST_RETRY_S)
        self.counts.connects += 1
        self.is_on_air.set()

    async def _connects(self) -> bool:
        ssrcs = fresh_ssrcs()
        offer = partial(studio_offer, ssrcs=ssrcs, profile_level_id=_offered_profile(self._clip.profile_level_id))
        peer = self._peer_factory(offer)
        try:
            await peer.connect()
            self._peer = peer
            self._broadcast = Broadcast(peer, self._clip, ssrcs, self.counts, self._news.set)
        except SignallingError as error:
            self.last_error = error
            await self.close()
            return False
        except asyncio.CancelledError:
            # The server may have the session already: `close` ends it.
            self._peer = peer
            raise
        self.last_error = None
        return True

    # On air

    async def _until_off_air(self) -> float:
        """Do what the scenario says. Returns, once the session is over, the seconds until the next one begins."""
        broadcast = self._broadcast
        assert broadcast is not None
        after_s = self.elapsed_s
        while not broadcast.is_ended_by_server:
            happening = next_happening(self._events, after_s)
            if await self._has_news_within(self._seconds_until(happening)):
                continue
            assert happening is not None
            if isinstance(happening.event, ReconnectEvent):
                await self._leave(happening.event)
                return happening.event.reconnect_after_s
            broadcast.pause(happening.event.pause_s)
            after_s = happening.at_s
        self.counts.failures += 1
        self._vanish()
        return FIRST_RETRY_S

    def _seconds_until(self, happening: Happening | None) -> float | None:
        """None when it is not known, or never."""
        if happening is None or self._began_monotonic_s == math.inf:
            return None
        return max(happening.at_s - self.elapsed_s, 0.0)

    async def _has_news_within(self, seconds: float | None) -> bool:
        """Whether the run began or the session ended in that time; None waits without end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        has_news = self._news.is_set()
        self._news.clear()
        return has_news

    async def _leave(self, event: ReconnectEvent) -> None:
        if event.goodbye:
            await self.close()
        else:
            self._vanish()

    def _vanish(self) -> None:
        self._stop_sending()
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.vanish()

    def _stop_sending(self) -> None:
        self.is_on_air.clear()
        broadcast, self._broadcast = self._broadcast, None
        if broadcast is not None:
            broadcast.stop()


def _offered_profile(profile_level_id: str) -> str:
    """What to offer for a clip of that profile. Constrained baseline of a low level is offered as all browsers do:
    some servers compare digits, not profiles."""
    level = profile_level_id[4:]
    with contextlib.suppress(WireError):
        if profile_class(profile_level_id) is H264Profile.CONSTRAINED_BASELINE:
            return CONSTRAINED_BASELINE[:4] + max(level, CONSTRAINED_BASELINE[4:])
    return profile_level_id
