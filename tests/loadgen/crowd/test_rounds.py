"""Rounds over real sockets, with players that only take notes."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from loadgen.crowd import rounds as rounds_module
from loadgen.crowd.rounds import Rounds
from loadgen.players.player import Player
from tests.e2e.waiting import until

CHECKS_AFTER = 125
REPORTS_AFTER = 50


class NotingPlayer:
    """What `Rounds` needs of a player. `raises` names the methods that fail."""

    def __init__(self, *raises: str) -> None:
        self.socket, self._remote = _connected()
        self.received: list[bytes] = []
        self.turns: dict[str, list[int]] = {"report": [], "check": [], "repair": []}
        self.turn = 0
        self.needs_repair = False
        self.raises = set(raises)

    def read(self) -> bool:
        """Everything that waits."""
        self._fail("read")
        with contextlib.suppress(BlockingIOError):
            while True:
                self.received.append(self.socket.recv(100))
        return self.needs_repair

    def repair(self, _now_s: float) -> bool:
        """Whether there is more to do."""
        self._note("repair")
        return self.needs_repair

    def report(self, _now_s: float) -> None:
        """Once a second."""
        self._note("report")

    def check(self, _now_s: float) -> None:
        """Every 2.5 s."""
        self._note("check")

    def _note(self, what: str) -> None:
        self._fail(what)
        self.turns[what].append(self.turn)

    def _fail(self, what: str) -> None:
        if what in self.raises:
            raise ZeroDivisionError(what)

    def get(self, datagram: bytes) -> None:
        """It is in the socket at once: this is loopback."""
        self._remote.send(datagram)

    def change_socket(self, closes_old: bool = True) -> socket.socket:
        """As an ICE restart does; the old socket."""
        old, old_remote = self.socket, self._remote
        self.socket, self._remote = _connected()
        if closes_old:
            old.close()
            old_remote.close()
        return old

    def close(self) -> None:
        """Both ends."""
        self.socket.close()
        self._remote.close()


def _connected() -> tuple[socket.socket, socket.socket]:
    ours, theirs = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for each in (ours, theirs):
        each.bind(("127.0.0.1", 0))
        each.setblocking(False)
    ours.connect(theirs.getsockname())
    theirs.connect(ours.getsockname())
    return ours, theirs


class Table:
    """Rounds, and players that are closed after the test."""

    def __init__(self) -> None:
        self.failed: list[Any] = []
        self.rounds = Rounds(self._on_failure)
        self.players: list[NotingPlayer] = []
        self._turn = itertools.count()

    def _on_failure(self, player: Player) -> None:
        self.failed.append(player)
        self.rounds.remove(player)

    def seat(self, *raises: str) -> NotingPlayer:
        """One more player in the rounds."""
        player = NotingPlayer(*raises)
        self.players.append(player)
        self.rounds.add(as_player(player))
        return player

    def play(self, rounds: int = 1) -> None:
        """So many rounds, without the time between them."""
        for _ in range(rounds):
            turn = next(self._turn)
            for player in self.players:
                player.turn = turn
            self.rounds._round(turn)

    def close(self) -> None:
        """Everything."""
        self.rounds.close()
        for player in self.players:
            player.close()


def as_player(player: NotingPlayer) -> Player:
    """To the type checker."""
    return cast(Player, player)


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    table.close()


def test_round_reads_who_has_something(table: Table) -> None:
    first, second, idle = (table.seat() for _ in range(3))
    first.get(b"1")
    first.get(b"2")
    second.get(b"3")
    table.play()
    assert (first.received, second.received, idle.received) == ([b"1", b"2"], [b"3"], [])
    assert len(table.rounds) == 3


def test_removed_player_is_left_alone(table: Table) -> None:
    player = table.seat()
    table.rounds.remove(as_player(player))
    table.rounds.remove(as_player(player))
    player.get(b"1")
    table.play(CHECKS_AFTER)
    assert (player.received, player.turns) == ([], {"report": [], "check": [], "repair": []})
    assert len(table.rounds) == 0


def test_player_is_read_on_its_new_socket(table: Table) -> None:
    player = table.seat()
    player.change_socket()
    table.rounds.move(as_player(player))
    player.get(b"new")
    table.play()
    assert player.received == [b"new"]
    assert len(table.rounds) == 1


def test_old_socket_that_is_still_open_is_left_alone(table: Table) -> None:
    player = table.seat()
    old_remote = player._remote
    old = player.change_socket(closes_old=False)
    table.rounds.move(as_player(player))
    old_remote.send(b"old")
    table.play()
    assert player.received == []
    assert table.rounds._epoll.poll(0) == []
    old.close()
    old_remote.close()


def test_number_of_a_closed_socket_may_be_anothers(table: Table) -> None:
    moved = table.seat()
    number = moved.socket.fileno()
    moved.change_socket()
    other = NotingPlayer()
    table.players.append(other)
    assert other.socket.fileno() == number, "the lowest free number is given to the next"
    table.rounds.add(as_player(other))
    table.rounds.move(as_player(moved))
    moved.get(b"moved")
    other.get(b"other")
    table.play()
    assert (moved.received, other.received) == ([b"moved"], [b"other"])
    table.rounds.remove(as_player(moved))
    other.get(b"again")
    table.play()
    assert other.received == [b"other", b"again"]


def test_move_of_a_removed_player_reads_nothing(table: Table) -> None:
    player = table.seat()
    table.rounds.remove(as_player(player))
    player.change_socket()
    table.rounds.move(as_player(player))
    player.get(b"1")
    table.play()
    assert player.received == []


def test_each_player_reports_once_a_second_and_checks_every_two_and_a_half(table: Table) -> None:
    players = [table.seat() for _ in range(40)]
    table.play(4 * CHECKS_AFTER)
    for player in players:
        reports, checks = player.turns["report"], player.turns["check"]
        assert len(reports) == 10
        assert {b - a for a, b in itertools.pairwise(reports)} == {REPORTS_AFTER}
        assert len(checks) == 4
        assert {b - a for a, b in itertools.pairwise(checks)} == {CHECKS_AFTER}
    assert len({player.turns["report"][0] for player in players}) > 10, "not all at the same time"
    seconds = [turns * rounds_module.ROUND_S for turns in (REPORTS_AFTER, CHECKS_AFTER)]
    assert seconds == pytest.approx([1.0, 2.5])


def test_player_is_repaired_until_nothing_is_missing(table: Table) -> None:
    player = table.seat()
    table.play(3)
    assert player.turns["repair"] == [0], "a look at what came before"
    player.needs_repair = True
    player.get(b"1")
    table.play(3)
    player.needs_repair = False
    table.play(3)
    assert player.turns["repair"] == [0, 3, 4, 5, 6]


@pytest.mark.parametrize("method", ["read", "repair", "report", "check"])
def test_player_that_raises_does_not_stop_the_others(table: Table, method: str) -> None:
    before, broken, after = table.seat(), table.seat(method), table.seat()
    for player in (before, broken, after):
        player.get(b"1")
    table.play(2 * CHECKS_AFTER)
    assert table.failed == [broken]
    for player in (before, after):
        assert player.received == [b"1"]
        assert (len(player.turns["report"]), len(player.turns["check"])) == (5, 2)
    assert len(table.rounds) == 2


async def test_rounds_run_until_cancelled_and_tell_how_late_they_were(table: Table) -> None:
    player = table.seat()
    running = asyncio.create_task(table.rounds.run())
    player.get(b"1")
    await until(lambda: player.received == [b"1"])
    table.rounds.take_lateness_s()
    time.sleep(0.5)  # noqa: ASYNC251  somebody holds up the event loop
    await asyncio.sleep(0.05)
    lateness_s = table.rounds.take_lateness_s()
    assert lateness_s > 0.4
    assert table.rounds.take_lateness_s() == 0.0, "it is told once"
    await asyncio.sleep(0.05)
    assert table.rounds.take_lateness_s() < lateness_s
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    player.get(b"2")
    await asyncio.sleep(0.05)
    assert player.received == [b"1"]


async def test_who_has_to_answer_at_once_is_read_between_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_module, "ROUND_S", 60.0)
    rounds = Rounds(lambda _player: None)
    urgent, patient = NotingPlayer(), NotingPlayer()
    running = asyncio.create_task(rounds.run())
    await asyncio.sleep(0)
    rounds.add(cast(Player, urgent), is_urgent=True)
    rounds.add(cast(Player, patient))
    for player in (urgent, patient):
        player.get(b"ping")
    await until(lambda: urgent.received == [b"ping"])
    assert patient.received == []
    rounds.remove(cast(Player, urgent))
    urgent.get(b"ping")
    await asyncio.sleep(0.02)
    assert urgent.received == [b"ping"]
    running.cancel()
    rounds.close()
    for player in (urgent, patient):
        player.close()


async def test_who_has_to_answer_at_once_is_so_with_another_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_module, "ROUND_S", 60.0)
    rounds = Rounds(lambda _player: None)
    urgent = NotingPlayer()
    rounds.add(cast(Player, urgent), is_urgent=True)
    urgent.change_socket()
    rounds.move(cast(Player, urgent))
    urgent.get(b"ping")
    await until(lambda: urgent.received == [b"ping"])
    rounds.close()
    urgent.close()
