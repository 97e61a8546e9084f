"""Answering a viewer's NACK: by RTX where it was negotiated (RFC 4588), else by the identical packet."""

import random
from dataclasses import dataclass

from gateway.stream.contract import Outlet, Sender, VideoState
from gateway.stream.packet import MediaPacket
from gateway.stream.track import Track
from gateway.transport.socket import Sent
from gateway.transport.srtp import Sealable
from gateway.wire.serial import unwrap16

MIN_INTERVAL_S = 0.02
"""The same packet is not sent again sooner: the NACK crossed the retransmission."""

MAX_REMEMBERED = 512
"""Packets whose last retransmission is remembered, a viewer."""

BUDGET_BPS = 4_000_000
BUDGET_BURST_BYTES = 64_000
"""What one viewer may make us send again: twice a stream's rate. More is not loss but a path too narrow, or an
attack."""


BUDGET_NUMBERS_PER_S = 2_000
"""Sequence numbers that one viewer may ask for, a track, known or not: each costs a look-up."""


@dataclass(slots=True)
class RetransmissionFigures:
    """Counters of one stream's retransmissions to viewers."""

    by_rtx: int = 0
    identical: int = 0
    unknown: int = 0
    """Asked for, but no longer (or never) in the cache, or never sent to that viewer."""
    too_soon: int = 0
    over_budget: int = 0


class Retransmitter:
    """One viewer's retransmissions of one track."""

    __slots__ = (
        "_budget_bytes",
        "_budget_numbers",
        "_figures",
        "_outlet",
        "_refilled_s",
        "_rtx_index",
        "_sender",
        "_sent_s",
        "_track",
    )

    def __init__(self, outlet: Outlet, track: Track, sender: Sender, figures: RetransmissionFigures) -> None:
        self._outlet = outlet
        self._track = track
        self._sender = sender
        self._figures = figures
        self._rtx_index = random.randrange(1, 1 << 15)
        outlet.sealer.start_at(track.rtx_ssrc, self._rtx_index)
        self._sent_s: dict[int, float] = {}
        self._budget_bytes = float(BUDGET_BURST_BYTES)
        self._budget_numbers = float(BUDGET_NUMBERS_PER_S)
        self._refilled_s: float | None = None

    def answer(self, sequence_numbers: tuple[int, ...], now_s: float) -> None:
        """Send again what may be sent of the 16-bit `sequence_numbers`."""
        self._refill(now_s)
        answered = sequence_numbers[: int(self._budget_numbers)]
        self._budget_numbers -= len(answered)
        self._figures.over_budget += len(sequence_numbers) - len(answered)
        for sequence_number in answered:
            packet = self._packet(unwrap16(sequence_number, self._track.forwarded))
            if packet is None:
                self._figures.unknown += 1
            elif now_s - self._sent_s.get(packet.index, float("-inf")) < MIN_INTERVAL_S:
                self._figures.too_soon += 1
            elif self._budget_bytes < len(packet.payload):
                self._figures.over_budget += 1
            else:
                self._send(packet, now_s)

    def _packet(self, index: int) -> MediaPacket | None:
        outlet, kind = self._outlet, self._track.kind
        end = self._track.forwarded
        if self._track.is_video and outlet.video is not VideoState.LIVE:
            end = outlet.position if outlet.video is VideoState.CATCHING_UP else 0
        # What this viewer was never sent must not go out now: its receiver would take the numbers for others.
        if not outlet.first.get(kind, end) <= index < end:
            return None
        return self._track.cache.packet(index)

    def _refill(self, now_s: float) -> None:
        if self._refilled_s is not None:
            elapsed_s = now_s - self._refilled_s
            self._budget_numbers = min(self._budget_numbers + elapsed_s * BUDGET_NUMBERS_PER_S, BUDGET_NUMBERS_PER_S)
            refill_bytes = elapsed_s * BUDGET_BPS / 8
            self._budget_bytes = min(self._budget_bytes + refill_bytes, BUDGET_BURST_BYTES)
        self._refilled_s = now_s

    def _send(self, packet: MediaPacket, now_s: float) -> None:
        sealed = self._outlet.sealer.seal([self._sealable(packet)])
        mark = self._sender.marks.retransmission
        if self._sender.send_run(sealed, sum(map(len, sealed)), 1, self._outlet.address, mark) is not Sent.OK:
            return
        if self._outlet.layouts[self._track.kind].key.rtx_payload_type is None:
            self._figures.identical += 1
        else:
            self._figures.by_rtx += 1
        self._budget_bytes -= len(packet.payload)
        self._sent_s[packet.index] = now_s
        if len(self._sent_s) > MAX_REMEMBERED:
            del self._sent_s[next(iter(self._sent_s))]

    def _sealable(self, packet: MediaPacket) -> Sealable:
        layout, track = self._outlet.layouts[self._track.kind], self._track
        if layout.key.rtx_payload_type is None:
            return layout.header(packet), packet.payload, track.ssrc, track.ssrc << 48 | packet.index
        index, self._rtx_index = self._rtx_index, self._rtx_index + 1
        header, payload = layout.rtx(packet, index)
        return header, payload, track.rtx_ssrc, track.rtx_ssrc << 48 | index
