"""The media port: tells datagrams apart, finds their session, and keeps the tables of who is who.

The only object that owns the socket and re-arms its timers. Datagrams are told apart by their first byte (RFC 7983
section 7); a STUN request finds its session by the ufrag that it names, everything else by the address that ICE has
validated.
"""

import asyncio
import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum

import structlog

from gateway.clock import monotonic_s, unix_s
from gateway.errors import WireError
from gateway.transport.address import Address, family_of
from gateway.transport.certificate import Certificate
from gateway.transport.ice import local_ufrag
from gateway.transport.peer import PeerDescription
from gateway.transport.session import Session
from gateway.transport.socket import MediaSocket
from gateway.wire import stun

log = structlog.get_logger()

MAX_DATAGRAMS_PER_TURN = 128
"""Datagrams read before the event loop gets its turn: about a millisecond of work."""

ADDRESS_HELD_S = 5.0
"""How long a session that is alive keeps its addresses from others: two consent checks of a browser. A NAT that hands a
port on waits longer."""

MAX_ADDRESSES_PER_SESSION = 8
"""Validated addresses that lead to one session: candidate pairs of a peer with several interfaces."""


class Kind(Enum):
    """What a datagram's first byte says it is (RFC 7983 section 7)."""

    STUN = "stun"
    DTLS = "dtls"
    MEDIA = "media"
    OTHER = "other"


_KIND_OF_FIRST_BYTE = tuple(
    Kind.STUN if first < 4 else Kind.DTLS if 20 <= first < 64 else Kind.MEDIA if 128 <= first < 192 else Kind.OTHER
    for first in range(256)
)


