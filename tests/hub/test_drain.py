"""The drain's state machine: who orders it, and how far each stream has come. Nothing real drains here."""

import random
from dataclasses import dataclass, field

import pytest

from gateway.clock import WallClock
from gateway.config import DrainSettings
from gateway.hub.drain import TICK_S, Drain, Order, Premises, Remaining

UNIX_S = 1_700_000_000.0
SETTINGS = DrainSettings(rounds_s=60.0, spread_s=3.0, leave_s=5.0)


@dataclass
class Table:
    """One stream: what is there of it."""

    rounds: int = 0
    bets: int = 0
    """On their way to an upstream."""
    scheduled: int = 0
    players: int = 0
    watchers: int = 0
    """Without a session, as by LL-HLS."""
    studios: int = 1
    leaves_slowly: bool = False
    """Whose players' end takes more than one turn."""


@dataclass
class House:
    """Implements `Premises`."""

    tables: dict[str, Table] = field(default_factory=dict)
    is_admitting: bool = True
    done: list[tuple[str, str]] = field(default_factory=list)
    """(what, stream), in order."""

    def admit(self, is_admitting: bool) -> None:
        self.is_admitting = is_admitting

    def streams(self) -> list[str]:
        return [name for name, each in self.tables.items() if each.rounds or each.scheduled or self._sessions(each)]

    @staticmethod
    def _sessions(table: Table) -> int:
        return table.players + table.studios

    def remaining(self) -> Remaining:
        tables = self.tables.values()
        return Remaining(*(sum(getattr(each, what) for each in tables) for what in ("rounds", "studios", "players")))

    def is_played(self, stream: str) -> bool:
        return self.tables[stream].rounds > 0 or self.tables[stream].bets > 0

    def has_bets(self) -> bool:
        return any(table.bets for table in self.tables.values())

    def abort(self, stream: str, now_s: float) -> None:
        self.done.append(("abort", stream))
        self.tables[stream].rounds = self.tables[stream].scheduled = 0

    def move(self, stream: str, spread_s: float, now_s: float) -> None:
        assert spread_s == SETTINGS.spread_s
        self.done.append(("move", stream))

    def has_players(self, stream: str, now_s: float) -> bool:
        return self.has_sessions(stream) or self.tables[stream].watchers > 0

    def send_away(self, stream: str, now_s: float) -> None:
        self.done.append(("send away", stream))
        if not self.tables[stream].leaves_slowly:
            self.tables[stream].players = 0

    def has_sessions(self, stream: str) -> bool:
        return self.tables[stream].players > 0

    def close(self, stream: str, now_s: float) -> None:
        self.done.append(("close before the players", stream) if self.has_sessions(stream) else ("close", stream))
        self.tables[stream].studios = self.tables[stream].scheduled = 0


class Stand:
    """A drain, its house, and a clock that a test moves."""

    def __init__(self, *, notice_s: float = 0.0, **tables: Table) -> None:
        self.house = House(tables)
        premises: Premises = self.house
        self.settings = SETTINGS.model_copy(update={"notice_s": notice_s})
        self.drain = Drain(self.settings, premises, WallClock(UNIX_S))
        self.now_s = 0.0
        self.left = 0
        self.drain.on_leave = self._leave

    def _leave(self) -> None:
        self.left += 1

    def order(self, order: Order = Order.API) -> bool:
        return self.drain.order(order, self.now_s)

    def tick(self, seconds: float = TICK_S) -> None:
        for _ in range(max(round(seconds / TICK_S), 1)):
            self.now_s += TICK_S
            self.drain.tick(self.now_s)

    @property
    def done(self) -> list[tuple[str, str]]:
        """What was done to whom since the last look; what is done again and again only once."""
        done, self.house.done = list(dict.fromkeys(self.house.done)), []
        return done


# Orders


def test_gateway_serves_until_the_first_order() -> None:
    stand = Stand(table=Table(players=3))
    stand.tick(10)
    assert (stand.done, stand.house.is_admitting, stand.drain.since_s) == ([], True, None)


def test_order_is_new_once() -> None:
    stand = Stand(table=Table(rounds=1))
    assert [stand.order(), stand.order(), stand.order(Order.FILE)] == [True, False, True]
    assert not stand.house.is_admitting


def test_gateway_serves_again_when_no_order_is_left() -> None:
    stand = Stand(table=Table(rounds=1))
    stand.order(Order.FILE)
    stand.order(Order.API)
    assert stand.drain.withdraw(Order.FILE)
    assert not stand.house.is_admitting
    assert stand.drain.withdraw(Order.API)
    assert stand.house.is_admitting
    assert stand.drain.report()["sinceUnixMs"] is None
    stand.house.tables["table"].rounds = 0
    stand.tick(100)
    assert stand.done == []


