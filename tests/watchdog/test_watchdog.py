"""Which rounds are looked after, and what becomes of them: a real hub, and time as the tests tell it."""

import pytest

from gateway.clock import monotonic_s
from gateway.clockwork import Clockwork
from gateway.config import AbortSettings
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.watchdog.watchdog import Watchdog
from tests.hub.conftest import desk, settings
from tests.hub.desk import Desk
from tests.stream.doubles import IDR_SLICE

__all__ = ["desk", "settings"]

GAP_S = AbortSettings().picture_gap_s
TABLE = "table"


class Kennel:
    """A watchdog with its hub, whose studio has shown one picture and is gone."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clockwork = Clockwork(lambda _lag_s: None)
        self.watchdog = Watchdog(AbortSettings(), desk.hub, self.clockwork)
        studio = desk.studio()
        desk.rtp(studio, 100, IDR_SLICE)
        self.began_s = monotonic_s()
        studio.session.close("peer_left")

    def round_in(self, *states: RoundState, after_s: float = 0.0, stream: str = TABLE) -> Round:
        """A round that went through these states, all at once."""
        round_id = None
        for state in states:
            told = self.desk.hub.play.rounds.command(stream, Command(state, round_id), self.began_s + after_s)
            round_id = told.round_id
        return told

    def pass_time(self, from_s: float, to_s: float) -> None:
        """Tick ten times a second."""
        for tick in range(round(from_s * 10), round(to_s * 10) + 1):
            self.watchdog.tick(self.began_s + tick / 10)


def states_of(game: Round) -> list[RoundState]:
    return [step.state for step in game.steps]


@pytest.fixture
async def kennel(desk: Desk) -> Kennel:
    return Kennel(desk)


@pytest.mark.parametrize(
    "states",
    [
        (RoundState.BETTING_OPEN,),
        (RoundState.SCHEDULED, RoundState.BETTING_OPEN),
        (RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED),
    ],
)
async def test_round_that_needs_its_picture_is_aborted_without_one(
    kennel: Kennel, states: tuple[RoundState, ...]
) -> None:
    game = kennel.round_in(*states)
    kennel.pass_time(0, GAP_S - 0.1)
    assert game.state is states[-1]
    kennel.pass_time(GAP_S, GAP_S + 0.1)
    assert states_of(game) == [*states, RoundState.ABORTED]
    assert game.cause is AbortCause.STUDIO_DISCONNECTED
    assert game.evidence["studioEnded"] == "peer_left"
    assert kennel.desk.hub.play.rounds.aborts == {(TABLE, "studio_disconnected"): 1}


@pytest.mark.parametrize(
    "states",
    [
        (RoundState.SCHEDULED,),
        (RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED, RoundState.RESULT),
        (RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED, RoundState.RESULT, RoundState.SETTLED),
    ],
)
async def test_round_that_needs_no_picture_goes_on(kennel: Kennel, states: tuple[RoundState, ...]) -> None:
    game = kennel.round_in(*states)
    kennel.pass_time(0, 3 * GAP_S)
    assert game.state is states[-1]


async def test_round_that_begins_without_a_picture_has_as_long_as_any(kennel: Kennel) -> None:
    kennel.pass_time(0, 10)
    game = kennel.round_in(RoundState.BETTING_OPEN, after_s=10.0)
    kennel.pass_time(10.1, 10 + GAP_S - 0.1)
    assert states_of(game) == [RoundState.BETTING_OPEN]
    kennel.pass_time(10 + GAP_S, 10 + GAP_S + 0.1)
    assert states_of(game) == [RoundState.BETTING_OPEN, RoundState.ABORTED]


async def test_round_of_a_table_that_never_showed_anything_goes_on(kennel: Kennel) -> None:
    game = kennel.round_in(RoundState.BETTING_OPEN, stream="elsewhere")
    kennel.pass_time(0, 3 * GAP_S)
    assert game.state is RoundState.BETTING_OPEN


async def test_every_round_of_the_stream_is_aborted_by_its_own_time(kennel: Kennel) -> None:
    first = kennel.round_in(RoundState.BETTING_OPEN)
    second = kennel.round_in(RoundState.BETTING_OPEN, after_s=1.0)
    kennel.pass_time(0, GAP_S + 0.1)
    assert (first.state, second.state) == (RoundState.ABORTED, RoundState.BETTING_OPEN)
    kennel.pass_time(GAP_S + 0.2, GAP_S + 1.1)
    assert second.state is RoundState.ABORTED


async def test_stall_aborts_the_rounds_that_it_fell_into_and_not_the_next(kennel: Kennel) -> None:
    game = kennel.round_in(RoundState.BETTING_OPEN)
    kennel.pass_time(0, 0.1)
    kennel.clockwork.worst_lag_s = 1.2
    kennel.watchdog.tick(kennel.began_s + 1.4)
    assert game.cause is AbortCause.GATEWAY_OVERLOAD
    assert (game.evidence["loopLagMaxMs"], game.evidence["stoodStillMs"]) == (1200, 1200)
    following = kennel.round_in(RoundState.BETTING_OPEN, after_s=1.4)
    kennel.pass_time(1.5, 1.8)
    assert following.state is RoundState.BETTING_OPEN


async def test_stall_right_after_the_round_began_has_evidence_from_its_beginning(kennel: Kennel) -> None:
    game = kennel.round_in(RoundState.BETTING_OPEN)
    kennel.clockwork.worst_lag_s = 1.4
    kennel.watchdog.tick(kennel.began_s + 1.5)
    assert game.evidence["windowMs"] == 1500


async def test_stream_is_sampled_only_while_a_round_needs_it(kennel: Kennel) -> None:
    kennel.pass_time(0, 1)
    assert kennel.watchdog._streams == {}
    game = kennel.round_in(RoundState.BETTING_OPEN, after_s=1.0)
    kennel.pass_time(1.1, 1.5)
    assert len(kennel.watchdog._streams[TABLE]) == 6
    kennel.desk.hub.play.rounds.command(TABLE, Command(RoundState.ABORTED, game.round_id), kennel.began_s + 1.5)
    kennel.pass_time(1.6, 1.6)
    assert kennel.watchdog._streams == {}


async def test_rounds_that_were_forgotten_are_watched_no_more(kennel: Kennel) -> None:
    kennel.round_in(RoundState.BETTING_OPEN)
    kennel.pass_time(0, 0.5)
    kennel.desk.hub.play.rounds.forget(TABLE)
    kennel.pass_time(0.6, 3 * GAP_S)
    assert kennel.watchdog._streams == {}
