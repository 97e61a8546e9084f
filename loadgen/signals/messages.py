"""What signals say (docs/signals.md, version 1): the server's messages read, a player's written. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import WireError
from loadgen.counts import MediaCounts

SUBPROTOCOL = "railbird.signals.v1"
"""Of the WebSocket and of the data channel."""

MAX_STEPS = 8
"""Of a round: there are six states."""

MAX_ROUNDS_TOLD = 256
"""In a welcome: a server remembers many, and tells those that are of use."""

MAX_MOVE_AFTER_S = 600.0
"""Nobody is told to move so long before."""

OUTCOMES = ("delivered", "undelivered")


@dataclass(frozen=True, slots=True)
class RoundNews:
    """What is said of a round."""

    round_id: str
    state: str
    steps: tuple[tuple[str, int], ...]
    """(state, unix milliseconds of the server), the first first."""
    closes_at_unix_ms: int | None = None

    @property
    def window_s(self) -> float | None:
        """How long bets are open, as it was announced: no clock of ours is asked."""
        if self.closes_at_unix_ms is None:
            return None
        return (self.closes_at_unix_ms - self.steps[-1][1]) / 1000


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first message."""

    may_bet: bool
    report_interval_s: float
    rounds: tuple[RoundNews, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered at once."""

    ping_id: int
    rtt_s: float | None
    """Of the ping before it."""


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to a bet."""

    bet_id: str
    round_id: str
    state: str
    """One of BET_STATES; or, within this version, of a later one's: a refusal."""
    first: str | None


@dataclass(frozen=True, slots=True)
class DeliveryNews:
    """What became of an accepted bet."""

    bet_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something of ours was not understood."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The server is about to close."""

    reconnect_after_s: float


@dataclass(frozen=True, slots=True)
class Move:
    """The table goes on elsewhere: the player is to open its session there, and to end this one."""

    after_s: float
    """At most MAX_MOVE_AFTER_S."""
    to: str | None
    """An edge's base URL; None: the address that the player came by."""


Message = Welcome | Ping | Ack | DeliveryNews | RoundNews | Complaint | Goodbye | Move


def parse(text: str) -> Message | None:
    """A message of the server; None for a type that is not known, as a later version may have more. WireError for what
    is none."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("A signal is no JSON.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise WireError("A signal is no JSON object with a type.")
    read = _READERS.get(message["type"])
    return read(message) if read is not None else None


def pong(ping_id: int) -> str:
    """The answer to a ping."""
    return _text({"type": "pong", "id": ping_id})


def bet(bet_id: str, round_id: str) -> str:
    """A bet: what it is on is for the upstream to know."""
    return _text({"type": "bet", "betId": bet_id, "roundId": round_id, "selection": "red", "stake": 1})


def report(protocol: str, interval_s: float, seen: MediaCounts) -> str:
    """What a player saw in `interval_s`; what the load generator has no idea of is null."""
    has_packets = protocol == "webrtc"
    return _text(
        {
            "type": "report",
            "protocol": protocol,
            "intervalMs": round(interval_s * 1000),
            "framesDecoded": seen.frames_complete,
            "framesDropped": seen.frames_incomplete + seen.frames_undecodable,
            "freezeCount": seen.freezes,
            "freezesMs": round(seen.frozen_s * 1000),
            "jitterBufferMs": None,
            "rttMs": None,
            "delayMs": None,
            "packetsReceived": seen.packets if has_packets else None,
            "packetsLost": max(seen.lost - seen.recovered, 0) if has_packets else None,
        }
    )


def _text(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


def _welcome(message: Mapping[str, Any]) -> Welcome:
    if message.get("version") != 1:
        raise WireError("The welcome is of another version.")
    rounds = _field(message, "rounds", list)
    if len(rounds) > MAX_ROUNDS_TOLD:
        raise WireError("The welcome has more rounds than anybody needs.")
    return Welcome(
        may_bet=_field(message, "mayBet", bool),
        report_interval_s=_number(message, "reportIntervalMs") / 1000,
        rounds=tuple(_round(each) for each in rounds),
    )


def _ping(message: Mapping[str, Any]) -> Ping:
    rtt_ms = _number(message, "rttMs") if message.get("rttMs") is not None else None
    return Ping(_field(message, "id", int), rtt_ms / 1000 if rtt_ms is not None else None)


def _ack(message: Mapping[str, Any]) -> Ack:
    first = _field(message, "first", str) if message.get("first") is not None else None
    return Ack(_field(message, "betId", str), _field(message, "roundId", str), _field(message, "state", str), first)


def _delivery(message: Mapping[str, Any]) -> DeliveryNews:
    return DeliveryNews(_field(message, "betId", str), _one_of(message, "outcome", OUTCOMES))


def _round_message(message: Mapping[str, Any]) -> RoundNews:
    return _round(message.get("round"))


def _round(told: object) -> RoundNews:
    if not isinstance(told, dict):
        raise WireError("A round is no object.")
    steps = _field(told, "steps", list)
    if not 1 <= len(steps) <= MAX_STEPS or not all(isinstance(step, dict) for step in steps):
        raise WireError("A round's steps are no list of one to eight objects.")
    read = tuple((_field(step, "state", str), _milliseconds(step, "atUnixMs")) for step in steps)
    closes_ms = _milliseconds(told, "closesAtUnixMs") if told.get("closesAtUnixMs") is not None else None
    return RoundNews(_field(told, "roundId", str), _field(told, "state", str), read, closes_ms)


def _complaint(message: Mapping[str, Any]) -> Complaint:
    return Complaint(_field(message, "sentence", str))


def _goodbye(message: Mapping[str, Any]) -> Goodbye:
    return Goodbye(_number(message, "reconnectAfterMs") / 1000)


def _move(message: Mapping[str, Any]) -> Move:
    to = _field(message, "to", str) if message.get("to") is not None else None
    return Move(min(max(_number(message, "afterMs") / 1000, 0.0), MAX_MOVE_AFTER_S), to)


def _field(message: Mapping[str, Any], name: str, kind: type) -> Any:
    value = message.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise WireError(f"The {name} of a signal is missing, or of another kind.")
    return value


def _one_of(message: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = message.get(name)
    if value not in known:
        raise WireError(f"The {name} of a signal is none of {', '.join(known)}.")
    return str(value)


def _milliseconds(message: Mapping[str, Any], name: str) -> int:
    """Since 1970; a fraction, if there is one, says nothing."""
    return int(_number(message, name))


def _number(message: Mapping[str, Any], name: str) -> float:
    value = message.get(name)
    # Neither infinity nor NaN, which Python's json takes.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise WireError(f"The {name} of a signal is no number.")
    return float(value)


_READERS: dict[str, Callable[[Mapping[str, Any]], Message]] = {
    "welcome": _welcome,
    "ping": _ping,
    "ack": _ack,
    "delivery": _delivery,
    "round": _round_message,
    "error": _complaint,
    "goodbye": _goodbye,
    "move": _move,
}
