"""The hot loop: one batch of packets to all viewers of a stream.

Per group of viewers: headers, and how the batch is cut into runs. Per viewer and packet: nonce and encryption. Per
viewer and run: one system call. What is not live (joining, recovering from overload) is `catch_up`'s business.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.stream.contract import Outlet, Sender, VideoState
from gateway.stream.packet import MediaPacket
from gateway.stream.runs import cut_runs
from gateway.stream.track import Track
from gateway.transport.address import Address
from gateway.transport.socket import Sent
from gateway.transport.srtp import Run, Sealable

DROP_REASONS = ("overload", "skipped")
"""Why a viewer was not sent frames: its socket, or the whole gateway, could not keep up; or it was so far behind that
it went on at a newer keyframe. Told from the beginning, as 0: for Prometheus a counter that appears with 1 has not
grown."""

Batch = list[tuple[Track, MediaPacket]]
"""Packets of both tracks in the order of their arrival."""


@dataclass(slots=True)
class FanoutFigures:
    """Counters of a stream's egress; bytes are on the wire above UDP."""

    packets: int = 0
    bytes: int = 0
    sends: int = 0
    failed_sends: int = 0
    frames_dropped: dict[str, int] = field(default_factory=dict)
    """By reason."""
    audio_dropped: int = 0

    def drop_frames(self, reason: str, frames: int) -> None:
        """Count `frames` that a viewer was not sent."""
        self.frames_dropped[reason] = self.frames_dropped.get(reason, 0) + frames


class Fanout:
    """The viewers of one stream that are live, by group."""

    def __init__(self, sender: Sender, figures: FanoutFigures) -> None:
        self._sender = sender
        self._figures = figures
        self._groups: dict[tuple[int, ...], dict[Outlet, None]] = {}
        self.live_count = 0

    def add(self, outlet: Outlet) -> None:
        """`outlet` takes every packet from the next batch on."""
        self._groups.setdefault(outlet.key, {})[outlet] = None
        self.live_count += 1

    def discard(self, outlet: Outlet) -> bool:
        """`outlet` takes no more; False when it was not live."""
        group = self._groups.get(outlet.key)
        if group is None or outlet not in group:
            return False
        del group[outlet]
        self.live_count -= 1
        if not group:
            del self._groups[outlet.key]
        return True

    def live(self) -> Iterable[Outlet]:
        """All live outlets."""
        for group in self._groups.values():
            yield from group

    def send(self, batch: Batch) -> list[Outlet]:
        """Send `batch` to everybody who is live. Returns those for whom the socket had no room: they are live no
        longer."""
        stalled: list[Outlet] = []
        for group in tuple(self._groups.values()):
            if stalled:
                stalled += group
                continue
            stalled += self._send_runs(group, self._runs(next(iter(group)), batch))
        for outlet in stalled:
            self.discard(outlet)
        return stalled

    def _runs(self, outlet: Outlet, batch: Batch) -> list[Run]:
        overhead_bytes, max_segments = outlet.sealer.overhead_bytes, self._sender.max_segments
        audio_mark = self._sender.marks.audio
        if not audio_mark:
            return cut_runs(sealables(outlet, batch), overhead_bytes, max_segments)
        # A run has one mark. Audio by itself, and first: cut where it stands it would cost another send of video.
        audio, video = _parted(batch)
        return [
            *cut_runs(sealables(outlet, audio), overhead_bytes, max_segments, audio_mark),
            *cut_runs(sealables(outlet, video), overhead_bytes, max_segments),
        ]

    def _send_runs(self, group: dict[Outlet, None], runs: list[Run]) -> list[Outlet]:
        """The loop itself: each run to each outlet of the group. Returns those who stall."""
        sends = [(run, self._sender.ancillary(run.segment_bytes, len(run), run.mark)) for run in runs]
        sendmsg, sendto = self._sender.sendmsg, self._sender.sendto
        served = 0
        for outlet in group:
            seal_run, address = outlet.sealer.seal_run, outlet.address
            for run, ancillary in sends:
                sealed = seal_run(run)
                try:
                    if ancillary:
                        sendmsg(sealed, ancillary, 0, address)
                    else:
                        sendto(sealed[0], address)
                except OSError:
                    if self._send_again(run, sealed, address) is Sent.FULL:
                        # The socket is everybody's: when it is full for one, the rest of the group stalls untried.
                        self._count(runs, served)
                        return list(group)[served:]
            served += 1
        self._count(runs, served)
        return []

    def _send_again(self, run: Run, sealed: Sequence[bytes | bytearray], address: Address) -> Sent:
        """The kernel refused a send: let the sender find out why, and do what it can."""
        sent = self._sender.send_run(sealed, run.segment_bytes, len(run), address, run.mark)
        if sent is Sent.FAILED:
            self._figures.failed_sends += 1
            self._count([run], -1)
        return sent

    def _count(self, runs: list[Run], served: int) -> None:
        self._figures.sends += len(runs) * served
        for run in runs:
            self._figures.packets += len(run) * served
            self._figures.bytes += run.size_bytes * served

    def send_to(self, outlet: Outlet, batch: Batch) -> Sent:
        """Send `batch` to one outlet, live or not; stops at the first run that is not sent."""
        for run in self._runs(outlet, batch):
            sealed = outlet.sealer.seal_run(run)
            sent = self._sender.send_run(sealed, run.segment_bytes, len(run), outlet.address, run.mark)
            if sent is not Sent.OK:
                self._figures.failed_sends += sent is Sent.FAILED
                return sent
            self._count([run], 1)
        return Sent.OK


def _parted(batch: Batch) -> tuple[Batch, Batch]:
    """Audio, and video, each in its order."""
    return [each for each in batch if not each[0].is_video], [each for each in batch if each[0].is_video]


def sealables(outlet: Outlet, batch: Batch) -> Iterable[Sealable]:
    """The packets of `batch` that `outlet` takes, with the headers of its layouts."""
    for track, packet in batch:
        layout = outlet.layouts.get(track.kind)
        if layout is not None:
            yield layout.header(packet), packet.payload, track.ssrc, track.ssrc << 48 | packet.index


def takes(outlet: Outlet, track: Track, packet: MediaPacket) -> bool:
    """Whether `outlet`, wherever it stands, has passed `packet`'s place and so gets it when it comes late."""
    if track.kind not in outlet.layouts or packet.index < outlet.first.get(track.kind, packet.index + 1):
        return False
    if not track.is_video:
        return True
    return outlet.video is VideoState.LIVE or (
        outlet.video is VideoState.CATCHING_UP and packet.index < outlet.position
    )


def begin_earlier(outlet: Outlet, track: Track, packet: MediaPacket) -> None:
    """Let `outlet` begin at the late `packet` of the very keyframe that it began with: parameter sets come first."""
    start = track.cache.packet(outlet.first.get(track.kind, -1)) if track.is_video else None
    if start is None or start.index >> 16 != packet.index >> 16:
        return  # Before a rollover that this viewer's SRTP began to count at.
    if packet.index < start.index and packet.timestamp == start.timestamp:
        outlet.first[track.kind] = packet.index
