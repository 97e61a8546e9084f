"""The other side of the load's ICE agent, in memory: bytes in, bytes out."""

import secrets
from collections.abc import Callable

from gateway.transport.ice import Credentials, IceLite
from gateway.wire import stun
from loadgen.peer.ice import Endpoint, IceAgent, Outgoing, RemoteIce

SERVER: Endpoint = ("192.0.2.1", 5000)
ELSEWHERE: Endpoint = ("192.0.2.2", 6000)
PLAYER: Endpoint = ("198.51.100.7", 7000)


def full_agent(may_send_to: Callable[[str], bool] = lambda _host: True) -> tuple[IceAgent, "FullPeer"]:
    """The load's agent with a full ICE peer, of which it knows the candidate SERVER."""
    peer = FullPeer()
    agent = IceAgent(peer.remote, RemoteIce(peer.local, is_lite=False), may_send_to)
    agent.add_candidate(*SERVER, 1000)
    return agent, peer


def lite_agent() -> tuple[IceAgent, IceLite]:
    """The load's agent with the gateway's."""
    local = Credentials.generate()
    lite = IceLite(local.ufrag)
    agent = IceAgent(local, RemoteIce(lite.local, is_lite=True), lambda _host: True)
    agent.add_candidate(*SERVER, 1000)
    return agent, lite


def answered_by_lite(agent: IceAgent, lite: IceLite, outgoing: list[Outgoing], now_s: float) -> None:
    """Carry checks to the gateway's agent and its answers back."""
    for datagram, endpoint in outgoing:
        answer = lite.answer(datagram, stun.parse_message(datagram), PLAYER)
        assert answer is not None
        agent.on_datagram(answer.datagram, endpoint, now_s)


class FullPeer:
    """Makes the messages of a full, controlled agent."""

    def __init__(self) -> None:
        self.local = Credentials.generate()
        self.remote = Credentials.generate()
        """The load's."""

    def success(self, request: bytes, *, pwd: str | None = None) -> bytes:
        """An answer to `request`; `pwd` forges its key."""
        return self._answer(stun.BINDING_SUCCESS, request, stun.XOR_MAPPED_ADDRESS, pwd)

    def error(self, request: bytes, code: int, reason: str) -> bytes:
        """A refusal of `request`."""
        message = stun.parse_message(request)
        attributes = [(stun.ERROR_CODE, stun.pack_error_code(code, reason))]
        return stun.serialize_message(stun.BINDING_ERROR, message.transaction_id, attributes, None)

    def _answer(self, message_type: int, request: bytes, attribute: int, pwd: str | None) -> bytes:
        message = stun.parse_message(request)
        assert stun.verify_integrity(request, message, self.local.pwd.encode()), "the check is not authentic"
        assert message.attributes[stun.USERNAME] == f"{self.local.ufrag}:{self.remote.ufrag}".encode()
        value = stun.pack_xor_address(*PLAYER, message.transaction_id)
        key = (pwd or self.local.pwd).encode()
        return stun.serialize_message(message_type, message.transaction_id, [(attribute, value)], key)

    def check(
        self, *, pwd: str | None = None, username: str | None = None, extra: list[tuple[int, bytes]] | None = None
    ) -> bytes:
        """A check of its own; `pwd` forges its key."""
        attributes = [
            (stun.USERNAME, (username or f"{self.remote.ufrag}:{self.local.ufrag}").encode()),
            (stun.PRIORITY, bytes(4)),
            *(extra if extra is not None else [(stun.ICE_CONTROLLED, bytes(8))]),
        ]
        key = (pwd or self.remote.pwd).encode()
        return stun.serialize_message(stun.BINDING_REQUEST, secrets.token_bytes(12), attributes, key)


def nominates(request: bytes) -> bool:
    """Whether a check carries USE-CANDIDATE."""
    return stun.USE_CANDIDATE in stun.parse_message(request).attributes