class MediaPort:
    """See the module. `after_batch` is called when the socket has been read empty, or a turn's worth was read."""

    def __init__(self, media_socket: MediaSocket, idle_timeout_s: float, handshake_timeout_s: float) -> None:
        self.socket = media_socket
        self.received: Counter[Kind] = Counter()
        self.dropped: Counter[str] = Counter()
        self.lateness_s = 0.0
        """How long the last datagram read had waited in the kernel: more than a moment means that we cannot keep up."""
        self.worst_lateness_s = 0.0
        """The largest `lateness_s` since somebody set it to 0."""
        self.after_batch: Callable[[float], None] = lambda _now_s: None
        self._idle_timeout_s = idle_timeout_s
        self._handshake_timeout_s = handshake_timeout_s
        self._certificate = Certificate.generateCertificate()
        self._sessions: dict[str, Session] = {}
        self._by_ufrag: dict[str, Session] = {}
        self._by_address: dict[Address, Session] = {}
        self._addresses: dict[Session, list[Address]] = {}
        self._half_open: set[Session] = set()
        self._of_client: Counter[str] = Counter()

    # Sessions

    @property
    def certificate(self) -> Certificate:
        """The certificate for the next session; renewed a week before it expires."""
        if self._certificate.is_stale(datetime.datetime.now(datetime.UTC)):
            self._certificate = Certificate.generateCertificate()
        return self._certificate

    def open_session(self, description: PeerDescription) -> Session:
        """A new session in the tables, waiting for its peer's first STUN request."""
        session = Session(description, self.certificate, self.socket, self)
        self._half_open.add(session)
        self._of_client[session.client] += 1
        self._sessions[session.session_id] = session
        self._by_ufrag[session.ice.local.ufrag] = session
        return session

    def session(self, session_id: str) -> Session | None:
        """The live session of that id."""
        return self._sessions.get(session_id)

    def sessions(self) -> Iterator[Session]:
        """All live sessions; safe to close some on the way."""
        return iter(tuple(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def half_open(self) -> int:
        """Sessions that have not finished the DTLS handshake."""
        return len(self._half_open)

    def sessions_of(self, client: str) -> int:
        """How many live sessions `client` has."""
        return self._of_client[client]

    def restart_ice(self, session: Session, remote_ufrag: str) -> None:
        """Give `session` new credentials (RFC 8445 section 9); the last ones answer until the new ones are used."""
        if session.ice.previous is not None:
            self._by_ufrag.pop(session.ice.previous[0].ufrag, None)
        session.ice.restart(remote_ufrag)
        self._by_ufrag[session.ice.local.ufrag] = session

    def connected(self, session: Session) -> None:
        """See `transport.session.Tables`."""
        self._half_open.discard(session)

    def forget(self, session: Session) -> None:
        """See `transport.session.Tables`."""
        del self._sessions[session.session_id]
        self._half_open.discard(session)
        self._of_client[session.client] -= 1
        if not self._of_client[session.client]:
            del self._of_client[session.client]
        self._by_ufrag.pop(session.ice.local.ufrag, None)
        if session.ice.previous is not None:
            self._by_ufrag.pop(session.ice.previous[0].ufrag, None)
        for address in self._addresses.pop(session, ()):
            del self._by_address[address]

    def end_silent_sessions(self, now_s: float) -> None:
        """Close who never finished the handshake, and who has not been heard for the idle timeout."""
        for session in self.sessions():
            if session.srtp is None and now_s - session.created_s > self._handshake_timeout_s:
                session.close("handshake_timeout")
            elif now_s - session.last_seen_s > self._idle_timeout_s:
                session.close("idle")

    # Datagrams

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read."""
        loop.add_reader(self.socket.fileno(), self._on_readable)

    def detach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop reading and give the port back."""
        loop.remove_reader(self.socket.fileno())
        self.socket.close()

    def _on_readable(self) -> None:
        now_s, unix_minus_monotonic_s = monotonic_s(), unix_s() - monotonic_s()
        receive = self.socket.receive
        self.lateness_s = 0.0
        for _ in range(MAX_DATAGRAMS_PER_TURN):
            received = receive()
            if received is None:
                break
            datagram, source, received_unix_s = received
            arrival_s = min(received_unix_s - unix_minus_monotonic_s, now_s)
            self.lateness_s = now_s - arrival_s
            try:
                self.on_datagram(datagram, source, arrival_s)
            except Exception:
                # Our bug, not the peer's: it costs this datagram, not the rest of the batch.
                log.exception("datagram failed")
                self.drop("internal_error")
        self.worst_lateness_s = max(self.worst_lateness_s, self.lateness_s)
        self.after_batch(now_s)

    def on_datagram(self, datagram: bytes, source: Address, now_s: float) -> None:
        """One datagram from `source`, which came at `now_s`. Never raises for what a peer sent."""
        kind = _KIND_OF_FIRST_BYTE[datagram[0]] if datagram else Kind.OTHER
        self.received[kind] += 1
        if kind is Kind.STUN:
            self._on_stun(datagram, source, now_s)
            return
        session = self._by_address.get(source)
        if session is None:
            self.drop("unknown_source")
        elif kind is Kind.MEDIA:
            session.on_media(datagram, now_s)
        elif kind is Kind.DTLS:
            session.on_dtls(datagram, now_s)
        else:
            self.drop("unknown_kind")

    def _on_stun(self, datagram: bytes, source: Address, now_s: float) -> None:
        try:
            message = stun.parse_message(datagram)
        except WireError:
            self.drop("malformed_stun")
            return
        if message.message_type != stun.BINDING_REQUEST or source[1] == 0:
            self.drop("unexpected_stun")
            return
        session = self._by_ufrag.get(local_ufrag(message))
        if session is None:
            self.drop("unknown_ufrag")
            return
        owner = self._by_address.get(source)
        if owner is not None and owner is not session and now_s - owner.last_seen_s < ADDRESS_HELD_S:
            # Whoever sends with another's address must not get its datagrams, nor send it somebody's media.
            self.drop("address_taken")
            return
        previous = session.ice.previous
        answer = session.ice.answer(datagram, message, source)
        if answer is None:
            self.drop("stun_not_authentic")
            return
        if previous is not None and session.ice.previous is None:
            del self._by_ufrag[previous[0].ufrag]
        session.last_seen_s = now_s
        self._validate(session, source)
        self.socket.send(answer.datagram, source)
        if answer.moved:
            session.log.info("address", family=family_of(source))
            session.on_path()

    def _validate(self, session: Session, source: Address) -> None:
        owner = self._by_address.get(source)
        if owner is session:
            return
        if owner is not None:
            self._addresses[owner].remove(source)
            if owner.address == source:
                # A peer that vanished, and another that got its port: what the one is sent would reach the other.
                owner.close("address_reused")
        addresses = self._addresses.setdefault(session, [])
        if len(addresses) >= MAX_ADDRESSES_PER_SESSION:
            oldest = next(address for address in addresses if address != session.address)
            addresses.remove(oldest)
            del self._by_address[oldest]
        addresses.append(source)
        self._by_address[source] = session

    def drop(self, cause: str) -> None:
        """See `transport.session.Tables`."""
        self.dropped[cause] += 1
