"""A bet on its way to the upstream: what is sent of it, as it is sent."""

import json
from dataclasses import dataclass, replace
from urllib.parse import quote

from gateway.bets.bet import Bet


@dataclass(frozen=True, slots=True)
class Handover:
    """The bet without its fields, which wait as text in `body`: parsed, they may take twenty times the memory."""

    bet: Bet
    body: bytes
    """JSON object, UTF-8."""
    idempotency_key: str
    deadline_s: float
    """Monotonic: after it, nothing more is tried."""


def handover(bet: Bet, give_up_s: float) -> Handover:
    """How that bet is handed on. ValueError for fields that are no JSON."""
    message = {
        "betId": bet.bet_id,
        "roundId": bet.round_id,
        "streamId": bet.stream,
        "playerId": bet.player,
        "placedAtUnixMs": round(bet.placed_unix_s * 1000),
        "jurisdiction": bet.jurisdiction,
        # By themselves: no name that a player chose may stand for one of ours.
        "fields": dict(bet.fields),
    }
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate came as \uD800 and cannot be UTF-8; written with a backslash it is the JSON that it was.
    body = text.encode("utf-8", "backslashreplace")
    return Handover(replace(bet, fields={}), body, _idempotency_key(bet), bet.placed_s + give_up_s)


def _idempotency_key(bet: Bet) -> str:
    """`stream/round/player/bet`, each percent-encoded: a player's name may hold anything, a header may not."""
    return "/".join(
        quote(part, safe="", errors="surrogatepass") for part in (bet.stream, bet.round_id, bet.player, bet.bet_id)
    )
