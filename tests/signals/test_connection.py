"""One player's connection: each message judged by itself, each bet answered once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.auth.identity import Role
from gateway.bets.bet import Answer, Bet
from gateway.signals.connection import FLOOD_FACTOR, Connection
from gateway.signals.pings import PONG_TIMEOUT_S
from tests.signals.players import UNIX_S, House, Wire, bet, player, report, say

MESSAGES_PER_S = 20


@pytest.fixture
def house() -> House:
    return House()


def answer_ping(house: House, connection: Connection, wire: Wire, after_s: float) -> None:
    house.now_s += after_s
    say(connection, house.now_s, type="pong", id=wire.received("ping")[-1]["id"])


# Round trips


def test_pong_is_measured_by_the_gateways_clock(house: House) -> None:
    measured: list[tuple[str, float]] = []
    house.signals.on_rtt = lambda stream, seconds: measured.append((stream, seconds))
    connection, wire = house.connect()
    answer_ping(house, connection, wire, 0.05)
    ((stream, seconds),) = measured
    assert stream == "table"
    assert seconds == pytest.approx(0.05)
    assert house.count("railbird_bet_signal_rtt_seconds", stream="table", carrier="websocket") == 1
    connection.ping(house.now_s)
    assert wire.received("ping")[0]["rttMs"] == 50.0


def test_pong_again_is_ignored_and_counted(house: House) -> None:
    connection, wire = house.connect()
    ping_id = wire.received("ping")[0]["id"]
    for _ in range(3):
        say(connection, 0.1, type="pong", id=ping_id)
    assert house.count("railbird_bet_signal_rtt_seconds", stream="table", carrier="websocket") == 1
    assert house.signals.figures.dropped == {"unknown_pong": 2}


def test_ping_without_a_pong_in_time_is_counted(house: House) -> None:
    connection, wire = house.connect()
    ping_id = wire.received("ping")[0]["id"]
    house.now_s = PONG_TIMEOUT_S + 0.1
    connection.ping(house.now_s)
    assert house.samples()["railbird_signal_pings_unanswered_total", "table"] == 1
    say(connection, house.now_s, type="pong", id=ping_id)
    assert house.signals.figures.dropped == {"unknown_pong": 1}


# Bets


def test_bet_is_acknowledged_once_with_its_state(house: House) -> None:
    house.open_round()
    connection, wire = house.connect()
    wire.received()
    say(connection, 1.0, **bet(amount=5))
    (acked,) = wire.received()
    assert (acked["type"], acked["betId"], acked["roundId"], acked["state"]) == ("ack", "b1", "r1", "accepted")
    assert house.signals.figures.messages == {("table", "bet"): 1}


def test_bet_that_is_sent_again_is_told_its_first_answer(house: House) -> None:
    house.open_round()
    connection, wire = house.connect()
    say(connection, 1.0, **bet())
    say(connection, 1.1, **bet())
    states = [(acked["state"], acked.get("first")) for acked in wire.received("ack")]
    assert states == [("accepted", None), ("duplicate", "accepted")]


def test_bet_that_is_sent_again_by_another_connection_of_the_player_is_told_its_first_answer(house: House) -> None:
    house.open_round()
    before, _ = house.connect(identity=player("ada"))
    say(before, 1.0, **bet())
    before.on_closed()
    connection, wire = house.connect(identity=player("ada"))
    say(connection, 2.0, **bet())
    assert wire.received("ack")[0]["first"] == "accepted"


def test_players_without_tokens_are_as_many_as_their_connections(house: House) -> None:
    house.open_round()
    (one, _), (another, wire) = house.connect(), house.connect()
    assert one.player != another.player
    say(one, 1.0, **bet())
    say(another, 1.0, **bet())
    (acked,) = wire.received("ack")
    assert acked["state"] == "duplicate"
    assert "first" not in acked


def test_bet_has_what_the_token_and_the_gateways_clock_say(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[Bet] = []
    place = house.desk.place

    def noted(bet: Bet, client: str, now_s: float, may_bet: bool = True) -> Answer:
        placed.append(bet)
        return place(bet, client, now_s, may_bet)

    monkeypatch.setattr(house.desk, "place", noted)
    connection, _ = house.connect(identity=player("ada"))
    say(connection, 12.5, **bet(amount=5, player="bob", placedS=1))
    assert placed == [
        Bet("table", "r1", "b1", "ada", {"amount": 5, "player": "bob", "placedS": 1}, 12.5, UNIX_S + 12.5, "MT")
    ]


def test_bet_of_a_player_who_may_only_watch_is_forbidden(house: House) -> None:
    house.open_round()
    connection, wire = house.connect(identity=player("ada", frozenset({Role.WATCH})))
    assert wire.received("welcome")[0]["mayBet"] is False
    say(connection, 1.0, **bet())
    assert wire.received("ack")[0]["state"] == "forbidden"


def test_bet_after_the_tokens_expiry_is_forbidden(house: House) -> None:
    house.open_round()
    connection, wire = house.connect(identity=player("ada", expires_unix_s=UNIX_S + 10))
    assert wire.received("welcome")[0]["mayBet"] is True
    say(connection, 9.9, **bet("in-time"))
    say(connection, 10.0, **bet("too-late"))
    assert [acked["state"] for acked in wire.received("ack")] == ["accepted", "forbidden"]


# What is not understood


def test_malformed_message_is_answered_with_a_sentence(house: House) -> None:
    connection, wire = house.connect()
    wire.received()
    connection.on_text("{", 1.0)
    assert wire.received() == [{"type": "error", "sentence": "The message is no JSON."}]
    assert house.signals.figures.dropped == {"malformed": 1}


def test_answers_to_malformed_messages_are_few(house: House) -> None:
    connection, wire = house.connect()
    for _ in range(30):
        connection.on_text("{", 1.0)
    assert len(wire.received("error")) == 2
    assert house.signals.figures.dropped == {"malformed": 30}


def test_bytes_are_refused(house: House) -> None:
    connection, wire = house.connect()
    connection.refuse_binary(1.0)
    assert "text" in wire.received("error")[0]["sentence"]
    assert house.signals.figures.dropped == {"binary": 1}


def test_flood_of_bytes_ends_the_connection(house: House) -> None:
    connection, wire = house.connect()
    for _ in range(int(MESSAGES_PER_S * FLOOD_FACTOR * 2) + 1):
        connection.refuse_binary(1.0)
    assert wire.is_closed


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(max_size=40), max_size=20))
def test_no_text_raises(texts: list[str]) -> None:
    connection, _ = House().connect()
    with capture_logs() as logs:
        for text in texts:
            connection.on_text(text, 1.0)
    assert logs == []


def test_bug_of_ours_is_loud_in_the_log_and_ends_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, wire = house.connect()
    monkeypatch.setattr(house.desk, "place", None)
    with capture_logs() as logs:
        say(connection, 1.0, **bet())
    assert [entry["event"] for entry in logs] == ["signal failed"]
    answer_ping(house, connection, wire, 0.01)
    assert house.signals.figures.messages["table", "pong"] == 1


# Rates


def test_messages_over_the_rate_are_dropped_but_bets_are_answered(house: House) -> None:
    connection, wire = house.connect()
    for _ in range(MESSAGES_PER_S * 2):
        say(connection, 1.0, type="pong", id=1)
    say(connection, 1.0, type="pong", id=1)
    say(connection, 1.0, **report())
    say(connection, 1.0, **bet())
    assert house.signals.figures.dropped == {"unknown_pong": MESSAGES_PER_S * 2, "rate": 2}
    assert len(wire.received("ack")) == 1


def test_messages_at_the_rate_are_all_taken(house: House) -> None:
    connection, _ = house.connect()
    for number in range(MESSAGES_PER_S * 30):
        say(connection, number / MESSAGES_PER_S, type="pong", id=1)
    assert house.signals.figures.dropped == {"unknown_pong": MESSAGES_PER_S * 30}


def test_each_bet_below_a_flood_has_its_answer(house: House) -> None:
    connection, wire = house.connect()
    house.open_round()
    bets = int(MESSAGES_PER_S * FLOOD_FACTOR)
    for number in range(bets):
        say(connection, 1.0, **bet(f"b{number}"))
    acked = wire.received("ack")
    assert [each["betId"] for each in acked] == [f"b{number}" for number in range(bets)]
    assert {each["state"] for each in acked} == {"accepted", "rate_limited"}


def test_flood_ends_the_connection(house: House) -> None:
    connection, wire = house.connect()
    for _ in range(int(MESSAGES_PER_S * FLOOD_FACTOR * 2)):
        say(connection, 1.0, type="pong", id=1)
    assert not wire.is_closed
    say(connection, 1.0, type="pong", id=1)
    assert wire.received("goodbye")[0]["reconnectAfterMs"] == 10_000
    assert wire.is_closed
    assert house.signals.figures.dropped["flood"] == 1
    assert len(house.signals) == 0


# Reports


def test_report_goes_into_the_figures_of_its_stream(house: House) -> None:
    connection, _ = house.connect()
    say(connection, 5.0, **report())
    assert house.signals.reports.figures("table")["webrtc"].frames_decoded == 150


def test_reports_of_two_players_do_not_limit_one_another(house: House) -> None:
    for connection, _ in (house.connect(), house.connect()):
        say(connection, 5.0, **report())
    assert house.signals.reports.figures("table")["webrtc"].reports == 2


# The end


def test_what_a_slow_player_misses_is_counted(house: House) -> None:
    connection, wire = house.connect()
    wire.is_slow = True
    connection.send("{}")
    assert house.samples()["railbird_signal_messages_unsent_total", "websocket"] == 1


def test_goodbye_comes_once_and_closes(house: House) -> None:
    connection, wire = house.connect()
    wire.received()
    connection.end("Leaving.", 2.0)
    connection.end("Leaving.", 2.0)
    assert wire.received() == [{"type": "goodbye", "sentence": "Leaving.", "reconnectAfterMs": 2000}]
    assert wire.is_closed


def test_connection_that_is_over_says_and_hears_nothing(house: House) -> None:
    connection, wire = house.connect()
    wire.received()
    connection.on_closed()
    connection.on_closed()
    say(connection, 1.0, **bet())
    connection.send("{}")
    assert wire.received() == []
    assert house.signals.figures.messages == {}
    assert house.signals.figures.unsent == {}
