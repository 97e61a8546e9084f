"""A bet, and what a player is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class BetState(Enum):
    """The answer to a bet; the label of `railbird_bets_total`. Every bet gets exactly one."""

    ACCEPTED = "accepted"
    LATE = "late"
    """The window was closed at the gateway when the bet arrived."""
    DUPLICATE = "duplicate"
    """This betId was answered before; `first` says how."""
    UNKNOWN_ROUND = "unknown_round"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    """The upstream is so far behind that the bet could be lost: not taken."""
    FORBIDDEN = "forbidden"
    """The token has no role `bet` for this stream, or has expired."""


class Delivery(Enum):
    """What became of an accepted bet; the label of `railbird_bets_upstream_total`."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """Given up, or refused by the upstream: the bet does not count."""


@dataclass(frozen=True, slots=True)
class Bet:
    """What a player placed."""

    stream: str
    round_id: str
    bet_id: str
    player: str
    """Who tells one player from another: of the token; without one, of the connection."""
    fields: Mapping[str, Any]
    """All else that the player's message had, passed on as it is."""
    placed_s: float
    placed_unix_s: float
    jurisdiction: str | None = None
    traceparent: str | None = None
    """W3C trace context of the message, if it brought one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer to a bet."""

    state: BetState
    first: BetState | None = None
    """With DUPLICATE: the first answer; None where another player placed it."""
