"""ICE-lite: the controlled agent that only answers (RFC 8445 section 2.5 and appendix A). Bytes in, bytes out; no
clock.

Nothing in a request is believed before its MESSAGE-INTEGRITY has been verified. The selected address is that of the
newest valid pair that the peer nominated, and, until it nominates one, of the newest valid pair.
"""

import secrets
from dataclasses import dataclass

from gateway.transport.address import Address
from gateway.wire import stun

UFRAG_BYTES = 6
PWD_BYTES = 18

MAX_NOMINATIONS = 32
"""Checks that nominated, remembered to tell copies of them. Who nominates once is covered for good; a browser that
nominates with every keepalive has said so anew long before its oldest is forgotten."""

_COMPREHENDED = {
    stun.USERNAME,
    stun.MESSAGE_INTEGRITY,
    stun.PRIORITY,
    stun.USE_CANDIDATE,
}
_COMPREHENSION_OPTIONAL_FROM = 0x8000


@dataclass(frozen=True, slots=True)
class Credentials:
    """ufrag and password of one side (RFC 8445 section 5.3: at least 24 and 128 bits of randomness)."""

    ufrag: str
    pwd: str

    @classmethod
    def generate(cls) -> "Credentials":
        """Fresh local credentials, made of ice-chars only."""
        return cls(_ice_chars(UFRAG_BYTES), _ice_chars(PWD_BYTES))


def _ice_chars(random_bytes: int) -> str:
    # base64url's - and _ are no ice-chars (RFC 8839 section 5.4); + and / are.
    return secrets.token_urlsafe(random_bytes).replace("-", "+").replace("_", "/")


@dataclass(frozen=True, slots=True)
class IceAnswer:
    """What to send back, and whether the selected address changed."""

    datagram: bytes
    moved: bool = False


class IceLite:
    """One session's agent.

    After a restart both generations of credentials answer until the peer has nominated a pair with the new ones
    (RFC 8445 section 9: media continues on the old pair until then).
    """

    def __init__(self, remote_ufrag: str) -> None:
        self.local = Credentials.generate()
        self.remote_ufrag = remote_ufrag
        self.previous: tuple[Credentials, str] | None = None
        self.selected: Address | None = None
        self._nominated = False
        self._nominations: dict[bytes, int] = {}

    def restart(self, remote_ufrag: str) -> None:
        """Begin a new generation (RFC 8445 section 9)."""
        self.previous = (self.local, self.remote_ufrag)
        self.local = Credentials.generate()
        self.remote_ufrag = remote_ufrag

    def answer(self, datagram: bytes, request: stun.Message, source: Address) -> IceAnswer | None:
        """Answer a Binding request; None when it is not authentic, and is to be dropped without an answer."""
        credentials = self._credentials_for(request)
        if credentials is None or not stun.verify_integrity(datagram, request, credentials.pwd.encode()):
            return None
        refusal = _refusal(request)
        if refusal is not None:
            return IceAnswer(_response(stun.BINDING_ERROR, request, credentials, refusal))
        nominated = stun.USE_CANDIDATE in request.attributes
        if nominated and self._is_copy(request.transaction_id, source):
            return None
        moved = self._select(source, credentials, nominated)
        mapped = stun.pack_xor_address(source[0], source[1], request.transaction_id)
        success = _response(stun.BINDING_SUCCESS, request, credentials, [(stun.XOR_MAPPED_ADDRESS, mapped)])
        return IceAnswer(success, moved)

    def _credentials_for(self, request: stun.Message) -> Credentials | None:
        username = request.attributes.get(stun.USERNAME, b"")
        if username == f"{self.local.ufrag}:{self.remote_ufrag}".encode():
            return self.local
        if self.previous and username == f"{self.previous[0].ufrag}:{self.previous[1]}".encode():
            return self.previous[0]
        return None

    def _is_copy(self, transaction_id: bytes, source: Address) -> bool:
        """Whether this nomination came from another address before: whoever listens on the path could send it to draw
        the media to himself. From the same address it is a retransmission (RFC 8489 section 6.2.1)."""
        came_from = self._nominations.setdefault(transaction_id, hash(source))
        if len(self._nominations) > MAX_NOMINATIONS:
            del self._nominations[next(iter(self._nominations))]
        return came_from != hash(source)

    def _select(self, source: Address, credentials: Credentials, nominated: bool) -> bool:
        current = credentials is self.local
        if nominated and current:
            self.previous = None
        # A check that nominates nothing moves the address only while nothing was nominated, an old
        # generation's never after a restart.
        if self.selected is not None and not (current and (nominated or not self._nominated)):
            return False
        self._nominated = self._nominated or (nominated and current)
        moved = source != self.selected
        self.selected = source
        return moved


def local_ufrag(request: stun.Message) -> str:
    """The ufrag that names the session: what stands before the colon of USERNAME; empty when there is none."""
    return request.attributes.get(stun.USERNAME, b"").partition(b":")[0].decode("ascii", "replace")


def _refusal(request: stun.Message) -> list[tuple[int, bytes]] | None:
    if stun.ICE_CONTROLLED in request.attributes:
        # We are lite and so always controlled: the peer has to switch (RFC 8445 section 7.3.1.1).
        return [(stun.ERROR_CODE, stun.pack_error_code(487, "Role Conflict"))]
    unknown = [a for a in request.attributes if a < _COMPREHENSION_OPTIONAL_FROM and a not in _COMPREHENDED]
    if not unknown:
        return None
    listed = b"".join(attribute.to_bytes(2) for attribute in unknown)
    return [(stun.ERROR_CODE, stun.pack_error_code(420, "Unknown Attribute")), (stun.UNKNOWN_ATTRIBUTES, listed)]


def _response(
    message_type: int, request: stun.Message, credentials: Credentials, attributes: list[tuple[int, bytes]]
) -> bytes:
    return stun.serialize_message(message_type, request.transaction_id, attributes, credentials.pwd.encode())


def candidate_lines(hosts: list[str], port: int) -> list[str]:
    """`candidate` attribute values for our host candidates, the first the most preferred (RFC 8839 section 5.1)."""
    # Type preference 126 for host, local preference falling in order, component 1 (RFC 8445 section 5.1.2.1).
    return [
        f"{order + 1} 1 udp {(126 << 24) | ((65535 - order) << 8) | 255} {host} {port} typ host"
        for order, host in enumerate(hosts)
    ]
