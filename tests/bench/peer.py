"""A WebRTC peer of the load, as a browser is one to the gateway: ICE controlling, DTLS client, SRTP.

It is driven by its socket while it connects. Then `take_over` hands the reading to whoever owns it.
"""

import asyncio
import secrets
import socket

import aiohttp

from gateway.transport.dtls import Certificate, DtlsSession
from gateway.transport.ice import Credentials
from gateway.transport.srtp import SrtpSession
from gateway.wire import stun
from tests.bench.datagrams import Arrival, load_socket, receive
from tests.bench.offers import Answer, parse_answer

CHECK_TIMEOUT_S = 0.5
CHECK_ATTEMPTS = 10
HANDSHAKE_TIMEOUT_S = 10.0

# Host candidate of the first component (RFC 8445 section 5.1.2.1), as peer-reflexive: what a browser sends.
_PRIORITY = (110 << 24 | 65535 << 8 | 255).to_bytes(4, "big")


class Peer:
    """One session. `certificate` may be shared: a browser's is its own, but the gateway does the same work for it."""

    def __init__(self, certificate: Certificate, host: str) -> None:
        self.local = Credentials.generate()
        self.socket: socket.socket = load_socket(host)
        self._tie_breaker = secrets.token_bytes(8)
        self._dtls = DtlsSession(certificate, "client", self.send)
        self._answered = asyncio.Event()
        self._answer: Answer | None = None
        self._srtp: SrtpSession | None = None
        self._early: list[Arrival] = []

    @property
    def answer(self) -> Answer:
        """What the gateway answered; once connected."""
        assert self._answer is not None
        return self._answer

    @property
    def srtp(self) -> SrtpSession:
        """The keys; once connected."""
        assert self._srtp is not None
        return self._srtp

    def send(self, datagram: bytes) -> None:
        """One datagram to the gateway."""
        self.socket.send(datagram)

    async def connect(self, http: aiohttp.ClientSession, url: str, offer: str) -> None:
        """Offer, check, shake hands. RuntimeError or TimeoutError when the gateway does not do its part."""
        async with http.post(url, data=offer, headers={"Content-Type": "application/sdp"}) as response:
            text = await response.text()
            if response.status != 201:
                raise RuntimeError(f"{url}: {response.status} {text}")
        self._answer = parse_answer(text)
        # A connected socket takes nothing from strangers: another program may have had this port a moment ago.
        self.socket.connect(self._answer.address)
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._on_readable)
        await self._check_until_answered()
        async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
            self._srtp = await self._dtls.handshake([self._answer.fingerprint])
        if self._srtp is None:
            raise RuntimeError("the DTLS handshake failed")
        # A browser checks a few times before it settles for one check in 2.5 s.
        self.check()
        self.check()

    def check(self) -> None:
        """One nominating check, or consent (RFC 8445 section 7.2, RFC 7675). ICE-lite: every check nominates."""
        transaction_id = secrets.token_bytes(12)
        attributes = [
            (stun.USERNAME, f"{self.answer.ufrag}:{self.local.ufrag}".encode()),
            (stun.ICE_CONTROLLING, self._tie_breaker),
            (stun.USE_CANDIDATE, b""),
            (stun.PRIORITY, _PRIORITY),
        ]
        key = self.answer.pwd.encode()
        self.send(stun.serialize_message(stun.BINDING_REQUEST, transaction_id, attributes, key))

    async def _check_until_answered(self) -> None:
        for _ in range(CHECK_ATTEMPTS):
            self.check()
            try:
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    await self._answered.wait()
                return
            except TimeoutError:
                continue
        raise TimeoutError("no answer to the ICE checks")

    def _on_readable(self) -> None:
        while (arrival := receive(self.socket)) is not None:
            first = arrival.run[0]
            if first < 4:
                self._on_stun(arrival.run)
            elif first < 64:
                self._dtls.feed(arrival.run)
            else:
                self._early.append(arrival)

    def _on_stun(self, datagram: bytes) -> None:
        message = stun.parse_message(datagram)
        if message.message_type != stun.BINDING_SUCCESS:
            raise RuntimeError(f"the gateway answered a check with STUN type {message.message_type:#06x}")
        if stun.verify_integrity(datagram, message, self.answer.pwd.encode()):
            self._answered.set()

    def take_over(self) -> list[Arrival]:
        """Stop reading the socket: it is the caller's from now on. Returns the media that came too early for it."""
        asyncio.get_running_loop().remove_reader(self.socket.fileno())
        early, self._early = self._early, []
        return early

    def close(self) -> None:
        """Say goodbye and give the socket back."""
        self._dtls.say_goodbye()
        self.socket.close()
