"""DTLS by aiortc's RTCDtlsTransport, fed by us and sending through us.

aiortc does the handshake, its timers and the check of the fingerprint; we give it a queue in place of an ICE transport,
a cached context, and take the SRTP keys out. `tests/transport/test_dtls_contract.py` fails when one of aiortc's private
names moves.
"""

import asyncio
import contextlib
from collections.abc import Callable

from aiortc.rtcdtlstransport import (
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from OpenSSL import SSL

from gateway.transport.certificate import Certificate
from gateway.transport.srtp import PROFILES, SrtpSession, srtp_session
from gateway.wire.dtls import datagrams_of_records, records_of

MTU_BYTES = 1200
"""Largest datagram of a handshake: what every path that carries WebRTC carries."""

MAX_QUEUED_DATAGRAMS = 32
"""A handshake has at most about ten datagrams in flight; a peer that sends more than this is not shaking hands."""

MAX_RECORDS = 8
"""Of one datagram, once we are connected: a peer that repeats its last flight sends four to six."""

MAX_PLAINTEXT_BYTES = 2048
"""More than a datagram that we take can hold (`gateway.transport.socket`), so that one read takes a record whole."""

HELLO_REPEAT_S = 0.1
"""When the first ClientHello is sent once more: FFmpeg takes it as the sign to begin, and throws it away. OpenSSL's own
timer would wait a second."""


class _Wire:
    """What RTCDtlsTransport takes for an ICE transport: a bounded queue in, a function out."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.arrival_s = 0.0
        """When the datagram came that was handed out last."""
        self._queue: asyncio.Queue[tuple[bytes, float] | None] = asyncio.Queue(MAX_QUEUED_DATAGRAMS)
        self._sender = send

    async def _recv(self) -> bytes:
        received = await self._queue.get()
        if received is None:
            raise ConnectionError("the session is closed")
        datagram, self.arrival_s = received
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._sender(datagram)

    def feed(self, datagram: bytes, arrival_s: float) -> bool:
        """Hand over a datagram; False when the queue is full."""
        try:
            self._queue.put_nowait((datagram, arrival_s))
        except asyncio.QueueFull:
            return False
        return True

    def end(self) -> None:
        """Let the reader see the end next, whatever waits."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class DtlsSession(RTCDtlsTransport):
    """One session's handshake and, after it, its data channels' packets and its close_notify."""

    def __init__(self, certificate: Certificate, role: str, send: Callable[[bytes], None]) -> None:
        """`role` is `server` or `client`; `send` puts one datagram on the wire."""
        self.wire = _Wire(send)
        super().__init__(self.wire, [certificate])  # type: ignore[arg-type]  # what it needs of ICE, _Wire has
        self._set_role(role)
        self.srtp: SrtpSession | None = None
        self.on_data: Callable[[bytes, float], None] = lambda _data, _arrival_s: None
        """Called with what the peer sent over DTLS (a record's plaintext), and when its datagram came."""
        self._heard = False
        self._is_leaving = False

    async def handshake(self, fingerprints: list[tuple[str, str]]) -> SrtpSession | None:
        """Shake hands with the peer that has one of `fingerprints` (algorithm, value); None when it fails."""
        parameters = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])
        await self.start(parameters)
        return self.srtp if self._state is State.CONNECTED else None

    def feed(self, datagram: bytes, arrival_s: float = 0.0) -> bool:
        """Hand over a datagram that came at `arrival_s`; False when too many wait already. Once connected it is read at
        once: there is nothing to wait for."""
        self._heard = True
        if self._state is not State.CONNECTED:
            return self.wire.feed(datagram, arrival_s)
        self._read(datagram, arrival_s)
        return True

    async def _recv_next(self) -> None:
        if self._state is not State.CONNECTED:
            await super()._recv_next()
            return
        datagram = await self.wire._recv()
        self._read(datagram, self.wire.arrival_s)

    def _read(self, datagram: bytes, arrival_s: float) -> None:
        """Read a datagram record by record: what OpenSSL were left with would stay in its memory, and come out late."""
        for record in records_of(datagram)[:MAX_RECORDS]:
            if self._state is not State.CONNECTED or self._is_leaving:
                return
            self._connection.bio_write(record)
            try:
                data = self._connection.recv(MAX_PLAINTEXT_BYTES)
            except SSL.ZeroReturnError:
                self._is_leaving = True
                self._flush()
                self.wire.end()
                return
            except SSL.Error:  # no data: a forgery, a repetition, a handshake message that wants an answer
                self._flush()
                continue
            self.on_data(data, arrival_s)

    def send(self, data: bytes) -> None:
        """Send `data` as one record; nothing unless we are connected. Never raises."""
        if self._state is not State.CONNECTED or self._is_leaving:
            return
        with contextlib.suppress(SSL.Error):
            self._connection.send(data)
            # All else has been flushed: this is the one record. `_flush` would ask for more, which costs as much again.
            self.wire._sender(self._connection.bio_read(MAX_PLAINTEXT_BYTES))

    def say_goodbye(self) -> None:
        """Send close_notify, if there is a connection, and stop reading."""
        self._is_leaving = True
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._ssl is not None and self._state in (State.CONNECTING, State.CONNECTED):
            # An error: the handshake had not come far enough for a goodbye.
            with contextlib.suppress(SSL.Error):
                self._ssl.shutdown()
            self._flush()
        self.wire.end()

    @property
    def _connection(self) -> SSL.Connection:
        assert self._ssl is not None, "start() has made it"
        return self._ssl

    async def _do_handshake(self) -> None:
        self._connection.set_ciphertext_mtu(MTU_BYTES)
        await super()._do_handshake()

    def _setup_srtp(self) -> None:
        chosen = self._connection.get_selected_srtp_profile()
        profile = next((p for p in PROFILES if p.openssl_name == chosen), None)
        if profile is None:
            self._set_state(State.FAILED)
            return
        exported = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.exported_bytes)
        client, server = profile.split(exported)
        local, remote = (server, client) if self._role == "server" else (client, server)
        self.srtp = srtp_session(profile, local, remote)

    async def _write_ssl(self) -> None:
        self._flush()

    def _flush(self) -> None:
        """Send all that OpenSSL has to say. The memory BIO has forgotten the datagrams' borders: records are whole."""
        pending = b""
        while True:
            try:
                pending += self._connection.bio_read(65536)
            except SSL.Error:
                break
        datagrams = datagrams_of_records(pending, MTU_BYTES)
        self._send(datagrams)
        if self._role == "client" and not self._heard and datagrams:
            asyncio.get_running_loop().call_later(HELLO_REPEAT_S, self._repeat_hello, datagrams)

    def _repeat_hello(self, datagrams: list[bytes]) -> None:
        if not self._heard and self._state is State.CONNECTING:
            self._send(datagrams)

    def _send(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self.wire._sender(datagram)
