"""A WebRTC session of the load, as a browser has it: offer, ICE, DTLS, SRTP keys; consent, ICE restart, goodbye.

While it connects a peer reads its socket by the event loop. Afterwards the owner reads `socket` and hands what is STUN
or DTLS to `on_control`.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from gateway.transport.certificate import Certificate
from gateway.transport.data_channel import SIGNALS, Channel, ChannelTerms, DataChannels
from gateway.transport.dtls import DtlsSession
from gateway.transport.ice import Credentials
from gateway.transport.srtp import SrtpSession
from loadgen.errors import SignallingError
from loadgen.peer.datagrams import Arrival
from loadgen.peer.ice import RemoteIce
from loadgen.peer.path import IcePath
from loadgen.peer.restart import SessionToRestart, restarted_path
from loadgen.peer.route import local_host_towards
from loadgen.signalling.answer import Answer, parse_answer
from loadgen.signalling.http import Opened, Signalling

HANDSHAKE_TIMEOUT_S = 10.0

MAX_EARLY_ARRIVALS = 256
"""Media can come before our keys are made, for a round trip; once we are connected, it waits in the kernel."""

MAX_SIGNAL_BYTES = 256 * 1024
"""Of a message of the server; as it stands in the offer, and as browsers have it."""

SIGNALS_PROTOCOL = "railbird.signals.v1"

_STUN_BELOW, _DTLS, _MEDIA_FROM = 4, range(20, 64), 128
"""First bytes (RFC 7983 section 7)."""

OfferMaker = Callable[[Credentials, str, list[str]], str]
"""Our credentials, our fingerprint (`sha-256 AB:...`), our candidates -> an offer."""


class ChannelReceiver(Protocol):
    """Who gets what a data channel brings."""

    def on_text(self, text: str, arrival_s: float) -> None:
        """A message that reached the kernel at that time, unix seconds. Never raises."""

    def on_closed(self) -> None:
        """The server's end is gone. Once at most."""


