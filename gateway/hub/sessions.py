"""Sessions on the media port, and what a peer's offer or its new ICE credentials are answered with."""

from collections import Counter

from gateway.config import Settings
from gateway.hub.addresses import candidate_hosts
from gateway.transport.data_channel import ChannelTerms
from gateway.transport.ice import candidate_lines
from gateway.transport.peer import Leg, PeerDescription
from gateway.transport.port import MediaPort
from gateway.transport.session import Session
from gateway.wire.answer import AnswerMedia, AnswerTransport, serialize_answer
from gateway.wire.sdp import Offer
from gateway.wire.sdpfrag import SdpFragment, serialize_fragment

_ANSWERED_SETUP = {"actpass": ("server", "passive"), "active": ("server", "passive"), "passive": ("client", "active")}
"""The offer's a=setup -> our DTLS role and the answer's. As server we wait for the peer, whose path is then proven."""


class Sessions:
    """See the module."""

    def __init__(self, settings: Settings, port: MediaPort) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()
        """By leg and cause; counted by their owners."""
        self._port = port
        self._candidates = candidate_lines(
            candidate_hosts(settings.public_addresses, port.socket.host), port.socket.port
        )

    def open(
        self,
        leg: Leg,
        name: str,
        offer: Offer,
        client: str,
        answers: list[AnswerMedia],
        channel: ChannelTerms | None = None,
    ) -> tuple[Session, str]:
        """A session of the stream `name`, and the answer that has `answers` for the offer's media sections."""
        dtls_role, setup = _ANSWERED_SETUP[offer.setup]
        peer = PeerDescription(leg, name, client, offer.mid, offer.ufrag, offer.fingerprints, dtls_role, channel)
        session = self._port.open_session(peer)
        local = session.ice.local
        transport = AnswerTransport(local.ufrag, local.pwd, session.fingerprint, setup, self._candidates)
        session.log.info("session opened", client=client)
        return session, serialize_answer(offer, answers, transport)

    def restart_ice(self, session: Session, fragment: SdpFragment) -> str:
        """Give the session new credentials for the peer's new ones; the answer's fragment (RFC 9725 section 4.3.3)."""
        assert fragment.ufrag is not None
        self._port.restart_ice(session, fragment.ufrag)
        session.log.info("ice restart")
        return serialize_fragment(session.ice.local.ufrag, session.ice.local.pwd, session.mid, self._candidates)
