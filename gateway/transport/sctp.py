"""SCTP over DTLS by aiortc's RTCSctpTransport, with bounds (`bounded_sctp.py`), and without a task for a message.

aiortc has the association's rules: handshake, acknowledgement, congestion window, timers, stream resets. Here is what
it does not do: put an acknowledgement and the answer into one packet, tell its owner what came. It waits for nothing
but its timers, so its coroutines are run where they are called. `tests/transport/test_sctp_contract.py` fails when one
of aiortc's private names moves.
"""

import time
from collections.abc import Callable, Coroutine
from struct import pack
from typing import Any, Protocol

from aiortc.rtcsctptransport import (
    SCTP_MAX_PACKET_LENGTH,
    AbortChunk,
    Chunk,
    InitAckChunk,
    InitChunk,
    RTCSctpTransport,
    parse_packet,
)
from google_crc32c import value as crc32c

from gateway.transport.bounded_sctp import BoundedSctp
from gateway.transport.dtls import DtlsSession
from gateway.wire.sctp import MAX_TSN_AHEAD, check_packet

MAX_UNACKNOWLEDGED_CHUNKS = MAX_TSN_AHEAD
"""Sent, or to be sent, and not acknowledged: some hundred messages. More is not a player that reads them."""

_State = RTCSctpTransport.State


class Upper(Protocol):
    """Who uses an association: the data channels on it."""

    def on_up(self) -> None:
        """Both sides have shaken hands: `send` works."""

    def on_message(self, stream_id: int, protocol: int, payload: bytes) -> None:
        """A whole message; `protocol` is its payload protocol identifier."""

    def on_reset(self, stream_id: int) -> None:
        """The peer sends nothing more on that stream."""

    def on_down(self) -> None:
        """The association is over, by the peer or for its lack of an answer. Called once; not for `close`."""


