"""Messages of the server read, a player's written."""

import json
from typing import Any

import pytest

from gateway.errors import WireError
from loadgen.counts import BET_STATES, MediaCounts
from loadgen.signals import messages
from loadgen.signals.messages import (
    MAX_MOVE_AFTER_S,
    MAX_ROUNDS_TOLD,
    MAX_STEPS,
    Ack,
    Complaint,
    DeliveryNews,
    Goodbye,
    Move,
    Ping,
    RoundNews,
    Welcome,
    parse,
)

OPEN = {"state": "betting_open", "atUnixMs": 1000}
ROUND = {"roundId": "r1", "stream": "table", "state": "betting_open", "steps": [OPEN], "closesAtUnixMs": 5000}
WELCOME = {"type": "welcome", "version": 1, "mayBet": True, "reportIntervalMs": 5000, "rounds": [ROUND]}
ACK = {"type": "ack", "betId": "b1", "roundId": "r1", "state": "accepted", "sentence": "The bet is accepted."}


def told(message: Any) -> Any:
    return parse(json.dumps(message))


def test_welcome_is_read_with_its_rounds() -> None:
    news = RoundNews("r1", "betting_open", (("betting_open", 1000),), 5000)
    assert told(WELCOME) == Welcome(True, 5.0, (news,))
    assert news.window_s == 4.0


def test_window_of_a_round_is_not_known_where_it_is_not_told() -> None:
    read = told({"type": "round", "round": ROUND | {"closesAtUnixMs": None}})
    assert read.window_s is None


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"type": "ping", "id": 7, "rttMs": None}, Ping(7, None)),
        ({"type": "ping", "id": 7, "rttMs": 1.5}, Ping(7, 0.0015)),
        (ACK, Ack("b1", "r1", "accepted", None)),
        (ACK | {"state": "duplicate", "first": "late"}, Ack("b1", "r1", "duplicate", "late")),
        ({"type": "delivery", "betId": "b1", "roundId": "r1", "outcome": "delivered"}, DeliveryNews("b1", "delivered")),
        ({"type": "error", "sentence": "No."}, Complaint("No.")),
        ({"type": "goodbye", "sentence": "Later.", "reconnectAfterMs": 500}, Goodbye(0.5)),
        (
            {"type": "move", "sentence": "Go.", "afterMs": 1250, "to": "https://b.example"},
            Move(1.25, "https://b.example"),
        ),
        ({"type": "move", "sentence": "Go.", "afterMs": -3, "to": None}, Move(0.0, None)),
        ({"type": "move", "sentence": "Go.", "afterMs": 1e12}, Move(MAX_MOVE_AFTER_S, None)),
        ({"type": "of another version"}, None),
    ],
)
def test_message_is_read(message: dict[str, Any], read: object) -> None:
    assert told(message) == read


@pytest.mark.parametrize("state", BET_STATES)
def test_every_answer_to_a_bet_is_known(state: str) -> None:
    assert told(ACK | {"state": state}).state == state


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "7",
        "{}",
        json.dumps({"type": 7}),
        json.dumps({"type": "ping"}),
        json.dumps({"type": "ping", "id": True}),
        json.dumps({"type": "ping", "id": 1.5}),
        json.dumps({"type": "ping", "id": 1, "rttMs": "1"}),
        '{"type": "ping", "id": 1, "rttMs": NaN}',
        '{"type": "ping", "id": 1, "rttMs": Infinity}',
        json.dumps(WELCOME | {"version": 2}),
        json.dumps(WELCOME | {"mayBet": 1}),
        json.dumps(WELCOME | {"rounds": {}}),
        json.dumps(WELCOME | {"rounds": [ROUND] * (MAX_ROUNDS_TOLD + 1)}),
        json.dumps(ACK | {"state": 7}),
        json.dumps(ACK | {"first": 7}),
        json.dumps(ACK | {"betId": None}),
        json.dumps({"type": "delivery", "betId": "b1", "outcome": "lost"}),
        json.dumps({"type": "round"}),
        json.dumps({"type": "round", "round": ROUND | {"steps": []}}),
        json.dumps({"type": "round", "round": ROUND | {"steps": [OPEN] * (MAX_STEPS + 1)}}),
        json.dumps({"type": "round", "round": ROUND | {"steps": ["betting_open"]}}),
        json.dumps({"type": "round", "round": ROUND | {"closesAtUnixMs": 1e300}}),
        json.dumps({"type": "goodbye"}),
        json.dumps({"type": "move", "to": None}),
        json.dumps({"type": "move", "afterMs": "soon", "to": None}),
        json.dumps({"type": "move", "afterMs": 0, "to": 7}),
    ],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        parse(text)


def test_own_messages_are_as_documented() -> None:
    assert json.loads(messages.pong(7)) == {"type": "pong", "id": 7}
    bet = json.loads(messages.bet("b1", "r1"))
    assert (bet["type"], bet["betId"], bet["roundId"]) == ("bet", "b1", "r1")


def test_report_tells_frames_and_what_is_not_known_as_null() -> None:
    seen = MediaCounts(packets=90, lost=9, recovered=4, frames_complete=50, frames_incomplete=2, frames_undecodable=1)
    seen.freezes, seen.frozen_s = 1, 0.25
    report = json.loads(messages.report("webrtc", 5.0, seen))
    assert report == {
        "type": "report",
        "protocol": "webrtc",
        "intervalMs": 5000,
        "framesDecoded": 50,
        "framesDropped": 3,
        "freezeCount": 1,
        "freezesMs": 250,
        "jitterBufferMs": None,
        "rttMs": None,
        "delayMs": None,
        "packetsReceived": 90,
        "packetsLost": 5,
    }
    assert json.loads(messages.report("hls", 5.0, seen))["packetsReceived"] is None
