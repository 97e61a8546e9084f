"""A full ICE agent that controls (RFC 8445), of one socket: bytes and the time in, bytes out.

Who offers by WHIP or WHEP controls. The agent checks every candidate of the peer, answers the peer's own checks,
nominates the first pair that is valid (to an ICE-lite peer with the very check), and afterwards asks for consent
(RFC 7675). Each try is a transaction of its own, as libwebrtc's is, so that every answer is a measurement of the RTT.

Instants are unix seconds. What is not authentic is dropped; what does not parse raises WireError.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.transport.address import Address
from gateway.transport.ice import Credentials
from gateway.wire import stun
from loadgen.peer.checks import check_request, error_text, refusal_of, success_of

PACE_S = 0.05
"""Between two checks (Ta, RFC 8445 section 14.2)."""

FIRST_RETRY_S, MAX_RETRY_S = 0.1, 0.5
"""How long a check waits for its answer; twice as long each time. RFC 8445 section 14.3 begins with 0.5 s, libwebrtc
goes on checking every 48 ms while no pair is valid."""

CONSENT_TIMEOUT_S = 30.0
"""RFC 7675 section 5.1."""

MAX_PAIRS = 32
"""A server has an address or two for each family; peer-reflexive ones come on top. RFC 8445 section 6.1.2.5 allows
100."""

MAX_OUTSTANDING = 64
"""Checks whose answer may still come; older ones are forgotten."""

MAX_NOMINATIONS = 5
"""Checks that nominate a pair before another one is tried."""

Endpoint = tuple[str, int]
"""Host (a literal address) and port of the peer."""

Outgoing = tuple[bytes, Endpoint]
"""A datagram, and where it has to go."""


@dataclass(frozen=True, slots=True)
class RemoteIce:
    """What the answer says of the peer."""

    credentials: Credentials
    is_lite: bool


@dataclass(slots=True)
class _Pair:
    """Our only local candidate with one of the peer's."""

    endpoint: Endpoint
    priority: int
    tries: int = 0
    checked_s: float = 0.0
    next_check_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Check:
    endpoint: Endpoint
    sent_s: float
    nominates: bool


