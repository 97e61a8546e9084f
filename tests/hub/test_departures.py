"""What a drain does at a hub with real sessions: who is told, who is closed, in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway.auth.identity import Identity, Role, nobody
from gateway.clock import monotonic_s
from gateway.config import DrainSettings, Settings
from gateway.errors import LeavingError, SignallingError
from gateway.hub.drain import TICK_S, Order
from gateway.ingest.publisher import Publisher
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.signals.connection import Connection
from gateway.transport.data_channel import SIGNALS
from gateway.transport.srtp.gcm import GcmOpener
from gateway.viewers.viewer import Viewer
from gateway.wire import rtcp
from gateway.wire.dcep import DataChannelOpen
from tests.hub.desk import MASTER, Desk, player_offer, studio_offer
from tests.hub.test_play import ADA, Association, opened, watched_by_ada
from tests.signals.players import Wire

EDGES = ("https://b.example", "https://c.example")


@pytest.fixture
def settings() -> Settings:
    """For the desk."""
    return Settings(drain=DrainSettings(rounds_s=60.0, spread_s=3.0, leave_s=5.0, elsewhere=EDGES))


class Evening:
    """The last hours of a gateway, on a clock that runs ahead of the real one."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.began_s = self.now_s = monotonic_s()

    def order(self) -> None:
        self.desk.hub.draining.order(Order.API, self.now_s)

    def tick(self, seconds: float = TICK_S) -> None:
        for _ in range(max(round(seconds / TICK_S), 1)):
            self.now_s += TICK_S
            self.desk.hub.tick_drain(self.now_s)
            self.pump()

    def pump(self) -> None:
        """As many turns as it takes, on a machine that is as slow as it likes."""
        for _ in range(50):
            self.desk.hub.departures.pump(self.now_s)
            self.desk.hub.play.signals.pump(self.now_s)

    def open_round(self, state: RoundState = RoundState.BETTING_OPEN, round_id: str = "r1") -> Round:
        return self.desk.hub.play.command_round("table", Command(state, round_id), self.now_s)

    def play_on(self, *states: RoundState) -> None:
        for state in states:
            self.desk.hub.play.command_round("table", Command(state, "r1"), self.now_s)

    @property
    def moved(self) -> int:
        return self.desk.hub.draining.moved["table"]


@pytest.fixture
async def evening(desk: Desk) -> Evening:
    return Evening(desk)


def moves(association: Association) -> list[dict[str, Any]]:
    return [message for message in association.received() if message["type"] == "move"]


REST = (RoundState.BETTING_CLOSED, RoundState.RESULT, RoundState.SETTLED)


async def test_players_are_told_when_the_round_is_settled_and_the_studio_goes_last(
    desk: Desk, evening: Evening
) -> None:
    studio = desk.studio()
    viewer = watched_by_ada(desk)
    connection, association = opened(viewer)
    assert connection is not None
    evening.open_round()
    evening.order()
    evening.tick(50)
    assert moves(association) == []
    evening.play_on(*REST)
    evening.tick()
    (told,) = moves(association)
    assert told["to"] == EDGES[0]
    assert not viewer.session.closed
    viewer.session.close("deleted")
    connection.on_closed()
    assert not studio.session.closed
    evening.tick()
    assert studio.session.closed
    assert desk.hub.draining.is_drained
    assert desk.hub.play.rounds.outcomes == {("table", "settled"): 1}
    assert evening.moved == 1


async def test_round_that_does_not_end_is_aborted_by_policy(desk: Desk, evening: Evening) -> None:
    desk.studio()
    told = evening.open_round()
    evening.order()
    evening.tick(61)
    assert (told.state, told.cause, dict(told.evidence)) == (
        RoundState.ABORTED,
        AbortCause.POLICY,
        {"rule": "drain"},
    )


def byes_of(desk: Desk) -> int:
    """How many players were told by RTCP that their tracks end."""
    compounds = [datagram for datagram in desk.arrived() if datagram[0] >= 128 and 192 <= datagram[1] <= 223]
    opened_rtcp = [GcmOpener.from_master(MASTER).open_rtcp(compound) for compound in compounds]
    return sum(isinstance(each, rtcp.Bye) for compound in opened_rtcp for each in rtcp.parse_compound(compound))


