"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

`parse_transport_feedback` takes the body after the 4-byte RTCP header; `pack_transport_feedback` returns it.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.errors import MisuseError, WireError
from gateway.wire.twcc_chunks import LARGE_DELTA, NOT_RECEIVED, RESERVED, SMALL_DELTA, pack_chunks, parse_chunks

TICK_US = 250
TICKS_PER_REFERENCE_TICK = 256
"""The reference time counts in 64 ms."""

MAX_STATUSES = 512
"""In a feedback of our own: even with every delta in two bytes it stays below 1200 bytes."""

MAX_PEER_STATUSES = 2048
"""In a feedback of a peer: 100 ms of 20 000 packets a second. A run-length chunk of two bytes could claim 8191."""

_HEADER = struct.Struct("!IIHHI")


@dataclass(slots=True)
class TransportFeedback:
    """Which packets of a transport came, and when, from `base_sequence_number` on."""

    sender_ssrc: int
    media_ssrc: int
    base_sequence_number: int
    feedback_packet_count: int
    """8 bits, one more with each feedback."""
    reference_time_ticks: int
    """Signed 24 bits of 64 ms, by the receiver's clock; the first delta counts from here."""
    deltas: tuple[int | None, ...]
    """One for each sequence number: ticks of 250 us since the packet before it that came; None where none came."""


def parse_transport_feedback(body: bytes) -> TransportFeedback:
    """Raises WireError for what is short, for no or more than MAX_PEER_STATUSES statuses, and for a reserved status."""
    if len(body) < _HEADER.size:
        raise WireError("transport feedback is short")
    sender_ssrc, media_ssrc, base, count, time_and_count = _HEADER.unpack_from(body)
    if not 1 <= count <= MAX_PEER_STATUSES:
        raise WireError(f"transport feedback has {count} statuses")
    statuses, offset = parse_chunks(body, _HEADER.size, count)
    deltas = tuple(_parse_deltas(body, offset, statuses))
    reference_time_ticks = _signed24(time_and_count >> 8)
    return TransportFeedback(sender_ssrc, media_ssrc, base, time_and_count & 0xFF, reference_time_ticks, deltas)


def _parse_deltas(body: bytes, offset: int, statuses: list[int]) -> Iterator[int | None]:
    for status in statuses:
        if status == NOT_RECEIVED:
            yield None
            continue
        if status == RESERVED:
            raise WireError("transport feedback has a reserved status")
        end = offset + status
        if end > len(body):
            raise WireError("transport feedback has too few deltas")
        yield int.from_bytes(body[offset:end], "big", signed=status == LARGE_DELTA)
        offset = end


def pack_transport_feedback(packet: TransportFeedback) -> bytes:
    """Zero-padded to 32 bits. Raises MisuseError without statuses, or when a delta does not fit in 16 bits."""
    if not packet.deltas:
        raise MisuseError("transport feedback without a status")
    statuses = [_status(delta) for delta in packet.deltas]
    time_and_count = (packet.reference_time_ticks & 0xFF_FFFF) << 8 | packet.feedback_packet_count
    header = _HEADER.pack(
        packet.sender_ssrc, packet.media_ssrc, packet.base_sequence_number, len(statuses), time_and_count
    )
    deltas = b"".join(_pack_deltas(packet.deltas, statuses))
    body = header + pack_chunks(statuses) + deltas
    return body + bytes(-len(body) % 4)


def _pack_deltas(deltas: Iterable[int | None], statuses: list[int]) -> Iterator[bytes]:
    for delta, status in zip(deltas, statuses, strict=True):
        if delta is not None:
            yield delta.to_bytes(status, "big", signed=status == LARGE_DELTA)


def _status(delta: int | None) -> int:
    if delta is None:
        return NOT_RECEIVED
    if 0 <= delta <= 0xFF:
        return SMALL_DELTA
    if _fits_large_delta(delta):
        return LARGE_DELTA
    raise MisuseError(f"transport feedback delta of {delta} ticks does not fit in 16 bits")


def _fits_large_delta(ticks: int) -> bool:
    return -0x8000 <= ticks <= 0x7FFF


def build_feedback(
    sender_ssrc: int,
    media_ssrc: int,
    feedback_packet_count: int,
    arrivals: Sequence[tuple[int, int]],
    first_expected: int | None = None,
) -> list[TransportFeedback]:
    """What to tell of `arrivals`, `(extended_sequence_number, arrival_us)`; if a number came twice the first counts.

    It is one feedback, or more where a delta does not fit in 16 bits or MAX_STATUSES is reached; they count up from
    `feedback_packet_count` modulo 256. `first_expected` is the extended number after the last that was reported before:
    without it, what was lost between two feedbacks is never told.
    """
    runs: list[_Run] = []
    for sequence_number, arrival_us in _first_arrivals(arrivals):
        tick = arrival_us // TICK_US
        if runs and runs[-1].append(sequence_number, tick):
            continue
        expected = runs[-1].end if runs else first_expected
        runs.append(_Run.starting(expected, sequence_number, tick))
    return [
        TransportFeedback(
            sender_ssrc,
            media_ssrc,
            run.base & 0xFFFF,
            (feedback_packet_count + index) & 0xFF,
            _signed24(run.reference_time_ticks),
            tuple(run.deltas),
        )
        for index, run in enumerate(runs)
    ]


def _first_arrivals(arrivals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """In the order of sequence numbers, each number once."""
    earliest: dict[int, int] = {}
    for sequence_number, arrival_us in sorted(arrivals):
        earliest.setdefault(sequence_number, arrival_us)
    return list(earliest.items())


@dataclass(slots=True)
class _Run:
    """The statuses of one feedback while it grows."""

    base: int
    reference_time_ticks: int
    last_tick: int
    deltas: list[int | None] = field(default_factory=list)

    @classmethod
    def starting(cls, expected: int | None, sequence_number: int, tick: int) -> "_Run":
        """From `expected`, if the numbers lost since then fit into it, with the arrival of `sequence_number`."""
        covers_loss = expected is not None and 0 <= sequence_number - expected < MAX_STATUSES
        reference_time_ticks = tick // TICKS_PER_REFERENCE_TICK
        run = cls(
            expected if expected is not None and covers_loss else sequence_number,
            reference_time_ticks,
            reference_time_ticks * TICKS_PER_REFERENCE_TICK,
        )
        run.append(sequence_number, tick)
        return run

    @property
    def end(self) -> int:
        return self.base + len(self.deltas)

    def append(self, sequence_number: int, tick: int) -> bool:
        """Whether the arrival still fits into this feedback; if so it is in."""
        missing = sequence_number - self.end
        delta = tick - self.last_tick
        if len(self.deltas) + missing >= MAX_STATUSES or not _fits_large_delta(delta):
            return False
        self.deltas.extend([None] * missing)
        self.deltas.append(delta)
        self.last_tick = tick
        return True


def _signed24(value: int) -> int:
    return ((value + 0x80_0000) & 0xFF_FFFF) - 0x80_0000