class IceAgent:
    """See the module. `due` and `on_datagram` return what has to be sent, from the agent's one socket."""

    def __init__(self, local: Credentials, remote: RemoteIce, may_send_to: Callable[[str], bool]) -> None:
        """`may_send_to` is asked about every host before anything is sent to it."""
        self.local = local
        self.remote = remote
        self.selected: Endpoint | None = None
        """The nominated pair's remote end."""
        self.is_consent_lost = False
        self.refusal: str | None = None
        """The newest error that the peer answered a check with, for people."""
        self._rtts_s: deque[float] = deque(maxlen=MAX_OUTSTANDING)
        """Bounded, as not every owner takes them."""
        self._may_send_to = may_send_to
        self._pairs: dict[Endpoint, _Pair] = {}
        self._outstanding: dict[bytes, _Check] = {}
        self._nominee: _Pair | None = None
        self._next_paced_s = 0.0
        self._consented_s = 0.0

    # Candidates

    def add_candidate(self, host: str, port: int, priority: int) -> bool:
        """Pair with one of the peer's candidates of our socket's family; False when nothing may be sent there, or
        there are too many."""
        if len(self._pairs) >= MAX_PAIRS or not self._may_send_to(host):
            return False
        self._pairs.setdefault((host, port), _Pair((host, port), priority))
        return True

    def knows(self, source: Address) -> bool:
        """Whether `source` is one of the peer's candidates."""
        return source[:2] in self._pairs

    # Checks

    @property
    def next_due_s(self) -> float:
        """When `due` will have something next."""
        soonest_s = min((pair.next_check_s for pair in self._candidates()), default=float("inf"))
        return max(soonest_s, self._next_paced_s)

    def due(self, now_s: float) -> list[Outgoing]:
        """The check whose turn it is, while no pair is nominated."""
        if self.selected is not None or now_s < self._next_paced_s:
            return []
        waiting = [pair for pair in self._candidates() if pair.next_check_s <= now_s]
        if not waiting:
            return []
        return [self._check(max(waiting, key=lambda pair: (-pair.tries, pair.priority)), now_s)]

    def consent(self, now_s: float) -> Outgoing | None:
        """A check of the nominated pair, to be made every few seconds; None before there is one. It also sees
        whether the peer has been silent for too long."""
        if self.selected is None:
            return None
        if now_s - self._consented_s > CONSENT_TIMEOUT_S:
            self.is_consent_lost = True
        return self._check(self._pairs[self.selected], now_s)

    def take_rtts_s(self) -> list[float]:
        """Round trips of the checks that were answered since the last call."""
        rtts_s = list(self._rtts_s)
        self._rtts_s.clear()
        return rtts_s

    def _candidates(self) -> list[_Pair]:
        return [self._nominee] if self._nominee is not None else list(self._pairs.values())

    def _check(self, pair: _Pair, now_s: float) -> Outgoing:
        pair.checked_s = now_s
        pair.next_check_s = now_s + min(FIRST_RETRY_S * 2 ** min(pair.tries, 8), MAX_RETRY_S)
        pair.tries += 1
        self._next_paced_s = now_s + PACE_S
        is_nominee = pair is self._nominee and self.selected is None
        nominates = self.remote.is_lite or is_nominee
        if is_nominee and pair.tries >= MAX_NOMINATIONS:
            self._nominee = None
        transaction_id = secrets.token_bytes(12)
        self._outstanding[transaction_id] = _Check(pair.endpoint, now_s, nominates)
        if len(self._outstanding) > MAX_OUTSTANDING:
            del self._outstanding[next(iter(self._outstanding))]
        request = check_request(transaction_id, self.local, self.remote.credentials, nominates=nominates)
        return request, pair.endpoint

    # What comes in

    def on_datagram(self, datagram: bytes, source: Address, now_s: float) -> list[Outgoing]:
        """A STUN message that came from `source` at `now_s`."""
        message = stun.parse_message(datagram)
        endpoint = (source[0], source[1])
        if message.message_type == stun.BINDING_REQUEST:
            return self._on_request(datagram, message, endpoint, now_s)
        if message.message_type == stun.BINDING_SUCCESS:
            return self._on_success(datagram, message, endpoint, now_s)
        if message.message_type == stun.BINDING_ERROR:
            self._on_error(message, endpoint)
        return []

    def _on_success(self, datagram: bytes, message: stun.Message, source: Endpoint, now_s: float) -> list[Outgoing]:
        check = self._outstanding.get(message.transaction_id)
        # What comes from elsewhere is no answer (RFC 8445 section 7.2.5.2.1).
        if check is None or check.endpoint != source:
            return []
        if not stun.verify_integrity(datagram, message, self.remote.credentials.pwd.encode()):
            return []
        del self._outstanding[message.transaction_id]
        self._consented_s = now_s
        if now_s >= check.sent_s:  # the system's clock may have been set
            self._rtts_s.append(now_s - check.sent_s)
        return self._on_valid(self._pairs[source], check, now_s)

    def _on_valid(self, pair: _Pair, check: _Check, now_s: float) -> list[Outgoing]:
        """Nominate the first pair that is valid (RFC 8445 section 8.1.1)."""
        if self.selected is not None:
            return []
        if check.nominates:
            self.selected = check.endpoint
            return [self._check(pair, now_s)] if self._has_rivals(check.endpoint) else []
        if self._nominee is not None:
            return []
        self._nominee = pair
        pair.tries = 0
        return [self._check(pair, now_s)]

    def _has_rivals(self, endpoint: Endpoint) -> bool:
        """Whether another pair's nomination may still arrive: an ICE-lite peer follows the newest, so that this one's
        has to come again, behind it."""
        return any(each.nominates and each.endpoint != endpoint for each in self._outstanding.values())

    def _on_error(self, message: stun.Message, source: Endpoint) -> None:
        """An error may be unsigned (RFC 8489 section 9.1.4), so it only explains what the checks did not bring."""
        check = self._outstanding.get(message.transaction_id)
        if check is not None and check.endpoint == source:
            self.refusal = error_text(message)

    def _on_request(self, datagram: bytes, message: stun.Message, source: Endpoint, now_s: float) -> list[Outgoing]:
        expected = f"{self.local.ufrag}:{self.remote.credentials.ufrag}".encode()
        if message.attributes.get(stun.USERNAME) != expected or not self._may_send_to(source[0]):
            return []
        if not stun.verify_integrity(datagram, message, self.local.pwd.encode()):
            return []
        refusal = refusal_of(message, self.local)
        if refusal is not None:
            return [(refusal, source)]
        self._trigger(source, message, now_s)
        return [(success_of(message, source, self.local), source)]

    def _trigger(self, source: Endpoint, request: stun.Message, now_s: float) -> None:
        """Check the pair that works the other way, too, as soon as may be (RFC 8445 section 7.3.1.4). A source that
        is none of the candidates is a peer-reflexive one (section 7.3.1.3)."""
        if self.selected is not None:
            return
        priority = int.from_bytes(request.attributes.get(stun.PRIORITY, b"")[:4], "big")
        if source in self._pairs or self.add_candidate(*source, priority):
            pair = self._pairs[source]
            pair.next_check_s = min(pair.next_check_s, max(now_s, pair.checked_s + PACE_S))
