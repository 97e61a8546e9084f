"""What does not fit together in a scenario."""

import pytest

from loadgen.scenario.checks import check
from loadgen.scenario.fields import InconsistentError
from loadgen.scenario.players import BetsSpec, Leaves, PlayersSpec, PoissonArrival, RampArrival, SignalsSpec
from loadgen.scenario.studios import PauseEvent, RoundsSpec, StudiosSpec

TABLE = StudiosSpec(name="table-1")


def _players(count: int = 10, name: str = "a", at_s: float = 0.0, ramp_s: float = 60.0) -> PlayersSpec:
    return PlayersSpec(name=name, count=count, arrival=RampArrival(at_s=at_s, ramp_s=ramp_s))


def _refusal(studios: list[StudiosSpec], players: list[PlayersSpec], duration_s: float = 600.0) -> InconsistentError:
    with pytest.raises(InconsistentError) as refused:
        check(studios, players, duration_s)
    return refused.value


def test_scenario_of_nobody_is_refused() -> None:
    assert _refusal([], []).where == ()


def test_scenario_of_studios_alone_or_players_alone_is_taken() -> None:
    check([TABLE], [], 60.0)
    check([], [PlayersSpec(name="a", count=1, streams=("live",))], 60.0)


def test_stream_that_two_studios_publish_is_refused() -> None:
    refusal = _refusal([StudiosSpec(streams=3), StudiosSpec(name="table-2")], [])
    assert refusal.where == ("studios", 1, "name")
    assert "table-2" in str(refusal)


def test_streams_are_bounded_in_sum() -> None:
    check([StudiosSpec(name="a{n}", streams=150), StudiosSpec(name="b{n}", streams=50)], [], 60.0)
    refusal = _refusal([StudiosSpec(name="a{n}", streams=150), StudiosSpec(name="b{n}", streams=51)], [])
    assert refusal.where == ("studios", 1, "streams")


def test_players_are_bounded_in_sum() -> None:
    check([TABLE], [_players(15_000), _players(5_000, "b", 100.0)], 600.0)
    refusal = _refusal([TABLE], [_players(15_000), _players(5_001, "b", 100.0)])
    assert refusal.where == ("players", 1, "count")


def test_players_by_hls_are_bounded_in_sum() -> None:
    def by_hls(count: int, name: str) -> PlayersSpec:
        return _players(count, name).model_copy(update={"protocol": "hls"})

    check([TABLE], [by_hls(1_500, "a"), by_hls(500, "b"), _players(3_000, "c")], 600.0)
    refusal = _refusal([TABLE], [by_hls(1_500, "a"), _players(3_000, "c"), by_hls(501, "b")])
    assert (refusal.where, str(refusal)) == (("players", 2, "count"), "at most 2000 players by LL-HLS")


def test_groups_of_one_name_are_refused() -> None:
    assert _refusal([TABLE], [_players(), _players(name="b"), _players()]).where == ("players", 2, "name")


def test_stream_that_no_studio_publishes_is_refused() -> None:
    refusal = _refusal([TABLE], [PlayersSpec(name="a", count=1, streams=("table-1", "table-2"))])
    assert refusal.where == ("players", 0, "streams")
    assert "table-2" in str(refusal)


def test_all_streams_of_no_studios_are_refused() -> None:
    assert _refusal([], [_players()]).where == ("players", 0, "streams")


def test_hop_with_nowhere_to_go_is_refused() -> None:
    hopping = PlayersSpec(name="a", count=1, stay_s=10, leaves=Leaves(hop=1, goodbye=1))
    check([StudiosSpec(streams=2)], [hopping], 60.0)
    assert _refusal([TABLE], [hopping]).where == ("players", 0, "leaves", "hop")


def test_what_comes_when_the_run_is_over_is_refused() -> None:
    check([TABLE], [_players(at_s=59.0)], 60.0)
    refusal = _refusal([TABLE], [_players(at_s=60.0)], 60.0)
    assert refusal.where == ("players", 0, "arrival", "at")
    assert "1m" in str(refusal)
    late = StudiosSpec(events=(PauseEvent(at_s=1, pause_s=1), PauseEvent(at_s=70, pause_s=1)))
    assert _refusal([late], [], 60.0).where == ("studios", 0, "events", 1, "at")


