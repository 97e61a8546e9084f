"""What is sent of a bet."""

import json
from dataclasses import replace

import pytest

from gateway.bets.handover import handover
from tests.bets.table import bet

GIVE_UP_S = 60.0


def test_body_has_the_bet_and_the_players_fields_apart() -> None:
    assert json.loads(handover(bet(now_s=2.5), GIVE_UP_S).body) == {
        "betId": "b1",
        "roundId": "r1",
        "streamId": "table",
        "playerId": "ada",
        "placedAtUnixMs": 1_002_500,
        "jurisdiction": "MT",
        "fields": {"amount": 5, "field": "red"},
    }


def test_field_of_a_player_stands_for_none_of_ours() -> None:
    sly = replace(bet(), fields={"playerId": "bob", "placedAtUnixMs": 0})
    message = json.loads(handover(sly, GIVE_UP_S).body)
    assert (message["playerId"], message["placedAtUnixMs"]) == ("ada", 1_000_000)
    assert message["fields"] == {"playerId": "bob", "placedAtUnixMs": 0}


@pytest.mark.parametrize("text", ["Zürich", "賭け", "\U0001f3b2", "\x00\n", "\ud800", '"\\'])
def test_any_text_comes_through(text: str) -> None:
    body = handover(replace(bet(), fields={"text": text}), GIVE_UP_S).body
    assert json.loads(body.decode("utf-8"))["fields"]["text"] == text


def test_number_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        handover(replace(bet(), fields={"amount": float("nan")}), GIVE_UP_S)


def test_idempotency_key_names_stream_round_player_and_bet() -> None:
    assert handover(bet(), GIVE_UP_S).idempotency_key == "table/r1/ada/b1"


def test_idempotency_key_is_a_header_whatever_the_player_is_called() -> None:
    key = handover(bet(player="a/b\r\nX-Evil: 1 é"), GIVE_UP_S).idempotency_key
    assert key == "table/r1/a%2Fb%0D%0AX-Evil%3A%201%20%C3%A9/b1"


def test_player_that_is_no_unicode_is_handed_on_all_the_same() -> None:
    handed = handover(bet(player="\ud800"), GIVE_UP_S)
    assert handed.idempotency_key == "table/r1/%ED%A0%80/b1"
    assert json.loads(handed.body)["playerId"] == "\ud800"


def test_fields_wait_as_text_alone_until_the_deadline_from_when_the_bet_was_placed() -> None:
    handed = handover(bet(now_s=3.0), GIVE_UP_S)
    assert handed.bet == replace(bet(now_s=3.0), fields={})
    assert handed.deadline_s == 63.0
