"""All players with signals: who gets in, who is told what, and when."""

import gc
import json
import weakref

import pytest

from gateway.auth.identity import nobody
from gateway.bets.bet import Delivery
from gateway.errors import SignallingError
from gateway.metrics import FAMILIES
from gateway.rounds.round import Round
from gateway.rounds.states import RoundState
from gateway.signals.messages import PROTOCOL
from gateway.signals.outbox import REPEAT_AFTER_S, TURN_S
from gateway.signals.signals import RECONNECT_OVER_S
from tests.bets.table import bet as placed_bet
from tests.signals.players import House, Wire, bet, player, report, say


@pytest.fixture
def house() -> House:
    return House()


# Who comes


def test_player_is_welcomed_and_pinged(house: House) -> None:
    _, wire = house.connect()
    welcome, ping = wire.received()
    assert (welcome["type"], welcome["stream"], welcome["mayBet"], welcome["rounds"]) == ("welcome", "table", True, [])
    assert (ping["type"], ping["rttMs"]) == ("ping", None)


def test_welcome_has_the_open_rounds_and_the_last_result(house: House) -> None:
    for round_id in ("r1", "r2"):
        house.open_round(round_id)
        house.move(RoundState.ABORTED, round_id)
    house.open_round("r3")
    house.move(RoundState.SCHEDULED, "r4")
    _, wire = house.connect()
    rounds = wire.received("welcome")[0]["rounds"]
    assert [(each["roundId"], each["state"]) for each in rounds] == [
        ("r2", "aborted"),
        ("r3", "betting_open"),
        ("r4", "scheduled"),
    ]
    assert not {"evidence", "bets"} & set(rounds[0])