@pytest.mark.parametrize(
    ("players", "per_s"),
    [
        ([_players(1001, ramp_s=0.0)], "1001"),
        ([_players(1001, ramp_s=0.5)], "1001"),
        ([_players(4004, ramp_s=4.0)], "1001"),
        ([_players(500, ramp_s=1.0), _players(501, "b", ramp_s=1.0)], "1001"),
        ([_players(5000, ramp_s=10.0), _players(1002, "b", at_s=9.0, ramp_s=2.0)], "1001"),
        (
            [_players(5000, ramp_s=10.0), PlayersSpec(name="b", count=900, arrival=PoissonArrival(rate_per_s=900))],
            "1400",
        ),
        (
            [
                PlayersSpec(name="a", count=900, arrival=PoissonArrival(rate_per_s=90)),
                _players(950, "b", at_s=9.5, ramp_s=1),
            ],
            "1040",
        ),
        ([PlayersSpec(name="a", count=5000, arrival=RampArrival(ramp_s=60), stay_s=3, away_s=1)], "1333"),
        ([PlayersSpec(name="a", count=5000, arrival=RampArrival(ramp_s=60), ice_restart_every_s=5)], "1083"),
    ],
)
def test_more_requests_a_second_than_is_decent_are_refused(players: list[PlayersSpec], per_s: str) -> None:
    refusal = _refusal([TABLE], players)
    assert refusal.where[:1] == ("players",)
    assert f"{per_s} joins and ICE restarts a second, at most 1000" in str(refusal)


@pytest.mark.parametrize(
    "players",
    [
        [_players(1000, ramp_s=0.0)],
        [_players(1000, ramp_s=0.0), _players(1000, "b", at_s=1.0, ramp_s=0.0)],
        [PlayersSpec(name="a", count=5000, arrival=RampArrival(ramp_s=60), stay_s=3)],
        [PlayersSpec(name="a", count=5000, arrival=RampArrival(ramp_s=60), stay_s=3, away_s=10)],
        [PlayersSpec(name="a", count=5000, arrival=PoissonArrival(rate_per_s=1000))],
    ],
)
def test_many_requests_a_second_are_taken(players: list[PlayersSpec]) -> None:
    check([TABLE], players, 600.0)


def test_players_who_hop_join_again_at_once() -> None:
    hopping = PlayersSpec(
        name="a", count=5000, arrival=RampArrival(ramp_s=60), stay_s=5, leaves=Leaves(hop=1), away_s=3600
    )
    assert "1083 joins" in str(_refusal([StudiosSpec(streams=2)], [hopping]))


DEALS = StudiosSpec(name="table-1", rounds=RoundsSpec(every_s=20, betting_s=5))


def _bettors(count: int = 10, name: str = "a", per_round: int = 1) -> PlayersSpec:
    signals = SignalsSpec(bets=BetsSpec(per_round=per_round))
    return _players(count, name).model_copy(update={"signals": signals, "streams": ("table-1",)})


def test_bets_need_rounds_where_there_are_studios() -> None:
    check([DEALS], [_bettors()], 60.0)
    check([], [_bettors()], 60.0)
    refusal = _refusal([TABLE], [_players(name="b"), _bettors()])
    assert refusal.where == ("players", 1, "signals", "bets")


def test_bets_are_bounded_in_sum_by_the_time_that_they_are_open() -> None:
    check([DEALS], [_bettors(5_000), _bettors(2_500, "b", 2)], 600.0)
    refusal = _refusal([DEALS], [_bettors(5_000), _bettors(2_501, "b", 2)])
    assert (refusal.where, str(refusal)) == (("players", 1, "signals", "bets"), "2000 bets a second, at most 2000")


def test_bets_on_rounds_of_others_are_bounded_by_the_second() -> None:
    check([], [_bettors(2_000)], 600.0)
    assert _refusal([], [_bettors(2_001)]).where == ("players", 0, "signals", "bets")


def test_round_that_would_begin_after_the_end_is_refused() -> None:
    late = StudiosSpec(name="table-1", rounds=RoundsSpec(at_s=60, every_s=20, betting_s=5))
    assert _refusal([late], [], 60.0).where == ("studios", 0, "rounds", "at")