def test_order_that_does_not_stand_cannot_be_withdrawn() -> None:
    stand = Stand()
    assert not stand.drain.withdraw(Order.API)


def test_sigterm_is_never_withdrawn() -> None:
    stand = Stand(table=Table(rounds=1))
    stand.order(Order.SIGNAL)
    assert not stand.drain.withdraw(Order.SIGNAL)
    assert not stand.house.is_admitting


def test_drain_that_begins_again_gives_rounds_their_whole_time() -> None:
    stand = Stand(table=Table(rounds=1))
    stand.order()
    stand.tick(50)
    stand.drain.withdraw(Order.API)
    stand.order()
    stand.tick(50)
    assert stand.done == []
    stand.tick(11)
    assert stand.done[0] == ("abort", "table")


def test_drain_that_begins_again_knows_nothing_of_the_one_before() -> None:
    stand = Stand(table=Table(players=1))
    stand.order()
    stand.tick(2)
    stand.drain.withdraw(Order.API)
    stand.house.tables["table"].rounds = 1
    stand.house.done.clear()
    stand.order()
    stand.tick(20)
    assert (stand.done, stand.drain.has_left("table")) == ([], False)


def test_sigterm_of_a_gateway_that_has_drained_ends_it_at_once() -> None:
    stand = Stand(table=Table())
    stand.order(Order.FILE)
    assert (stand.drain.is_drained, stand.left) == (True, 0)
    stand.order(Order.SIGNAL)
    assert (stand.drain.is_drained, stand.left) == (True, 1)


def test_second_order_does_not_put_the_deadline_off() -> None:
    stand = Stand(table=Table(rounds=1))
    stand.order(Order.FILE)
    stand.tick(50)
    stand.order(Order.SIGNAL)
    stand.tick(11)
    assert stand.done[0] == ("abort", "table")


def test_nothing_is_withdrawn_while_the_process_ends() -> None:
    stand = Stand(table=Table(rounds=1))
    stand.order(Order.FILE)
    stand.drain.end()
    assert not stand.drain.withdraw(Order.FILE)
    assert not stand.house.is_admitting
    stand.tick(100)
    assert stand.done == []


# Streams


def test_idle_gateway_drains_at_once() -> None:
    stand = Stand()
    stand.order(Order.SIGNAL)
    assert (stand.drain.is_drained, stand.left) == (True, 1)


def test_studio_without_players_goes_at_once() -> None:
    stand = Stand(table=Table())
    stand.order(Order.SIGNAL)
    assert stand.done == [("move", "table"), ("send away", "table"), ("close", "table")]
    assert (stand.drain.is_drained, stand.left) == (True, 1)


def test_round_is_played_to_its_end_before_anybody_is_moved() -> None:
    stand = Stand(table=Table(rounds=1, players=2))
    stand.order()
    stand.tick(59)
    assert stand.done == []
    stand.house.tables["table"].rounds = 0
    stand.tick()
    assert stand.done == [("move", "table")]


def test_round_that_does_not_end_is_aborted_at_the_deadline() -> None:
    stand = Stand(table=Table(rounds=1, players=2))
    stand.order()
    stand.tick(59.8)
    assert stand.done == []
    stand.tick(0.3)
    assert stand.done == [("abort", "table"), ("move", "table")]


def test_scheduled_round_holds_nothing_up() -> None:
    stand = Stand(table=Table(scheduled=2, players=1))
    stand.order()
    assert stand.done == [("move", "table")]


def test_streams_do_not_wait_for_one_another() -> None:
    stand = Stand(played=Table(rounds=1, players=1), idle=Table(players=1))
    stand.order()
    stand.house.tables["idle"].players = 0
    stand.tick()
    assert stand.done == [("move", "idle"), ("send away", "idle"), ("close", "idle")]
    assert not stand.drain.is_drained


def test_studio_goes_when_the_last_player_has_gone() -> None:
    stand = Stand(table=Table(players=1))
    stand.order(Order.SIGNAL)
    stand.tick(2)
    assert stand.done == [("move", "table")]
    stand.house.tables["table"].players = 0
    stand.tick()
    assert stand.done == [("send away", "table"), ("close", "table")]
    assert stand.left == 1


def test_who_is_left_is_sent_away_and_then_the_studio() -> None:
    stand = Stand(table=Table(players=4, leaves_slowly=True))
    stand.order(Order.SIGNAL)
    stand.tick(7.8)
    assert stand.done == [("move", "table")]
    stand.tick(0.3)
    assert stand.done == [("send away", "table")]
    assert not stand.drain.is_drained
    stand.house.tables["table"].players = 0
    stand.tick()
    assert ("close", "table") in stand.done
    assert stand.left == 1