class Peer:
    """One session. `certificate` may be shared: a browser's is its own, but the server does the same work for it."""

    def __init__(
        self,
        certificate: Certificate,
        signalling: Signalling,
        url: str,
        offer: OfferMaker,
        may_send_to: Callable[[str], bool],
    ) -> None:
        """`url` is the WHIP or WHEP endpoint; `may_send_to` is asked about every host of the server's candidates."""
        self.dropped_early = 0
        """Arrivals that came before the keys and found MAX_EARLY_ARRIVALS waiting."""
        self.restart_failure: str | None = None
        """Why the newest ICE restart did not come about: the cause of a SignallingError."""
        self._certificate = certificate
        self._signalling = signalling
        self._url = url
        self._make_offer = offer
        self._may_send_to = may_send_to
        self._path: IcePath | None = None
        self._dtls: DtlsSession | None = None
        self._answer: Answer | None = None
        self._srtp: SrtpSession | None = None
        self._channels: DataChannels | None = None
        self._opening: asyncio.Future[Opened] | None = None
        """The POST, until it is answered."""
        self._session_url: str | None = None
        self._etag: str | None = None
        self._early: list[Arrival] = []
        self._is_closed = False
        self._rtts_s: list[float] = []
        self._failed_sends = 0
        self._malformed = 0

    # What a connected peer has

    @property
    def answer(self) -> Answer:
        """What the server answered; once connected."""
        assert self._answer is not None, "connect() first"
        return self._answer

    @property
    def srtp(self) -> SrtpSession:
        """The keys; once connected."""
        assert self._srtp is not None, "connect() first"
        return self._srtp

    @property
    def path(self) -> IcePath:
        """Where media travels; another one after an ICE restart."""
        assert self._path is not None, "connect() first"
        return self._path

    @property
    def socket(self) -> socket.socket:
        """Connected, non-blocking, with UDP_GRO and the kernel's stamps; another one after an ICE restart."""
        return self.path.socket

    @property
    def failed_sends(self) -> int:
        """Datagrams that the kernel did not take."""
        return self._failed_sends + (self._path.failed_sends if self._path is not None else 0)

    @property
    def malformed(self) -> int:
        """STUN datagrams and SCTP packets of the server that did not parse."""
        return self._malformed + (self._path.malformed if self._path is not None else 0)

    @property
    def is_closed_by_server(self) -> bool:
        """Whether the server said goodbye (close_notify), or has not answered our checks for 30 s (RFC 7675)."""
        if self._is_closed or self._path is None or self._dtls is None:
            return False
        # aiortc's reader ends, and says so, only when a close_notify comes.
        return self._dtls.state == "closed" or self._path.agent.is_consent_lost

    # Joining

    async def connect(self) -> None:
        """Offer, check, shake hands. SignallingError with the cause when it does not come about; nothing is left
        open then, neither here nor at the server."""
        try:
            await self._connect()
        except SignallingError:
            await self.goodbye()
            raise
        except BaseException:
            self.vanish()
            raise

    async def _connect(self) -> None:
        path = self._path = IcePath(await local_host_towards(urlsplit(self._url).hostname or ""), self._may_send_to)
        offer = self._make_offer(path.local, self._certificate.fingerprint, [path.candidate])
        # The server opens the session whether we wait for it or not: `delete` has to learn its URL.
        self._opening = asyncio.ensure_future(self._signalling.post(self._url, offer))
        opened = await asyncio.shield(self._opening)
        self._session_url, self._etag, self._opening = opened.session_url, opened.etag, None
        answer = self._answer = parse_answer(opened.answer_text)
        path = self._path = path.suited_to(answer.candidates)
        self._dtls = DtlsSession(self._certificate, "server" if answer.setup == "active" else "client", self.send)
        path.begin(RemoteIce(answer.credentials, answer.is_lite), answer.candidates, self._on_arrival)
        await path.establish()
        self._srtp = await self._shake_hands(self._dtls, answer)
        path.stop_reading()

    async def _shake_hands(self, dtls: DtlsSession, answer: Answer) -> SrtpSession:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                srtp = await dtls.handshake(list(answer.fingerprints))
        except TimeoutError:
            raise SignallingError("dtls_failed", "The DTLS handshake took too long.") from None
        except Exception as error:  # a certificate that does not parse raises what cryptography raises for it
            raise SignallingError("dtls_failed", f"The DTLS handshake: {type(error).__name__}: {error}") from error
        if srtp is None:
            raise SignallingError("dtls_failed", "The DTLS handshake failed, or the fingerprint is another one.")
        return srtp

    def _on_arrival(self, arrival: Arrival) -> None:
        if arrival.run[0] >= _MEDIA_FROM:
            if len(self._early) < MAX_EARLY_ARRIVALS:
                self._early.append(arrival)
            else:
                self.dropped_early += 1
            return
        for datagram in arrival.datagrams():
            self._on_dtls(datagram, arrival.arrival_ns / 1e9)

    def _on_dtls(self, datagram: bytes, arrival_unix_s: float) -> None:
        if self._dtls is not None and datagram[0] in _DTLS:
            self._dtls.feed(datagram, arrival_unix_s)

    # Being connected

    def take_over(self) -> list[Arrival]:
        """The media that came before the owner reads `socket`; again after an ICE restart, with what was left in the
        socket before."""
        early, self._early = self._early, []
        return early

    def send(self, datagram: bytes) -> None:
        """One datagram to the server. Never raises: `failed_sends` counts what the kernel does not take."""
        if not self._is_closed:
            self.path.send(datagram)

    def on_control(self, datagram: bytes, arrival_unix_s: float) -> None:
        """A datagram of `socket` whose first byte is below 128: STUN, DTLS, or nothing that we know."""
        if self._is_closed or not datagram:
            return
        if datagram[0] < _STUN_BELOW:
            endpoint = self.path.agent.selected
            assert endpoint is not None, "a connected socket has a selected pair"
            self.path.on_stun(datagram, endpoint, arrival_unix_s)
        else:
            self._on_dtls(datagram, arrival_unix_s)

    def open_channel(self, receiver: ChannelReceiver, on_open: Callable[[], None]) -> Channel:
        """Open the data channel of signals, once connected; `on_open` is called when the server has taken it.
        SignallingError("no_channel") when the server did not answer any."""
        terms = self.answer.channels
        if terms is None or self._dtls is None:
            raise SignallingError("no_channel", "The server has no data channels, or none were offered.")
        if self._channels is None:
            said = ChannelTerms(terms.sctp_port, terms.max_message_bytes, MAX_SIGNAL_BYTES)
            self._channels = DataChannels(self._dtls, said, lambda _channel: None, self._refuse)
            self._dtls.on_data = self._channels.on_packet
        return self._channels.open(receiver, on_open, replace(SIGNALS, protocol=SIGNALS_PROTOCOL))

    def _refuse(self, _cause: str) -> None:
        """Of the server's SCTP."""
        self._malformed += 1

    def check(self, now_unix_s: float) -> None:
        """Ask for consent to send (RFC 7675): every few seconds, or the server takes us for gone."""
        if not self._is_closed:
            self.path.check(now_unix_s)

    def take_rtts_s(self) -> list[float]:
        """Of the ICE checks that were answered since the last call, in order."""
        rtts_s, self._rtts_s = self._rtts_s + self.path.agent.take_rtts_s(), []
        return rtts_s

    # ICE restart

    async def restart_ice(self) -> bool:
        """Move to another socket with other credentials, as a player does whose network changes (RFC 9725 section
        4.3.3). The old way works until the new one is nominated; then `socket` is another one: the owner has to
        `take_over` again, and to watch the new one; the old one is closed, and no reader of the event loop's any more.

        False, with `restart_failure`, when the server cannot, or the new way does not work: all stays as it was.
        """
        self.restart_failure = None
        session = SessionToRestart(self._session_url or "", self._etag, self.answer)
        try:
            restarted = await restarted_path(self.path, session, self._signalling, self._on_arrival)
        except SignallingError as error:
            self.restart_failure = error.cause
            return False
        if self._is_closed:
            restarted.path.close()
            self.restart_failure = "closed"
            return False
        self._etag = restarted.etag
        self._move_to(restarted.path)
        return True

    def _move_to(self, path: IcePath) -> None:
        old, self._path = self.path, path
        path.stop_reading()
        came_on_new_path, self._early = self._early, []
        old.read_all()
        self._early += came_on_new_path
        self._failed_sends += old.failed_sends
        self._malformed += old.malformed
        self._rtts_s += old.agent.take_rtts_s()
        old.close()

    # Leaving

    async def goodbye(self) -> bool:
        """Leave as a browser does that is told to: DELETE, close_notify. Whether the server took the DELETE; never
        raises for what it answers. A second time: nothing."""
        try:
            return await self.delete()
        finally:
            self.close()

    async def delete(self) -> bool:
        """The DELETE of `goodbye`; what the server sends until it has it can still be read. One that is cancelled may
        be repeated."""
        session_url, self._session_url = await self._opened_url(), None
        try:
            return session_url is not None and await self._signalling.delete(session_url) < 300
        except SignallingError:
            return False
        except asyncio.CancelledError:
            self._session_url = session_url
            raise

    async def _opened_url(self) -> str | None:
        """The session's; after a `connect` that was cancelled, what its POST opens all the same."""
        if self._session_url is None and self._opening is not None:
            with contextlib.suppress(SignallingError):
                self._session_url = (await asyncio.shield(self._opening)).session_url
            self._opening = None
        return self._session_url

    def close(self) -> None:
        """The rest of `goodbye`: close_notify, and the socket is given back."""
        if not self._is_closed:
            if self._channels is not None:
                self._channels.close()
            if self._dtls is not None:
                self._dtls.say_goodbye()
        self.vanish()

    def vanish(self) -> None:
        """Close without a word, as a browser does whose tab or network is gone. `goodbye` can still DELETE."""
        self._is_closed = True
        if self._channels is not None:
            self._channels.close()  # stops its timers, likewise
        if self._dtls is not None:
            self._dtls.say_goodbye()  # stops its task; what it would send goes nowhere now
        if self._path is not None:
            self._path.close()
