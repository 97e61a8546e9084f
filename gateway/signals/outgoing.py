"""What the gateway says to players: values in, JSON text out (docs/signals.md). Pure.

A `Json` of a round is what players are shown of it (`rounds.view`); everything else is named here.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.bets.bet import Answer, BetState, Delivery
from gateway.config import SignalSettings
from gateway.signals.messages import VERSION, BetMessage

Json = Mapping[str, Any]

SENTENCES: dict[BetState, str] = {
    BetState.ACCEPTED: "The bet is accepted.",
    BetState.LATE: "The round takes no bets at this time.",
    BetState.DUPLICATE: "This betId was answered before.",
    BetState.UNKNOWN_ROUND: "There is no such round.",
    BetState.RATE_LIMITED: "Too many bets at a time; this one is not taken. It may be sent again in a second.",
    BetState.UNAVAILABLE: "Bets cannot be taken now; this one is not. It may be sent again in a few seconds.",
    BetState.FORBIDDEN: "The token does not let its bearer bet at this table, or has expired.",
}
TAKEN_BY_ANOTHER = "Another player has placed a bet of this betId; this one is not taken."
DELIVERIES: dict[Delivery, str] = {
    Delivery.DELIVERED: "The bet has been handed on.",
    Delivery.UNDELIVERED: "The bet could not be handed on: it does not count.",
}
MOVE = "This gateway is about to stop: the table goes on elsewhere."


def welcome(stream: str, may_bet: bool, settings: SignalSettings, rounds: Iterable[Json], now_unix_s: float) -> str:
    """The first message of a connection; by `nowUnixMs` a page counts down to `closesAtUnixMs`."""
    return _text(
        {
            "type": "welcome",
            "version": VERSION,
            "stream": stream,
            "mayBet": may_bet,
            "pingIntervalMs": round(settings.ping_s * 1000),
            "reportIntervalMs": round(settings.report_s * 1000),
            "maxMessageBytes": settings.max_message_bytes,
            "nowUnixMs": round(now_unix_s * 1000),
            "rounds": list(rounds),
        }
    )


def ping(ping_id: int, rtt_s: float | None) -> str:
    """`rtt_s`: what the last ping measured."""
    # By hand: these are most of what is sent.
    rtt_ms = "null" if rtt_s is None else f"{rtt_s * 1000:.3f}"
    return f'{{"type":"ping","id":{ping_id},"rttMs":{rtt_ms}}}'


def ack(bet: BetMessage, answer: Answer) -> str:
    """The one answer to a bet message. `first` goes with duplicates alone."""
    message = {"type": "ack", "betId": bet.bet_id, "roundId": bet.round_id, "state": answer.state.value}
    if answer.first is not None:
        message["first"] = answer.first.value
    is_of_another = answer.state is BetState.DUPLICATE and answer.first is None
    return _text(message | {"sentence": TAKEN_BY_ANOTHER if is_of_another else SENTENCES[answer.state]})


def delivery(bet_id: str, round_id: str, outcome: Delivery) -> str:
    """What became of an accepted bet."""
    return _text(
        {
            "type": "delivery",
            "betId": bet_id,
            "roundId": round_id,
            "outcome": outcome.value,
            "sentence": DELIVERIES[outcome],
        }
    )


def round_message(shown: Json) -> str:
    """A round that has entered a state."""
    return _text({"type": "round", "round": shown})


def move(after_s: float, to: str | None) -> str:
    """Go on elsewhere in so long: at the base URL `to`; None: by the address that the player came by."""
    return _text({"type": "move", "sentence": MOVE, "afterMs": round(after_s * 1000), "to": to})


def error(sentence: str) -> str:
    """What was not understood."""
    return _text({"type": "error", "sentence": sentence})


def goodbye(sentence: str, reconnect_after_s: float) -> str:
    """Before the gateway closes."""
    return _text({"type": "goodbye", "sentence": sentence, "reconnectAfterMs": round(reconnect_after_s * 1000)})


def _text(message: Json) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