def test_watchers_without_a_session_hold_the_studio_until_they_are_sent_away() -> None:
    stand = Stand(table=Table(watchers=2))
    stand.order()
    stand.tick(7.8)
    assert (stand.done, stand.drain.has_left("table")) == ([("move", "table")], False)
    stand.tick(0.3)
    assert (stand.drain.has_left("table"), stand.drain.is_drained) == (True, False)
    stand.tick(2.7)
    assert stand.house.tables["table"].studios == 1, "who asks for a playlist now and then is told where to go on"
    stand.tick(0.5)
    assert stand.drain.is_drained


def test_studio_does_not_wait_for_watchers_who_ask_no_more() -> None:
    stand = Stand(table=Table(watchers=2))
    stand.order()
    stand.tick(8.1)
    stand.house.tables["table"].watchers = 0
    stand.tick()
    assert stand.drain.is_drained


def test_who_was_on_the_way_in_is_sent_away_too() -> None:
    stand = Stand(table=Table())
    stand.order()
    assert stand.drain.is_drained
    stand.house.tables["table"].studios = 1
    stand.house.done.clear()
    stand.tick()
    assert stand.done == [("send away", "table"), ("close", "table")]
    assert stand.drain.is_drained


def test_bug_of_one_stream_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(broken=Table(), table=Table())

    def is_played(stream: str) -> bool:
        if stream == "broken":
            raise RuntimeError("a bug")
        return False

    monkeypatch.setattr(stand.house, "is_played", is_played)
    stand.order()
    assert ("close", "table") in stand.done


# Bets that are under way


@pytest.mark.parametrize("bets_end", [True, False])
def test_bets_of_a_table_that_all_have_left_are_waited_for_until_the_deadline(bets_end: bool) -> None:
    stand = Stand(table=Table(bets=7, studios=0))
    stand.order(Order.SIGNAL)
    stand.tick(50)
    assert (stand.drain.is_drained, stand.left) == (False, 0)
    if bets_end:
        stand.house.tables["table"].bets = 0
        stand.tick()
    else:
        stand.tick(9.8)
        assert not stand.drain.is_drained
        stand.tick(0.3)
    assert stand.drain.is_drained
    assert stand.left
    assert stand.done == []


def test_bets_of_a_table_whose_studio_and_players_leave_meanwhile_are_waited_for() -> None:
    stand = Stand(table=Table(bets=7, players=1), other=Table(players=1))
    stand.order(Order.SIGNAL)
    stand.tick()
    stand.house.tables["table"].players = stand.house.tables["table"].studios = 0
    stand.tick(20)
    assert stand.done == [("move", "other"), ("send away", "other"), ("close", "other")]
    assert not stand.drain.is_drained
    stand.house.tables["table"].bets = 0
    stand.tick()
    assert (stand.drain.is_drained, stand.left) == (True, 1)


def test_bets_that_outlast_the_deadline_let_studios_go_all_the_same() -> None:
    stand = Stand(table=Table(bets=7))
    stand.order(Order.SIGNAL)
    stand.tick(60.2)
    assert ("close", "table") in stand.done
    assert stand.left


# Notice


def test_nobody_is_moved_before_balancers_had_notice() -> None:
    stand = Stand(notice_s=10, table=Table(players=2))
    stand.order()
    assert not stand.house.is_admitting
    stand.tick(9.8)
    assert stand.done == []
    stand.tick(0.3)
    assert stand.done == [("move", "table")]
    stand.tick(7.7)
    assert stand.done == []
    stand.tick(0.3)
    assert ("close", "table") in stand.done


def test_watchers_without_a_session_have_notice_too() -> None:
    stand = Stand(notice_s=10, table=Table(watchers=1))
    stand.order()
    stand.tick(9.8)
    assert stand.done == []


def test_table_that_nobody_watches_needs_no_notice() -> None:
    stand = Stand(notice_s=10, table=Table(), watched=Table(players=1))
    stand.order(Order.SIGNAL)
    assert stand.done == [("move", "table"), ("send away", "table"), ("close", "table")]
    stand.tick()
    stand.house.tables["watched"].players = 0
    stand.tick()
    assert (stand.drain.is_drained, stand.left) == (True, 1)


def test_round_that_outlasts_the_notice_is_followed_by_the_move_at_once() -> None:
    stand = Stand(notice_s=10, table=Table(rounds=1, players=2))
    stand.order()
    stand.tick(20)
    stand.house.tables["table"].rounds = 0
    stand.tick()
    assert stand.done == [("move", "table")]


def test_round_has_no_more_time_where_the_notice_is_longer() -> None:
    stand = Stand(notice_s=70, table=Table(rounds=1, players=2))
    stand.order()
    stand.tick(60.1)
    assert stand.house.done == [("abort", "table")]
    stand.tick(9.6)
    assert stand.house.done == [("abort", "table")]
    stand.tick(0.4)
    assert stand.done == [("abort", "table"), ("move", "table")]