class Association(BoundedSctp):
    """One SCTP association, in either DTLS role. It answers a peer that begins; `connect` begins."""

    def __init__(self, dtls: DtlsSession, remote_port: int, upper: Upper, drop: Callable[[str], None]) -> None:
        """`drop` counts what was refused, by cause."""
        super().__init__(dtls, drop)
        self._dtls = dtls
        self._remote_port = remote_port
        self._upper = upper
        self._turn = 0
        self._outgoing: list[Chunk] = []
        self._untold: list[Callable[[], None]] = []

    # For whoever uses it

    @property
    def is_up(self) -> bool:
        """Whether `send` can work."""
        return self._association_state is _State.ESTABLISHED and not self._is_over

    def connect(self) -> None:
        """Begin, unless the peer was faster. A gateway need not: browsers do."""
        if self._association_state is _State.CLOSED and not self._is_over:
            self._take_turn(self._init())

    def on_packet(self, packet: bytes) -> None:
        """What DTLS decrypted. Never raises for what a peer sent."""
        if self._is_over:
            return
        try:
            check_packet(packet)
            _, _, verification_tag, chunks = parse_packet(packet)
        except ValueError:
            self._drop("malformed_sctp")
            return
        expected = 0 if any(isinstance(chunk, InitChunk) for chunk in chunks) else self._local_verification_tag
        if verification_tag != expected:
            self._drop("unexpected_sctp")
            return
        self._take_turn(self._receive_chunks(chunks))

    def send(
        self,
        stream_id: int,
        protocol: int,
        payload: bytes,
        *,
        ordered: bool = True,
        max_retransmits: int | None = None,
        lifetime_ms: int | None = None,
    ) -> bool:
        """Send a message; False while there is no association, or when too much waits for the peer already."""
        if not self.is_up or len(self._outbound_queue) + len(self._sent_queue) >= MAX_UNACKNOWLEDGED_CHUNKS:
            return False
        if not self._remote_partial_reliability:
            # RFC 3758 section 3.3.2: it would wait for ever for what we give up.
            max_retransmits = lifetime_ms = None
        expiry = None if lifetime_ms is None else time.time() + lifetime_ms / 1000
        self._take_turn(self._send(stream_id, protocol, payload, expiry, max_retransmits, ordered))
        return True

    def reset(self, stream_id: int) -> None:
        """Send nothing more on that stream, and say so (RFC 6525 section 4.1)."""
        if self.is_up and stream_id not in self._reconfig_queue:
            self._reconfig_queue.append(stream_id)
            self._take_turn(self._transmit_reconfig())

    def close(self) -> None:
        """Say ABORT, stop all timers. Again: nothing."""
        if self._is_over:
            return
        self._is_over = True
        self._untold.clear()
        if self._association_state is not _State.CLOSED:
            self._outgoing.append(AbortChunk())
            self._flush()
        self._set_state(_State.CLOSED)

    # A turn: what comes in, what is told, what goes out

    def _take_turn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`, tell what came of it, and send all that was said meanwhile in as few packets as can be."""
        self._turn += 1
        try:
            _finish(work)
            while self._turn == 1 and self._untold:
                self._untold.pop(0)()
        finally:
            self._turn -= 1
            if not self._turn:
                self._flush()

    def _tell(self, event: Callable[[], None]) -> None:
        if self._turn:
            self._untold.append(event)
        else:
            event()

    async def _receive_chunks(self, chunks: list[Chunk]) -> None:
        try:
            for chunk in chunks:
                if not self._is_over:
                    await self._receive_chunk(chunk)
            if self._sack_needed and not self._is_over:
                await self._send_sack()
        except Exception:
            # An assumption of aiortc's that the peer has broken: it costs the peer this packet.
            self._drop("malformed_sctp")

    async def _send_chunk(self, chunk: Chunk) -> None:
        self._outgoing.append(chunk)
        if not self._turn:  # a timer's
            self._flush()

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        bundle = b""
        for chunk in outgoing:
            serialized = bytes(chunk)
            if isinstance(chunk, InitChunk | InitAckChunk):
                self._send_packet(serialized, 0 if isinstance(chunk, InitChunk) else self._remote_verification_tag)
                continue
            if bundle and len(bundle) + len(serialized) > SCTP_MAX_PACKET_LENGTH - 12:
                self._send_packet(bundle, self._remote_verification_tag)
                bundle = b""
            bundle += serialized
        if bundle:
            self._send_packet(bundle, self._remote_verification_tag)

    def _send_packet(self, chunks: bytes, verification_tag: int) -> None:
        header = pack("!HHL", self._local_port, self._remote_port, verification_tag)
        checksum = crc32c(header + b"\0\0\0\0" + chunks)
        self._dtls.send(header + pack("<L", checksum) + chunks)

    # What aiortc calls, and we pass on

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        self._tell(lambda: self._upper.on_message(stream_id, pp_id, data))

    async def _reset_deferred_streams(self) -> None:
        request = self._reconfig_deferred
        await super()._reset_deferred_streams()
        if request is not None and self._reconfig_deferred is None:
            for stream_id in dict.fromkeys(request.streams):
                self._tell(lambda stream_id=stream_id: self._upper.on_reset(stream_id))  # type: ignore[misc]

    def _data_channel_closed(self, stream_id: int) -> None:
        """aiortc's forgets a channel of its own; ours are not its."""

    def _set_state(self, state: _State) -> None:
        was_up = self.is_up
        if was_up and state is _State.ESTABLISHED:
            return  # a repeated COOKIE ECHO, for which aiortc would make a task
        super()._set_state(state)
        if state is _State.ESTABLISHED and not was_up:
            self._tell(self._upper.on_up)
        elif state is _State.CLOSED and not self._is_over:
            self._is_over = True
            self._tell(self._upper.on_down)


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end here and now: all that aiortc awaits in it is `_send_chunk`, which never waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("aiortc's SCTP has begun to wait for something")
