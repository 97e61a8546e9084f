"""When batches go out, when viewers are paced, and what a bug in one stream does to the others."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from gateway.clock import monotonic_s
from gateway.config import Settings
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.stream.stream import Stream
from gateway.turns import MAX_LATENESS_S, Turns
from tests.calls import Call, stand_in
from tests.e2e.waiting import until
from tests.hub.desk import Desk

SOON_S = 0.02


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Its port is read."""
    made = Desk(Settings())
    made.port.attach(asyncio.get_running_loop())
    yield made
    made.port.detach(asyncio.get_running_loop())
    made.close()


@pytest.fixture
async def turns(desk: Desk) -> AsyncIterator[Turns]:
    made = Turns(desk.hub)
    made.start()
    yield made
    made.stop()


def waiting(monkeypatch: pytest.MonkeyPatch, stream: Stream, wait_s: float | None) -> Call:
    """A batch of `stream` that may wait so long; the flush that ends its waiting."""
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: wait_s)
    return stand_in(monkeypatch, stream, "flush")


# After a batch


async def test_batch_that_is_complete_is_flushed_at_once(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = waiting(monkeypatch, desk.registry.open("table"), 0.0)
    turns.after_batch(7.0)
    assert flush.times_s == [7.0]


@pytest.mark.parametrize(("lateness_s", "times"), [(MAX_LATENESS_S - 0.01, 0), (MAX_LATENESS_S + 0.01, 1)])
async def test_video_is_shed_when_datagrams_wait_too_long(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch, lateness_s: float, times: int
) -> None:
    shed = stand_in(monkeypatch, desk.registry.open("table"), "shed_video")
    desk.port.lateness_s = lateness_s
    turns.after_batch(monotonic_s())
    assert len(shed.times_s) == times


async def test_stream_without_a_batch_is_left_alone(turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = waiting(monkeypatch, desk.registry.open("table"), None)
    turns.after_batch(monotonic_s())
    await asyncio.sleep(SOON_S)
    assert flush.times_s == []


async def test_batch_that_may_wait_is_flushed_when_its_hold_ends(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, set_s = desk.registry.open("table"), monotonic_s()
    flush = stand_in(monkeypatch, stream, "flush")
    monkeypatch.setattr(stream, "wait_s", lambda now_s: None if flush.times_s else max(set_s + SOON_S - now_s, 0.0))
    turns.after_batch(set_s)
    assert flush.times_s == []
    await until(lambda: bool(flush.times_s))
    assert len(flush.times_s) == 1
    assert flush.times_s[0] >= set_s + SOON_S


async def test_hold_ends_with_the_batch_that_waits_least(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, wait_s in (("one", 60.0), ("two", SOON_S), ("three", 30.0)):
        waiting(monkeypatch, desk.registry.open(name), wait_s)
    alarms_s: list[float] = []
    monkeypatch.setattr(turns._flush_alarm, "set", lambda delay_s, _now_s: alarms_s.append(delay_s))
    turns.after_batch(monotonic_s())
    assert alarms_s == [SOON_S]


async def test_hold_that_nothing_waits_for_is_cleared(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = desk.registry.open("table")
    flush = waiting(monkeypatch, stream, SOON_S)
    turns.after_batch(monotonic_s())
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: None)
    turns.after_batch(monotonic_s())
    monkeypatch.setattr(stream, "wait_s", lambda _now_s: 0.0)
    await asyncio.sleep(3 * SOON_S)
    assert flush.times_s == []


async def test_stream_with_a_bug_does_not_keep_the_others_waiting(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = [waiting(monkeypatch, desk.registry.open(name), 0.0) for name in ("one", "two", "three")]
    flushes[0].is_broken = True
    with capture_logs() as logs:
        turns.after_batch(7.0)
    assert [flush.times_s for flush in flushes] == [[7.0]] * 3
    assert [(each["event"], each["stream"]) for each in logs] == [("call failed", "one")]


async def test_batch_is_flushed_though_asking_for_missing_fails(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = waiting(monkeypatch, desk.registry.open("table"), 0.0)
    ask = stand_in(monkeypatch, desk.hub, "ask_for_missing", is_broken=True)
    with capture_logs():
        turns.after_batch(7.0)
    assert (ask.times_s, flush.times_s) == ([7.0], [7.0])


async def test_datagram_on_the_port_ends_in_a_flush(turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = waiting(monkeypatch, desk.registry.open("table"), 0.0)
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.sendto(b"\x80garbage", ("127.0.0.1", desk.port.socket.port))
    await until(lambda: len(flush.times_s) == 1)


# The pacer


@dataclass
class CatchUp:
    """Somebody is on the way to the live end until paced so often."""

    pace: Call
    paces: int

    @property
    def is_pacing(self) -> bool:
        return len(self.pace.times_s) < self.paces


def pacing(monkeypatch: pytest.MonkeyPatch, stream: Stream, paces: int) -> Call:
    """Let `stream` have to be paced so often."""
    pace = stand_in(monkeypatch, stream, "pace")
    monkeypatch.setattr(stream, "catch_up", CatchUp(pace, paces))
    return pace


async def test_pacer_runs_from_the_join_until_all_are_live(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace, idle = (pacing(monkeypatch, desk.registry.open(name), n) for name, n in (("table", 3), ("idle", 0)))
    desk.hub.on_joined()
    assert pace.times_s == []
    await until(lambda: len(pace.times_s) == 3)
    await asyncio.sleep(SOON_S)
    assert (len(pace.times_s), len(idle.times_s)) == (3, 0)


async def test_pacer_is_woken_by_a_batch(turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = desk.registry.open("table")
    waiting(monkeypatch, stream, 0.0)
    pace = pacing(monkeypatch, stream, 1)
    turns.after_batch(monotonic_s())
    await until(lambda: len(pace.times_s) == 1)


async def test_pacer_goes_on_beside_a_stream_with_a_bug(
    turns: Turns, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = (pacing(monkeypatch, desk.registry.open(name), 2) for name in ("broken", "sound"))
    broken.is_broken = True
    with capture_logs() as logs:
        desk.hub.on_joined()
        await until(lambda: (len(broken.times_s), len(sound.times_s)) == (2, 2))
    assert {each["stream"] for each in logs} == {"broken"}


# Betting windows


async def test_bets_close_by_themselves_at_their_time(turns: Turns, desk: Desk) -> None:
    desk.registry.open("table")
    opened = desk.hub.play.command_round("table", Command(RoundState.BETTING_OPEN, "r-1", SOON_S), monotonic_s())
    await until(lambda: opened.state is RoundState.BETTING_CLOSED)


async def test_bets_do_not_close_by_themselves_once_it_is_over(turns: Turns, desk: Desk) -> None:
    desk.registry.open("table")
    opened = desk.hub.play.command_round("table", Command(RoundState.BETTING_OPEN, "r-1", SOON_S), monotonic_s())
    turns.stop()
    await asyncio.sleep(5 * SOON_S)
    assert opened.state is RoundState.BETTING_OPEN