def test_rounds_are_aborted_once_while_the_notice_runs_and_bets_are_under_way() -> None:
    stand = Stand(notice_s=70, table=Table(rounds=1, bets=3, players=2))
    stand.order()
    stand.tick(69)
    assert stand.house.done == [("abort", "table")]
    stand.tick(1.1)
    assert stand.house.done == [("abort", "table"), ("move", "table")]


def test_notice_counts_from_the_first_order_that_stands() -> None:
    stand = Stand(notice_s=10, table=Table(players=1))
    stand.order(Order.FILE)
    stand.tick(8)
    stand.order(Order.SIGNAL)
    stand.tick(2.1)
    assert stand.done == [("move", "table")]


def test_drain_that_begins_again_gives_notice_again() -> None:
    stand = Stand(notice_s=10, table=Table(players=1))
    stand.order()
    stand.tick(8)
    stand.drain.withdraw(Order.API)
    stand.order()
    stand.tick(8)
    assert stand.done == []


@pytest.mark.parametrize("notice_s", [0.0, 20.0, 80.0])
@pytest.mark.parametrize("seed", range(20))
def test_every_drain_ends_with_the_studios_last_and_in_time(seed: int, notice_s: float) -> None:
    chance = random.Random(seed)
    tables = {
        f"t{number}": Table(
            rounds=chance.randrange(3),
            bets=chance.randrange(3),
            scheduled=chance.randrange(3),
            players=chance.randrange(4),
            watchers=chance.randrange(2),
            studios=chance.randrange(2),
        )
        for number in range(8)
    }
    stand = Stand(notice_s=notice_s, **tables)
    longest_s = stand.settings.longest_s
    stand.order(Order.SIGNAL)
    while not stand.left and stand.now_s < 2 * longest_s:
        table = chance.choice(list(tables.values()))
        table.rounds = max(table.rounds - chance.randrange(2), 0) if chance.random() < 0.01 else table.rounds
        table.bets = max(table.bets - 1, 0) if chance.random() < 0.05 else table.bets
        table.players = max(table.players - 1, 0) if chance.random() < 0.05 else table.players
        stand.tick()
    assert stand.now_s <= longest_s + 3 * TICK_S, "each of the three waits ends with a tick"
    assert stand.house.streams() == []
    assert not stand.house.has_bets() or stand.now_s >= SETTINGS.rounds_s


# What is told


def test_lines_tell_who_is_still_here() -> None:
    stand = Stand(table=Table(rounds=1, players=2))
    stand.order()
    assert stand.drain.lines == ("draining", "draining: 1 round open, 3 sessions")
    stand.house.tables["table"] = Table()
    stand.tick()
    assert stand.drain.lines == ("drained", "draining: 0 rounds open, 0 sessions")


def test_report_of_a_gateway_that_serves() -> None:
    assert Stand(table=Table(rounds=2, players=3)).drain.report() == {
        "isDraining": False,
        "isDrained": False,
        "orders": [],
        "sinceUnixMs": None,
        "roundsOpen": 2,
        "sessions": {"ingest": 1, "egress": 3},
        "deadlineUnixMs": None,
    }


def test_report_of_a_drain() -> None:
    stand = Stand(table=Table(rounds=1, players=2))
    stand.now_s = 100.0
    stand.order(Order.API)
    stand.order(Order.FILE)
    assert stand.drain.report() == {
        "isDraining": True,
        "isDrained": False,
        "orders": ["file", "api"],
        "sinceUnixMs": 1_700_000_100_000,
        "roundsOpen": 1,
        "sessions": {"ingest": 1, "egress": 2},
        "deadlineUnixMs": 1_700_000_160_000,
    }


def samples(stand: Stand) -> dict[tuple[str, ...], float]:
    return {(name.removeprefix("railbird_"), *labels): value for name, labels, value in stand.drain.samples()}


def test_samples_are_0_while_the_gateway_serves() -> None:
    stand = Stand(table=Table(rounds=1, players=2))
    assert set(samples(stand).values()) == {0.0}
    stand.order()
    told = samples(stand)
    stand.drain.withdraw(Order.API)
    assert set(samples(stand).values()) == {0.0}
    assert told == {
        ("draining",): 1,
        ("drain_orders", "signal"): 0,
        ("drain_orders", "file"): 0,
        ("drain_orders", "api"): 1,
        ("drain_rounds_remaining",): 1,
        ("drain_sessions_remaining", "ingest"): 1,
        ("drain_sessions_remaining", "egress"): 2,
    }


def test_players_moved_are_counted_from_0_and_forgotten_with_their_stream() -> None:
    drain = Stand().drain
    drain.count_moved("table")
    drain.count_moved("gone")
    told = [(labels[0], value) for _, labels, value in drain.stream_samples(["table", "other"])]
    assert told == [("table", 1), ("other", 0)]
    assert set(drain.moved) <= {"table", "other"}
