"""What players say: JSON text in, typed values out (docs/signals.md). Pure.

What does not parse raises WireError with one sentence, which the player is told.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from gateway.errors import WireError
from gateway.signals.strict_json import parse_json

PROTOCOL = "railbird.signals.v1"
"""Of a WebSocket the subprotocol, of a data channel the protocol. Another version gets another name."""
VERSION = 1

MAX_PING_ID = (1 << 31) - 1
MAX_COUNT = 1_000_000
"""Frames or packets in one report: a hundred times what an interval can have."""
MIN_REPORT_S, MAX_REPORT_S = 0.5, 120.0
"""Intervals of a report. A page in the background may run its timers once a minute."""
MAX_FROZEN_S = 600.0
"""A browser counts a freeze when it ends: it may be longer than the interval."""
MAX_DURATION_S = 60.0
"""Of a mean: delay, jitter buffer, round trip."""

Protocol = Literal["webrtc", "hls"]
Number = TypeVar("Number", int, float)

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_OWN_BET_FIELDS = frozenset({"type", "betId", "roundId", "traceparent"})


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to the ping of that id."""

    ping_id: int


@dataclass(frozen=True, slots=True)
class BetMessage:
    """A bet, as the player's page sent it."""

    bet_id: str
    round_id: str
    fields: Mapping[str, Any]
    """All else that the message had: finite numbers, no duplicate keys, well-formed Unicode."""
    traceparent: str | None = None
    """W3C trace context; None for one that is none, as its recommendation wants it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a browser measured since its report before."""

    protocol: Protocol
    interval_s: float
    frames_decoded: int
    frames_dropped: int
    freezes: int
    frozen_s: float
    jitter_buffer_s: float | None = None
    rtt_s: float | None = None
    delay_s: float | None = None
    packets_received: int | None = None
    packets_lost: int | None = None


Message = Pong | BetMessage | Report


def parse_message(text: str, max_bytes: int) -> Message:
    """The message in `text`. WireError for whatever it cannot be."""
    value = parse_json(text, max_bytes)
    if not isinstance(value, dict):
        raise WireError("A message is a JSON object.")
    kind = value.get("type")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise WireError(f"The type of a message is one of {', '.join(_PARSERS)}.")
    return parse(value)


# Types


def _parse_pong(value: dict[str, Any]) -> Pong:
    return Pong(_whole(value, "id", MAX_PING_ID))


def _parse_bet(value: dict[str, Any]) -> BetMessage:
    fields = {name: each for name, each in value.items() if name not in _OWN_BET_FIELDS}
    traceparent = value.get("traceparent")
    is_traceparent = isinstance(traceparent, str) and _TRACEPARENT.fullmatch(traceparent) is not None
    return BetMessage(_id(value, "betId"), _id(value, "roundId"), fields, traceparent if is_traceparent else None)


def _parse_report(value: dict[str, Any]) -> Report:
    protocol = value.get("protocol")
    if protocol not in ("webrtc", "hls"):
        raise WireError("The protocol of a report is webrtc or hls.")
    return Report(
        protocol=protocol,
        interval_s=_seconds(value, "intervalMs", MAX_REPORT_S, MIN_REPORT_S),
        frames_decoded=_whole(value, "framesDecoded", MAX_COUNT),
        frames_dropped=_whole(value, "framesDropped", MAX_COUNT),
        freezes=_whole(value, "freezeCount", MAX_COUNT),
        frozen_s=_seconds(value, "freezesMs", MAX_FROZEN_S),
        jitter_buffer_s=_optional(value, "jitterBufferMs", _mean),
        rtt_s=_optional(value, "rttMs", _mean),
        delay_s=_optional(value, "delayMs", _mean),
        packets_received=_optional(value, "packetsReceived", _packets),
        packets_lost=_optional(value, "packetsLost", _packets),
    )


_PARSERS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "pong": _parse_pong,
    "bet": _parse_bet,
    "report": _parse_report,
}


# Fields


def _id(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise WireError(f"{name} has 1 to 64 characters of A-Z, a-z, 0-9, _ . : -.")
    return found


def _whole(value: dict[str, Any], name: str, most: int) -> int:
    found = value.get(name)
    # True is an int to Python.
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise WireError(f"{name} is a whole number from 0 to {most}.")
    return found


def _seconds(value: dict[str, Any], name: str, most_s: float, least_s: float = 0.0) -> float:
    found_ms = value.get(name)
    if isinstance(found_ms, int | float) and not isinstance(found_ms, bool) and least_s <= found_ms / 1000 <= most_s:
        return found_ms / 1000
    raise WireError(f"{name} is a number from {least_s * 1000:.0f} to {most_s * 1000:.0f}.")


def _mean(value: dict[str, Any], name: str) -> float:
    return _seconds(value, name, MAX_DURATION_S)


def _packets(value: dict[str, Any], name: str) -> int:
    return _whole(value, name, MAX_COUNT)


def _optional(value: dict[str, Any], name: str, parse: Callable[[dict[str, Any], str], Number]) -> Number | None:
    return None if value.get(name) is None else parse(value, name)
