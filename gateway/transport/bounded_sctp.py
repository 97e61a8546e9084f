"""aiortc's RTCSctpTransport with bounds: what a hostile peer sends is refused, or costs it the association.

`gateway.wire.sctp` has looked through each packet before; here is what only an association knows.
"""

from collections.abc import Callable

from aiortc.rtcsctptransport import (
    AbortChunk,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    InitChunk,
    ReconfigChunk,
    RTCSctpTransport,
    SackChunk,
)

from gateway.transport.dtls import DtlsSession
from gateway.wire.sctp import MAX_STREAMS, MAX_TSN_AHEAD

MAX_HELD_CHUNKS = MAX_TSN_AHEAD
"""Received chunks of messages that are not whole, or not their turn, yet: 150 kB at the very most. Who needs more has
lost more than comes back."""

RECEIVE_WINDOW_BYTES = 128 * 1024
"""What we tell the peer that it may send before we acknowledge."""

_State = RTCSctpTransport.State
_NEED_AN_ASSOCIATION = (DataChunk, SackChunk, ForwardTsnChunk, ReconfigChunk)
_BEFORE_IT_STANDS = (_State.CLOSED, _State.COOKIE_WAIT, _State.COOKIE_ECHOED)


class BoundedSctp(RTCSctpTransport):
    """See the module."""

    def __init__(self, dtls: DtlsSession, drop: Callable[[str], None]) -> None:
        """`drop` counts what was refused, by cause."""
        super().__init__(dtls)
        self._drop = drop
        self._advertised_rwnd = RECEIVE_WINDOW_BYTES
        self._inbound_streams_max = MAX_STREAMS
        self._outbound_streams_count = MAX_STREAMS
        self._is_over = False

    async def _receive_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, InitChunk) and self._association_state not in _BEFORE_IT_STANDS:
            return  # late, or repeated: what it would begin anew stands
        if isinstance(chunk, _NEED_AN_ASSOCIATION) and self._last_received_tsn is None:
            self._drop("unexpected_sctp")
            return
        await super()._receive_chunk(chunk)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        assert self._last_received_tsn is not None
        if MAX_TSN_AHEAD <= _ahead(chunk.tsn, self._last_received_tsn) < 1 << 31:
            self._drop("sctp_too_far_ahead")
            self._sack_needed = True
            return
        await super()._receive_data_chunk(chunk)
        if sum(len(stream.reassembly) for stream in self._inbound_streams.values()) > MAX_HELD_CHUNKS:
            self._drop("sctp_too_much_held")
            await self._send_chunk(AbortChunk())
            self._set_state(_State.CLOSED)

    def _mark_received(self, tsn: int) -> bool:
        """Whether it is a duplicate. aiortc's sorts all that is out of order for each, and stops at the wrap."""
        last = self._last_received_tsn
        assert last is not None
        if _ahead(tsn, last) >= 1 << 31 or tsn in self._sack_misordered:
            self._sack_duplicates.append(tsn)
            return True
        self._sack_misordered.add(tsn)
        while (last + 1) % (1 << 32) in self._sack_misordered:
            last = (last + 1) % (1 << 32)
            self._sack_misordered.discard(last)
        self._last_received_tsn = last
        return False

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        newest = (self._local_tsn - 1) % (1 << 32)
        if (newest - chunk.cumulative_tsn) % (1 << 32) >= 1 << 31:
            self._drop("unexpected_sctp")  # of what was never sent
            return
        await super()._receive_sack_chunk(chunk)

    async def _send_sack(self) -> None:
        """aiortc's puts gaps beyond the wrap first (RFC 9260 section 3.3.4: in order)."""
        last = self._last_received_tsn
        assert last is not None
        sack = SackChunk()
        sack.cumulative_tsn = last
        sack.advertised_rwnd = max(0, self._advertised_rwnd)
        sack.duplicates, self._sack_duplicates = self._sack_duplicates, []
        for offset in sorted((tsn - last) % (1 << 32) for tsn in self._sack_misordered):
            if sack.gaps and sack.gaps[-1][1] == offset - 1:
                sack.gaps[-1] = (sack.gaps[-1][0], offset)
            else:
                sack.gaps.append((offset, offset))
        self._sack_needed = False
        await self._send_chunk(sack)

    async def _transmit(self) -> None:
        if not self._is_over:  # a timer may have begun this just before the end, and it begins timers
            await super()._transmit()


def _ahead(tsn: int, last: int) -> int:
    """How many are missing between `last` and `tsn`; half the circle or more: none, it is older."""
    return (tsn - last - 1) % (1 << 32)
