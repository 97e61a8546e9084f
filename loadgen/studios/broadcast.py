"""A connected session: reads its socket, and sends what its transmission has due. The adapter to the event loop."""

import asyncio
import itertools
import math
import random
import time
from collections.abc import Callable

from gateway.transport.srtp import SrtpSession
from loadgen.errors import SignallingError
from loadgen.figures import StudioCounts
from loadgen.peer.datagrams import Arrival, receive
from loadgen.signalling.offer import StudioSsrcs
from loadgen.studios.outgoing_track import OutgoingTrack, Ssrcs
from loadgen.studios.packetizer import PacketizedClip
from loadgen.studios.run_sender import RunSender
from loadgen.studios.transmission import Instant, Transmission
from loadgen.studios.whip_peer import PublishAnswer, WhipPeer

CHECK_INTERVAL_S = 2.5
"""Consent (RFC 7675 section 5.1 has 5 s; browsers are twice as eager)."""

_CONTROL_BELOW = 128
"""First bytes of STUN and DTLS (RFC 7983 section 7)."""
_RTCP_TYPES = range(192, 224)
"""Second bytes of RTCP (RFC 5761 section 4)."""


def fresh_ssrcs() -> StudioSsrcs:
    """Of a new session, all different."""
    return StudioSsrcs(*random.sample(range(1, 1 << 32), 3))


class Broadcast:
    """On air from the moment that it is made until `stop`."""

    def __init__(
        self,
        peer: WhipPeer,
        clip: PacketizedClip,
        ssrcs: StudioSsrcs,
        counts: StudioCounts,
        on_ended_by_server: Callable[[], None],
    ) -> None:
        """`peer` is connected. SignallingError("answer") when the server does not take the clip's video."""
        self._on_ended_by_server = on_ended_by_server
        self._peer = peer
        self._loop = asyncio.get_running_loop()
        tracks = _tracks(peer.answer, peer.srtp, clip, ssrcs)
        self.transmission = Transmission(clip, tracks, peer.srtp, RunSender(peer).send, counts, _now())
        self._timer: asyncio.TimerHandle | None = None
        self._fileno = peer.socket.fileno()
        self._loop.add_reader(self._fileno, self._on_readable)
        for arrival in peer.take_over():
            self._on_arrival(arrival)
        self._checks = self._loop.call_later(CHECK_INTERVAL_S, self._check)
        self._run_due()

    def stop(self) -> None:
        """Send nothing more, and leave the socket alone."""
        self._loop.remove_reader(self._fileno)
        self._checks.cancel()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_ended_by_server(self) -> bool:
        """Whether the server said goodbye, or is gone."""
        return self._peer.is_closed_by_server

    def pause(self, pause_s: float) -> None:
        """Send no media for so long; the session stays."""
        self.transmission.pause(time.monotonic() + pause_s)
        self._arm()

    def _run_due(self) -> None:
        self.transmission.run_due(_now())
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_s = self.transmission.next_due_s - time.monotonic()
        # uvloop's timers count whole milliseconds: rounded down they would come early, again and again.
        self._timer = self._loop.call_later(max(math.ceil(wait_s * 1000) / 1000, 0.0), self._run_due)

    def _check(self) -> None:
        self._checks = self._loop.call_later(CHECK_INTERVAL_S, self._check)
        self._peer.check(time.time())
        self._note_end()

    def _note_end(self) -> None:
        if self._peer.is_closed_by_server:
            self._on_ended_by_server()

    def _on_readable(self) -> None:
        while (arrival := receive(self._peer.socket)) is not None:
            self._on_arrival(arrival)

    def _on_arrival(self, arrival: Arrival) -> None:
        for datagram in arrival.datagrams():
            if len(datagram) < 2:
                continue
            if datagram[0] < _CONTROL_BELOW:
                self._peer.on_control(datagram, arrival.arrival_ns / 1e9)
                self._note_end()
            elif datagram[1] in _RTCP_TYPES:
                self.transmission.on_rtcp(datagram, _now())


def _now() -> Instant:
    return Instant(time.monotonic(), time.time_ns())


def _tracks(
    answer: PublishAnswer, srtp: SrtpSession, clip: PacketizedClip, ssrcs: StudioSsrcs
) -> dict[str, OutgoingTrack]:
    accepted = {media.kind: media for media in answer.media}
    if "video" not in accepted or accepted["video"].mime != "video/h264":
        raise SignallingError("answer", "The server takes no H264 video.")
    wanted = {"video": Ssrcs(ssrcs.video, ssrcs.video_rtx)}
    if clip.audio and "audio" in accepted:
        wanted["audio"] = Ssrcs(ssrcs.audio, None)
    numbers = itertools.count(random.randrange(1 << 16))
    return {kind: OutgoingTrack(accepted[kind], pair, srtp.sealer, numbers) for kind, pair in wanted.items()}