async def test_player_is_not_moved_before_it_is_known_what_became_of_its_bets(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.studio()
    _, association = opened(watched_by_ada(desk))
    waiting = {"table": 2}
    monkeypatch.setattr(desk.hub.play, "bets_waiting", waiting.__getitem__)
    evening.order()
    evening.tick(5)
    assert moves(association) == []
    waiting["table"] = 0
    evening.tick()
    assert len(moves(association)) == 1


async def test_bets_that_cannot_be_handed_on_hold_players_no_longer_than_rounds_do(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.studio()
    _, association = opened(watched_by_ada(desk))
    monkeypatch.setattr(desk.hub.play, "bets_waiting", lambda _name: 1)
    evening.order()
    evening.tick(61)
    assert len(moves(association)) == 1


@dataclass
class Queue:
    """Stands in for `WebhookUpstream`: bets of `table` wait."""

    waiting: int

    def waiting_of(self, stream: str) -> int:
        return self.waiting if stream == "table" else 0


@pytest.mark.parametrize("is_watched", [True, False])
async def test_drain_does_not_end_while_bets_wait_with_nobody_left(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch, is_watched: bool
) -> None:
    if is_watched:
        desk.studio()
        desk.player()
    queue = Queue(7)
    monkeypatch.setattr(desk.hub.play, "_upstream", queue)
    evening.order()
    evening.tick(9)
    for session in desk.port.sessions():
        session.close("peer_left")
    evening.tick(9)
    assert not desk.hub.draining.is_drained
    queue.waiting = 0
    evening.tick()
    assert desk.hub.draining.is_drained


async def test_player_without_signals_is_closed_within_the_spread(desk: Desk, evening: Evening) -> None:
    desk.studio()
    told = watched_by_ada(desk)
    opened(told)
    silent = [desk.player() for _ in range(6)]
    desk.arrived()
    evening.order()
    evening.tick(0.1)
    assert sum(viewer.session.closed for viewer in silent) < 6
    evening.tick(3.0)
    assert [viewer.session.closed for viewer in (*silent, told)] == [True] * 6 + [False]
    assert byes_of(desk) == 6
    assert desk.hub.sessions.ended["egress", "moved"] == 6
    assert evening.moved == 7


async def test_player_who_closed_its_channel_counts_as_one_without_signals(desk: Desk, evening: Evening) -> None:
    desk.studio()
    viewer = watched_by_ada(desk)
    connection, _ = opened(viewer)
    assert connection is not None
    connection.on_closed()
    evening.order()
    evening.tick(3.1)
    assert viewer.session.closed


async def test_player_whose_signals_come_by_websocket_is_told_and_not_closed(desk: Desk, evening: Evening) -> None:
    desk.studio()
    viewer = watched_by_ada(desk)
    wire = Wire()
    desk.hub.play.signals.connect("table", wire, ADA, monotonic_s())
    evening.order()
    evening.tick(4)
    assert not viewer.session.closed
    assert len(wire.received("move")) == 1
    assert evening.moved == 1


async def test_who_is_left_is_sent_away_and_then_the_studio(desk: Desk, evening: Evening) -> None:
    studio = desk.studio()
    viewer = watched_by_ada(desk)
    _, association = opened(viewer)
    wire = Wire()
    desk.hub.play.signals.connect("table", wire, nobody("192.0.2.9"), monotonic_s())
    evening.order()
    evening.tick(7.8)
    assert [viewer.session.closed, wire.is_closed, studio.session.closed] == [False] * 3
    evening.tick(0.5)
    assert [viewer.session.closed, wire.is_closed, studio.session.closed] == [True] * 3
    assert [message["type"] for message in association.received()][-1] == "goodbye"
    assert [message["type"] for message in wire.received()][-1] == "goodbye"
    assert evening.moved == 2, "once each"
    assert desk.hub.sessions.ended == {("egress", "moved"): 1, ("ingest", "moved"): 1}
    assert desk.hub.draining.is_drained


async def test_player_without_a_token_is_told_by_its_websocket_and_keeps_its_media(
    desk: Desk, evening: Evening
) -> None:
    """By its address, as nothing else says whose WebSocket it is."""
    desk.studio()
    viewer, elsewhere = _watched_by(desk, nobody("192.0.2.9")), _watched_by(desk, nobody("192.0.2.10"))
    desk.hub.play.signals.connect("table", Wire(), nobody("192.0.2.9"), monotonic_s())
    evening.order()
    evening.tick(4)
    assert (viewer.session.closed, elsewhere.session.closed) == (False, True)
    evening.tick(5)
    assert viewer.session.closed
    assert evening.moved == 2


async def test_player_who_was_told_and_whose_channel_then_closed_is_counted_once(desk: Desk, evening: Evening) -> None:
    desk.studio()
    viewer = watched_by_ada(desk)
    connection, _ = opened(viewer)
    assert connection is not None
    evening.order()
    connection.on_closed()
    evening.tick(9)
    assert viewer.session.closed
    assert evening.moved == 1


async def test_websockets_are_looked_at_once_for_all_viewers(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of players by thousands of WebSockets would be a stop of all media."""
    desk.studio()
    viewers = [_watched_by(desk, ADA) for _ in range(5)]
    signals = desk.hub.play.signals
    signals.connect("table", Wire(), nobody("192.0.2.9"), monotonic_s())
    looks: list[str] = []
    look = signals.websockets_of

    def seen(stream: str) -> list[Connection]:
        looks.append(stream)
        return look(stream)

    monkeypatch.setattr(signals, "websockets_of", seen)
    evening.order()
    evening.now_s += 3.1
    looks.clear()
    desk.hub.departures.tick(evening.now_s)
    assert len(looks) == 1
    desk.hub.departures.send_away("table", evening.now_s + 5)
    assert len(looks) <= 2
    evening.pump()
    assert all(viewer.session.closed for viewer in viewers)


@pytest.mark.parametrize("what", ["say_bye", "close"])
async def test_player_whose_end_fails_keeps_nobody_and_is_tried_again(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    studio = desk.studio()
    viewers = [desk.player() for _ in range(4)]
    broken = viewers[1]
    failures: list[str] = []
    target: Any = broken if what == "say_bye" else broken.session
    real = getattr(type(target), what)

    def fail(each: object, *arguments: str) -> None:
        if each is target and len(failures) < 2:
            failures.append(what)
            raise RuntimeError("a bug")
        real(each, *arguments)

    monkeypatch.setattr(type(target), what, fail)
    evening.order()
    evening.tick(14)
    assert broken.session.closed
    assert studio.session.closed
    assert desk.hub.draining.is_drained


async def test_scheduled_rounds_end_with_their_stream_and_nothing_is_left_to_abort(
    desk: Desk, evening: Evening
) -> None:
    desk.studio()
    viewer = desk.player()
    scheduled = evening.open_round(RoundState.SCHEDULED)
    evening.order()
    assert scheduled.state is RoundState.SCHEDULED
    viewer.session.close("deleted")
    evening.tick()
    assert (scheduled.cause, dict(scheduled.evidence)) == (AbortCause.POLICY, {"rule": "drain"})
    desk.hub.drain()
    assert desk.hub.play.rounds.aborts == {("table", "policy"): 1}


async def test_withdrawn_drain_leaves_everything_as_it_was(desk: Desk, evening: Evening) -> None:
    studio = desk.studio()
    viewer, silent = watched_by_ada(desk), desk.player()
    opened(viewer)
    scheduled = evening.open_round(RoundState.SCHEDULED)
    evening.order()
    desk.hub.draining.withdraw(Order.API)
    evening.tick(100)
    assert not any(each.session.closed for each in (studio, viewer, silent))
    assert scheduled.state is RoundState.SCHEDULED
    _, newcomer = opened(watched_by_ada(desk))
    assert moves(newcomer) == []


async def test_drain_that_begins_again_knows_nothing_of_the_one_before(desk: Desk, evening: Evening) -> None:
    desk.studio()
    silent, leaving = desk.player(), desk.player()
    evening.order()
    desk.hub.departures.send_away("table", evening.now_s)
    evening.pump()
    assert leaving.session.closed
    desk.hub.draining.withdraw(Order.API)
    assert not desk.hub.departures._sent_away
    stayed = desk.player()
    evening.open_round()
    evening.order()
    evening.tick(5)
    assert silent.session.closed
    assert not stayed.session.closed, "while the round is open"


async def test_player_who_was_to_be_closed_stays_when_another_round_is_played(desk: Desk, evening: Evening) -> None:
    desk.studio()
    silent = desk.player()
    evening.order()
    desk.hub.draining.withdraw(Order.API)
    evening.open_round()
    evening.order()
    evening.tick(5)
    assert not silent.session.closed


async def test_channel_that_opens_while_players_move_is_told_after_its_welcome(desk: Desk, evening: Evening) -> None:
    desk.studio()
    viewer = watched_by_ada(desk)
    evening.order()
    _, association = opened(viewer)
    assert [message["type"] for message in association.received()] == ["welcome", "move", "ping"]


def _opened_again(viewer: Viewer, times: int, opening: DataChannelOpen = SIGNALS) -> list[Association]:
    """Its page closes the channel and opens another, again and again."""
    associations = []
    for _ in range(times):
        connection, association = opened(viewer, opening)
        if connection is not None:
            connection.on_closed()
        associations.append(association)
    return associations


async def test_player_who_opens_channel_after_channel_is_told_the_same_and_counted_once(
    desk: Desk, evening: Evening
) -> None:
    desk.studio()
    viewer = _watched_by(desk, nobody("192.0.2.9"))
    evening.order()
    first = _opened_again(viewer, 5)
    _opened_again(viewer, 1, replace(SIGNALS, protocol="chat"))
    told = [move for each in (*first, *_opened_again(viewer, 5)) for move in moves(each)]
    assert [move["to"] for move in told] == [EDGES[0]] * 10
    evening.tick(9)
    assert viewer.session.closed
    assert evening.moved == 1


async def test_player_whose_channel_opens_beside_its_websocket_is_counted_once(desk: Desk, evening: Evening) -> None:
    desk.studio()
    viewer = watched_by_ada(desk)
    wire = Wire()
    desk.hub.play.signals.connect("table", wire, ADA, monotonic_s())
    evening.order()
    _, association = opened(viewer)
    (by_channel,), (by_websocket,) = moves(association), wire.received("move")
    assert by_channel["to"] == by_websocket["to"]
    assert evening.moved == 1


async def test_player_who_was_told_by_a_drain_that_was_withdrawn_is_told_anew(desk: Desk, evening: Evening) -> None:
    desk.studio()
    viewer = watched_by_ada(desk)
    evening.order()
    _opened_again(viewer, 1)
    desk.hub.draining.withdraw(Order.API)
    evening.tick(20)
    evening.order()
    (association,) = _opened_again(viewer, 1)
    assert [move["to"] for move in moves(association)] == [EDGES[1]]
    assert evening.moved == 2


async def test_studio_stays_while_somebody_watches_without_a_session(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = desk.studio()
    monkeypatch.setattr(desk.hub.presentations, "is_watched", lambda name, now_s: name == "table")
    evening.order()
    evening.tick(7.8)
    assert not desk.hub.draining.has_left("table")
    evening.tick(2.9)
    assert desk.hub.draining.has_left("table")
    assert not studio.session.closed
    evening.tick(0.5)
    assert studio.session.closed


async def test_sessions_that_are_still_shaking_hands_are_closed_at_the_end(desk: Desk, evening: Evening) -> None:
    desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    desk.studio("other")
    session, _ = desk.hub.open_viewer("other", player_offer(), ADA)
    evening.order()
    evening.tick(9)
    assert session.closed
    assert len(desk.port) == 0


# Who is let in


def refused_studio(desk: Desk) -> bool:
    try:
        desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    except LeavingError:
        return True
    return False


@pytest.mark.parametrize("has_left", [False, True])
async def test_studio_of_an_open_round_may_come_back(desk: Desk, evening: Evening, has_left: bool) -> None:
    studio = desk.studio()
    evening.open_round()
    evening.order()
    if has_left:
        studio.session.close("peer_left")
    assert not refused_studio(desk)
    evening.play_on(*REST)
    assert refused_studio(desk)


async def test_studio_of_a_round_that_is_only_announced_is_refused(desk: Desk, evening: Evening) -> None:
    desk.studio()
    desk.player()
    evening.open_round(RoundState.SCHEDULED)
    evening.order()
    assert refused_studio(desk)


async def test_player_is_refused_from_the_first_order_on(desk: Desk, evening: Evening) -> None:
    desk.studio()
    evening.open_round()
    evening.order()
    with pytest.raises(LeavingError) as refused:
        desk.hub.open_viewer("table", player_offer(), ADA)
    assert refused.value.headers == {"Retry-After": "5"}
    assert desk.hub.admission.refused["egress", "draining"] == 1


@pytest.mark.parametrize(
    ("first", "then", "is_refused"),
    [
        (RoundState.SCHEDULED, RoundState.BETTING_OPEN, True),
        (RoundState.SCHEDULED, RoundState.SCHEDULED, False),
        (RoundState.SCHEDULED, RoundState.ABORTED, False),
        (RoundState.BETTING_OPEN, RoundState.BETTING_OPEN, False),
        (RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED, False),
    ],
)
async def test_round_may_go_on_and_not_begin(
    desk: Desk, evening: Evening, first: RoundState, then: RoundState, is_refused: bool
) -> None:
    desk.studio()
    desk.player()
    evening.open_round(first)
    evening.order()
    if is_refused:
        with pytest.raises(LeavingError):
            evening.play_on(then)
    else:
        evening.play_on(then)
    with pytest.raises(LeavingError):
        evening.open_round(round_id="another")


async def test_round_that_cannot_go_back_is_told_so_while_we_drain(desk: Desk, evening: Evening) -> None:
    desk.studio()
    evening.open_round()
    evening.play_on(RoundState.BETTING_CLOSED)
    evening.order()
    with pytest.raises(SignallingError) as refused:
        evening.play_on(RoundState.BETTING_OPEN)
    assert refused.value.status == 409


async def test_bet_of_an_open_round_is_taken_while_we_drain(desk: Desk, evening: Evening) -> None:
    desk.studio()
    bettor = replace(ADA, roles=frozenset({Role.WATCH, Role.BET}))
    connection, association = opened(_watched_by(desk, bettor))
    assert connection is not None
    evening.open_round()
    evening.order()
    connection.on_text('{"type":"bet","betId":"b1","roundId":"r1"}', monotonic_s())
    assert [each["state"] for each in association.received() if each["type"] == "ack"] == ["accepted"]


def _watched_by(desk: Desk, who: Identity) -> Viewer:
    session, _ = desk.hub.open_viewer("table", player_offer(), who)
    assert isinstance(session.peer, Viewer)
    desk.connect(session)
    return session.peer


async def test_many_players_are_closed_turn_by_turn(
    desk: Desk, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes its time, and media is not to wait for all of them."""
    desk.studio()
    viewers = [desk.player() for _ in range(20)]
    hub = desk.hub
    clock_s = iter(range(1_000_000))
    monkeypatch.setattr(hub.departures._outbox, "_monotonic", lambda: float(next(clock_s)))
    backlog: list[bool] = []
    hub.departures.on_backlog = lambda: backlog.append(True)
    evening.order()
    evening.now_s += 8.1
    hub.draining.tick(evening.now_s)
    closed = sum(viewer.session.closed for viewer in viewers)
    assert (closed, backlog) == (1, [True])
    for _ in range(20):
        hub.departures.pump(evening.now_s)
    assert all(viewer.session.closed for viewer in viewers)


def _is_closed(publisher: Publisher) -> bool:
    return publisher.session.closed


async def test_studio_of_another_stream_is_left_alone(desk: Desk, evening: Evening) -> None:
    table, other = desk.studio("table"), desk.studio("other")
    desk.player("other")
    evening.order()
    assert (_is_closed(table), _is_closed(other)) == (True, False)


async def test_remaining_counts_sessions_and_websockets(desk: Desk, evening: Evening) -> None:
    desk.studio()
    opened(watched_by_ada(desk))
    desk.hub.play.signals.connect("table", Wire(), nobody("192.0.2.9"), monotonic_s())
    evening.open_round()
    evening.open_round(RoundState.SCHEDULED, "next")
    remaining = desk.hub.departures.remaining()
    assert (remaining.rounds, remaining.studios, remaining.players) == (1, 1, 2)
