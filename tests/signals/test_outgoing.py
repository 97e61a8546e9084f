"""What the gateway says: compact JSON, every state with its sentence."""

import json

import pytest

from gateway.bets.bet import Answer, BetState, Delivery
from gateway.config import SignalSettings
from gateway.signals import outgoing
from gateway.signals.messages import BetMessage

BET = BetMessage("b1", "r1", {})


def test_welcome() -> None:
    settings = SignalSettings(ping_s=0.5, report_s=7.5, max_message_bytes=512)
    text = outgoing.welcome("table", False, settings, [{"roundId": "r1"}], 1.5)
    assert json.loads(text) == {
        "type": "welcome",
        "version": 1,
        "stream": "table",
        "mayBet": False,
        "pingIntervalMs": 500,
        "reportIntervalMs": 7500,
        "maxMessageBytes": 512,
        "nowUnixMs": 1500,
        "rounds": [{"roundId": "r1"}],
    }


@pytest.mark.parametrize(("rtt_s", "rtt_ms"), [(None, None), (0.0123456, 12.346), (0.0, 0.0)])
def test_ping(rtt_s: float | None, rtt_ms: float | None) -> None:
    assert json.loads(outgoing.ping(7, rtt_s)) == {"type": "ping", "id": 7, "rttMs": rtt_ms}


@pytest.mark.parametrize("state", BetState)
def test_ack_of_each_state_has_a_sentence(state: BetState) -> None:
    acked = json.loads(outgoing.ack(BET, Answer(state, BetState.LATE if state is BetState.DUPLICATE else None)))
    assert (acked["type"], acked["betId"], acked["roundId"], acked["state"]) == ("ack", "b1", "r1", state.value)
    assert acked["sentence"].endswith(".")
    assert acked.get("first") == ("late" if state is BetState.DUPLICATE else None)


def test_ack_of_a_bet_that_another_player_placed_says_so() -> None:
    acked = json.loads(outgoing.ack(BET, Answer(BetState.DUPLICATE)))
    assert "first" not in acked
    assert acked["sentence"] == outgoing.TAKEN_BY_ANOTHER


@pytest.mark.parametrize("outcome", Delivery)
def test_delivery(outcome: Delivery) -> None:
    told = json.loads(outgoing.delivery("b1", "r1", outcome))
    assert told.pop("sentence").endswith(".")
    assert told == {"type": "delivery", "betId": "b1", "roundId": "r1", "outcome": outcome.value}


def test_goodbye() -> None:
    told = json.loads(outgoing.goodbye("Leaving.", 1.2345))
    assert told == {"type": "goodbye", "sentence": "Leaving.", "reconnectAfterMs": 1234}


def test_text_is_as_short_as_json_is() -> None:
    assert outgoing.error("Kein Geld für Käse.") == '{"type":"error","sentence":"Kein Geld für Käse."}'