def test_welcome_does_not_look_through_the_history(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand rounds that would be 7 ms for each player, and they come all at once."""
    for number in range(50):
        house.open_round(f"r{number}")
        house.move(RoundState.ABORTED, f"r{number}")
    looked_at = []

    def is_over(each: Round) -> bool:
        looked_at.append(each.round_id)
        return each.state is RoundState.ABORTED

    monkeypatch.setattr(Round, "is_over", property(is_over))
    house.connect()
    assert looked_at == ["r49"]


def test_player_who_cannot_be_welcomed_takes_no_room(house: House) -> None:
    house.open_round()
    (opened,) = house.rounds.of_stream("table")
    opened.result = b"no JSON"
    with pytest.raises(TypeError):
        house.connect()
    assert len(house.signals) == 0
    assert house.samples().get(("railbird_signal_connections", "table", "websocket")) is None


# Pings


def test_pings_are_spread_over_their_interval() -> None:
    house = House(ping_s=2.0)
    wires = [house.connect()[1] for _ in range(100)]
    for wire in wires:
        wire.received()
    for _ in range(20):
        house.tick()
        assert sum(len(wire.received("ping")) for wire in wires) == 5


def test_each_player_is_pinged_once_an_interval() -> None:
    house = House(ping_s=0.5)
    wires = [house.connect()[1] for _ in range(7)]
    for wire in wires:
        wire.received()
    house.tick(3.0)
    assert [len(wire.received("ping")) for wire in wires] == [6] * 7


def test_rtt_leaves_out_the_sending_to_those_before() -> None:
    """All of one slot are pinged in a turn that takes its time; each is measured from its own ping."""
    house = House(ping_s=0.1)
    measured: list[float] = []
    house.signals.on_rtt = lambda stream, seconds: measured.append(seconds)
    connections = [house.connect() for _ in range(5)]
    for _, wire in connections:
        wire.received()
    house.reading_takes_s = TURN_S / 100
    house.tick()
    for connection, wire in connections:
        (ping,) = wire.received("ping")
        say(connection, house.now_s, type="pong", id=ping["id"])
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > measured[-1]


def test_pings_wait_while_a_round_is_still_being_told() -> None:
    house = House(ping_s=0.1)
    wires = [house.connect()[1] for _ in range(10)]
    for wire in wires:
        wire.received()
    house.reading_takes_s = TURN_S
    house.open_round()
    house.signals.tick(house.now_s)
    kinds = [message["type"] for wire in wires for message in wire.received()]
    assert kinds == ["round"] * len(kinds)
    assert 0 < len(kinds) < 10


# Rounds


def test_round_is_told_to_the_players_of_its_stream(house: House) -> None:
    _, here = house.connect()
    _, elsewhere = house.connect("other")
    house.open_round()
    (told,) = here.received("round")
    assert (told["round"]["roundId"], told["round"]["state"]) == ("r1", "betting_open")
    assert not {"evidence", "bets"} & set(told["round"])
    assert elsewhere.received("round") == []


def test_round_is_told_to_many_in_turns(house: House) -> None:
    wires = [house.connect()[1] for _ in range(30)]
    backlogs: list[float] = []
    house.signals.on_backlog = lambda: backlogs.append(house.now_s)
    house.reading_takes_s = TURN_S / 9.5
    house.open_round()
    told = [sum(len(wire.received("round")) for wire in wires)]
    while backlogs:
        backlogs.clear()
        house.signals.pump(house.now_s)
        told.append(sum(len(wire.received("round")) for wire in wires))
    assert sum(told) == 30
    assert max(told) <= 10


def test_round_is_told_again_by_data_channel_as_it_then_stands(house: House) -> None:
    _, channel = house.connect(wire=Wire("data_channel"))
    _, websocket = house.connect()
    house.open_round()
    house.tick(REPEAT_AFTER_S[0] / 2)
    house.move(RoundState.BETTING_CLOSED)
    house.tick(4.0)
    states = [message["round"]["state"] for message in channel.received("round")]
    assert states == ["betting_open"] + ["betting_closed"] * (1 + 2 * len(REPEAT_AFTER_S))
    assert [message["round"]["state"] for message in websocket.received("round")] == ["betting_open", "betting_closed"]


# One player


def test_delivery_is_told_to_all_connections_of_its_player(house: House) -> None:
    wires = [house.connect(identity=player("ada"))[1] for _ in range(2)]
    _, other = house.connect(identity=player("bob"))
    house.signals.tell_delivery(placed_bet(player="ada"), Delivery.UNDELIVERED, 0.0)
    for wire in wires:
        (told,) = wire.received("delivery")
        assert (told["betId"], told["roundId"], told["outcome"]) == ("b1", "r1", "undelivered")
    assert other.received("delivery") == []


def test_delivery_is_told_again_by_data_channel(house: House) -> None:
    _, channel = house.connect(wire=Wire("data_channel"), identity=player("ada"))
    _, websocket = house.connect(identity=player("ada"))
    house.signals.tell_delivery(placed_bet(player="ada"), Delivery.DELIVERED, 0.0)
    house.tick(4.0)
    assert len(channel.received("delivery")) == 1 + len(REPEAT_AFTER_S)
    assert len(websocket.received("delivery")) == 1


def test_delivery_to_a_player_who_has_gone_is_harmless(house: House) -> None:
    connection, wire = house.connect(identity=player("ada"))
    connection.on_closed()
    wire.received()
    house.signals.tell_delivery(placed_bet(player="ada"), Delivery.DELIVERED, 0.0)
    assert wire.received() == []


def test_undelivered_bet_is_told_when_its_player_comes_back(house: House) -> None:
    gone, _ = house.connect(identity=player("ada"))
    gone.on_closed()
    house.signals.tell_delivery(placed_bet("b1", "ada"), Delivery.UNDELIVERED, 0.0)
    house.signals.tell_delivery(placed_bet("b2", "ada"), Delivery.DELIVERED, 0.0)
    _, wire = house.connect(identity=player("ada"))
    welcome, delivery, ping = wire.received()
    assert [each["type"] for each in (welcome, delivery, ping)] == ["welcome", "delivery", "ping"]
    assert (delivery["betId"], delivery["outcome"]) == ("b1", "undelivered")


@pytest.mark.parametrize("is_slow", [True, False], ids=["too much waited", "it was on its way"])
def test_undelivered_bet_is_told_again_to_who_was_told_by_a_connection_that_died(house: House, is_slow: bool) -> None:
    dying, wire = house.connect(identity=player("ada"))
    wire.is_slow = is_slow
    house.signals.tell_delivery(placed_bet("b1", "ada"), Delivery.UNDELIVERED, 0.0)
    dying.on_closed()
    for _ in range(2):  # that connection may die as well
        back, wire = house.connect(identity=player("ada"))
        assert [told["betId"] for told in wire.received("delivery")] == ["b1"]
        back.on_closed()


def test_undelivered_bet_is_told_again_by_the_data_channel_of_who_comes_back(house: House) -> None:
    house.signals.tell_delivery(placed_bet("b1", "ada"), Delivery.UNDELIVERED, 0.0)
    _, channel = house.connect(wire=Wire("data_channel"), identity=player("ada"))
    house.tick(4.0)
    assert len(channel.received("delivery")) == 1 + len(REPEAT_AFTER_S)


def test_nothing_is_kept_for_a_connection_that_was_a_player_by_itself(house: House) -> None:
    connection, _ = house.connect()
    connection.on_closed()
    house.signals.tell_delivery(placed_bet(player=connection.player), Delivery.UNDELIVERED, 0.0)
    assert len(house.signals._untold) == 0


# Who may have been told nothing


def test_player_who_answers_no_ping_is_welcomed_again_by_data_channel() -> None:
    house = House(ping_s=1.0)
    _, channel = house.connect(wire=Wire("data_channel"))
    _, websocket = house.connect()
    house.open_round()
    house.tick(2.0)
    welcomes = channel.received("welcome")
    assert len(welcomes) > 1
    assert [each["roundId"] for each in welcomes[-1]["rounds"]] == ["r1"]
    assert len(websocket.received("welcome")) == 1


def test_player_who_has_answered_a_ping_is_welcomed_once() -> None:
    house = House(ping_s=1.0)
    connection, channel = house.connect(wire=Wire("data_channel"))
    welcome, ping = channel.received()
    assert welcome["type"] == "welcome"
    say(connection, 0.05, type="pong", id=ping["id"])
    house.tick(5.0)
    assert channel.received("welcome") == []


# Who goes


def test_player_who_left_is_not_kept(house: House) -> None:
    connection, wire = house.connect(identity=player("ada"))
    gone = weakref.ref(wire)
    connection.on_closed()
    house.tick(2.0)
    del connection, wire
    gc.collect()
    assert gone() is None
    assert len(house.signals) == 0
    assert not any(name == "railbird_signal_connections" for name, *_ in house.samples())


def test_last_word_before_the_stop_is_said_to_all(house: House) -> None:
    wires = [house.connect()[1] for _ in range(30)]
    house.open_round()
    house.reading_takes_s = TURN_S
    house.move(RoundState.ABORTED)
    house.signals.close()
    for wire in wires:
        assert [message["type"] for message in wire.received()][-2:] == ["round", "goodbye"]


def test_all_are_sent_away_when_the_gateway_stops(house: House) -> None:
    wires = [house.connect("table" if number % 2 else "other")[1] for number in range(20)]
    house.signals.close()
    after_ms = [wire.received()[-1]["reconnectAfterMs"] for wire in wires]
    assert all(wire.is_closed for wire in wires)
    assert len(set(after_ms)) > 1
    assert max(after_ms) <= RECONNECT_OVER_S * 1000
    with pytest.raises(SignallingError, match="shutting down"):
        house.connect()


# What is counted


def test_samples_have_the_labels_of_their_families(house: House) -> None:
    connection, wire = house.connect()
    house.connect(wire=Wire("data_channel"))
    house.connect()
    say(connection, 5.0, type="pong", id=wire.received("ping")[0]["id"])
    say(connection, 5.0, **bet())
    say(connection, 5.0, **report())
    connection.on_text("", 5.0)
    wire.is_slow = True
    connection.ping(6.0)
    samples = house.samples()
    assert samples["railbird_signal_connections", "table", "websocket"] == 2
    assert samples["railbird_signal_connections", "table", "data_channel"] == 1
    assert samples["railbird_signal_messages_total", "table", "pong"] == 1
    assert samples["railbird_signal_messages_dropped_total", "malformed"] == 1
    assert samples["railbird_player_reports_total", "table", "taken"] == 1
    assert all(len(labels) == len(FAMILIES[name].labels) for name, *labels in samples)


def test_stream_that_never_was_leaves_no_figures(house: House) -> None:
    connection, wire = house.connect("nowhere")
    say(connection, 5.0, type="pong", id=wire.received("ping")[0]["id"])
    say(connection, 5.0, **report(rttMs=10))
    connection.ping(6.0)
    assert any("nowhere" in labels for labels in house.samples())
    connection.on_closed()
    assert not any("nowhere" in labels for labels in house.samples())
    assert house.count("railbird_bet_signal_rtt_seconds", stream="nowhere", carrier="websocket") is None
    assert house.count("railbird_player_rtt_seconds", stream="nowhere", protocol="webrtc") is None


def test_ping_that_was_due_when_its_player_left_counts_nothing(house: House) -> None:
    connection, _ = house.connect("nowhere")
    connection.on_closed()
    connection.ping(house.now_s + 10)
    assert not any("nowhere" in labels for labels in house.samples())


def test_stream_that_is_there_keeps_its_figures_without_players(house: House) -> None:
    connection, _ = house.connect()
    say(connection, 5.0, **report())
    connection.on_closed()
    assert house.samples()["railbird_player_reports_total", "table", "taken"] == 1


def test_stream_that_is_gone_keeps_its_figures_as_long_as_somebody_waits(house: House) -> None:
    connection, _ = house.connect()
    say(connection, 5.0, **report())
    house.known.clear()
    house.signals.forget("table")
    assert house.samples()["railbird_player_reports_total", "table", "taken"] == 1
    connection.on_closed()
    assert not any("table" in labels for labels in house.samples())


def test_stream_that_is_gone_is_forgotten(house: House) -> None:
    connection, _ = house.connect()
    say(connection, 5.0, **report())
    connection.on_closed()
    house.known.clear()
    house.signals.forget("table")
    assert not any("table" in labels for labels in house.samples())


def test_what_players_are_told_is_one_text_for_all(house: House) -> None:
    wires = [house.connect()[1] for _ in range(3)]
    for wire in wires:
        wire.received()
    house.open_round()
    texts = [wire.texts.popleft() for wire in wires]
    assert all(text is texts[0] for text in texts)
    assert json.loads(texts[0])["type"] == "round"


# Data channels, which are open before anybody asked


@pytest.mark.parametrize("protocol", [PROTOCOL, ""])
def test_channel_is_accepted(house: House, protocol: str) -> None:
    wire = Wire("data_channel")
    assert house.signals.accept("table", wire, protocol, nobody("192.0.2.1"), 0.0) is not None
    assert [message["type"] for message in wire.received()] == ["welcome", "ping"]


def test_channel_of_another_protocol_is_told_goodbye(house: House) -> None:
    wire = Wire("data_channel")
    assert house.signals.accept("table", wire, "railbird.signals.v2", nobody("192.0.2.1"), 0.0) is None
    assert PROTOCOL in wire.received("goodbye")[0]["sentence"]


def test_channel_without_room_is_told_goodbye() -> None:
    house, wire = House(connections=1), Wire("data_channel")
    house.connect()
    assert house.signals.accept("table", wire, PROTOCOL, nobody("192.0.2.1"), 0.0) is None
    assert wire.received("goodbye")[0]["reconnectAfterMs"] == 10_000


# Who is to go on elsewhere


def _no_edge() -> None:
    return None


def test_players_are_told_to_move_each_at_a_time_of_its_own(house: House) -> None:
    wires = [house.connect()[1] for _ in range(20)]
    bystander = house.connect("other")[1]
    told: list[str] = []
    house.signals.on_told_to_move = told.append
    house.signals.move("table", 3.0, iter([f"https://{n}.example" for n in range(20)]).__next__, house.now_s)
    moves = [message for wire in wires for message in wire.received("move")]
    assert len({move["afterMs"] for move in moves}) > 10
    assert all(0 <= move["afterMs"] <= 3000 for move in moves)
    assert len({move["to"] for move in moves}) == 20
    assert bystander.received("move") == []
    assert told == ["table"] * 20


def test_move_comes_again_by_data_channel_with_the_time_that_is_left(house: House) -> None:
    lossy, sure = Wire("data_channel"), Wire()
    house.connect(wire=lossy)
    house.connect(wire=sure)
    house.signals.move("table", 10.0, _no_edge, house.now_s)
    (first,) = lossy.received("move")
    for after_s in REPEAT_AFTER_S:
        house.tick(after_s + 0.2 - house.now_s)
        (again,) = lossy.received("move")
        passed_ms = house.now_s * 1000
        expected_ms = max(first["afterMs"] - passed_ms, 0)
        assert expected_ms - 1 <= again["afterMs"] <= expected_ms + 300
        assert again["to"] is None
    assert len(sure.received("move")) == 1


def test_player_who_comes_while_others_move_is_told_after_the_welcome(house: House) -> None:
    house.signals.move("table", 3.0, _no_edge, house.now_s)
    house.tick(1.0)
    lossy = Wire("data_channel")
    house.connect(wire=lossy)
    welcome, move, ping = lossy.received()
    assert [each["type"] for each in (welcome, move, ping)] == ["welcome", "move", "ping"]
    assert 0 <= move["afterMs"] <= 2000
    house.tick(REPEAT_AFTER_S[0] + 0.1)
    assert len(lossy.received("move")) == 1
    assert house.connect("other")[1].received("move") == []


def test_player_who_comes_by_another_connection_is_told_the_same_and_counted_once(house: House) -> None:
    told: list[str] = []
    house.signals.on_told_to_move = told.append
    edges = iter([f"https://{n}.example" for n in range(20)])
    house.connect(wire=Wire(), identity=player("ada"))
    house.connect("other", identity=player("ada"))
    house.signals.move("other", 3.0, edges.__next__, house.now_s)
    house.signals.move("table", 3.0, edges.__next__, house.now_s)
    (known,) = (each.move for each in house.signals.of_stream("table"))
    lossy = Wire("data_channel")
    again, _ = house.connect(wire=lossy, identity=player("ada"))
    assert again.move == known
    assert [each["to"] for each in lossy.received("move")] == ["https://1.example"]
    house.connect(identity=player("bob"))
    assert told == ["other", "table", "table"]


def test_channel_that_is_opened_again_tells_the_same_and_counts_no_more(house: House) -> None:
    told: list[str] = []
    house.signals.on_told_to_move = told.append
    house.signals.move("table", 3.0, _no_edge, house.now_s)
    connection, _ = house.connect(wire=Wire("data_channel"))
    for _ in range(20):
        move = connection.move
        connection.on_closed()
        again = house.signals.accept("table", Wire("data_channel"), "", connection.identity, house.now_s, move)
        assert again is not None
        assert again.move == move
        connection = again
    assert told == ["table"]


def test_nobody_is_told_again_when_all_may_stay(house: House) -> None:
    lossy = Wire("data_channel")
    house.connect(wire=lossy)
    house.signals.move("table", 3.0, _no_edge, house.now_s)
    lossy.received()
    house.signals.stay()
    house.tick(5.0)
    assert lossy.received("move") == []
    assert house.connect()[1].received("move") == []


def test_thousand_players_are_told_over_several_turns(house: House) -> None:
    wires = [house.connect(wire=Wire("data_channel"))[1] for _ in range(1000)]
    for wire in wires:
        wire.received()
    backlog: list[bool] = []
    house.signals.on_backlog = lambda: backlog.append(True)
    house.reading_takes_s = TURN_S / 100
    house.signals.move("table", 3.0, _no_edge, house.now_s)
    first_turn = sum(bool(wire.texts) for wire in wires)
    assert 0 < first_turn < 200
    assert backlog
    while house.signals._outbox:
        house.signals.pump(house.now_s)
    assert all(len(wire.received("move")) == 1 for wire in wires)


def test_players_who_are_sent_away_hear_what_was_said_before(house: House) -> None:
    connection, wire = house.connect()
    house.signals.move("table", 0.0, _no_edge, house.now_s)
    house.signals.send_away([connection])
    assert [message["type"] for message in wire.received()][-2:] == ["move", "goodbye"]
    assert wire.is_closed
