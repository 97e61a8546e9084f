"""What players do, by the seed."""

from collections import Counter
from itertools import islice, pairwise
from statistics import fmean

import pytest

from loadgen.crowd.lives import Life, Visit, lives
from loadgen.scenario.players import (
    BetsSpec,
    ImpairmentSpec,
    Leaves,
    PlayersSpec,
    PoissonArrival,
    RampArrival,
    SignalsSpec,
)

STREAMS = ("table-1", "table-2", "table-3")


def _lives(spec: PlayersSpec, streams: tuple[str, ...] = STREAMS, seed: int = 1) -> list[Life]:
    return lives(spec, streams, seed, worker=0, workers=1)


def _churning(count: int = 2000, away_s: float | None = 10.0) -> PlayersSpec:
    leaves = Leaves(hop=6, tab_close=3, goodbye=1)
    return PlayersSpec(name="a", count=count, stay_s=30, leaves=leaves, away_s=away_s, ice_restart_every_s=60)


def _first_visits(spec: PlayersSpec, streams: tuple[str, ...] = STREAMS) -> list[Visit]:
    return [next(life.visits()) for life in _lives(spec, streams)]


# Arrivals


def test_ramp_is_even_from_its_beginning() -> None:
    spec = PlayersSpec(name="a", count=5, arrival=RampArrival(at_s=10, ramp_s=20))
    assert [life.arrives_s for life in _lives(spec)] == [10.0, 14.0, 18.0, 22.0, 26.0]


def test_ramp_of_no_time_brings_all_at_once() -> None:
    spec = PlayersSpec(name="a", count=3, arrival=RampArrival(at_s=10))
    assert [life.arrives_s for life in _lives(spec)] == [10.0] * 3


def test_poisson_arrivals_have_their_rate_and_their_spread() -> None:
    spec = PlayersSpec(name="a", count=10_000, arrival=PoissonArrival(at_s=100, rate_per_s=50))
    arrivals = [life.arrives_s for life in _lives(spec)]
    gaps = [after - before for before, after in pairwise(arrivals)]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] > 100
    assert fmean(gaps) == pytest.approx(1 / 50, rel=0.05)
    # Exponential gaps deviate as much as they last; even ones would not at all.
    assert fmean(gap * gap for gap in gaps) == pytest.approx(2 / 50**2, rel=0.1)


# The seed, and the workers


@pytest.mark.parametrize("workers", [2, 3, 7])
@pytest.mark.parametrize("arrival", [RampArrival(ramp_s=20), PoissonArrival(rate_per_s=5)])
def test_lives_are_the_same_however_many_workers_there_are(workers: int, arrival: RampArrival | PoissonArrival) -> None:
    spec = _churning(count=20).model_copy(update={"arrival": arrival, "impairment": ImpairmentSpec(share=0.5)})
    shared = [lives(spec, STREAMS, 1, worker, workers) for worker in range(workers)]
    by_number = [shared[number % workers][number // workers] for number in range(20)]
    assert sum(map(len, shared)) == 20
    for alone, one_of_many in zip(_lives(spec), by_number, strict=True):
        assert one_of_many == alone
        assert list(islice(one_of_many.visits(), 5)) == list(islice(alone.visits(), 5))


def test_visits_are_the_same_each_time_they_are_asked_for() -> None:
    life = _lives(_churning(count=1))[0]
    assert list(islice(life.visits(), 10)) == list(islice(life.visits(), 10))


def test_another_seed_makes_other_lives() -> None:
    spec = PlayersSpec(name="a", count=50, arrival=PoissonArrival(rate_per_s=5), stay_s=10)
    one, other = _lives(spec, seed=1), _lives(spec, seed=2)
    assert one[0].arrives_s != other[0].arrives_s
    assert next(one[0].visits()).stay_s != next(other[0].visits()).stay_s


def test_groups_and_players_differ_from_one_another() -> None:
    players = [_churning(count=50), _churning(count=50).model_copy(update={"name": "b"})]
    visits = [next(life.visits()) for spec in players for life in _lives(spec)]
    assert len({visit.stay_s for visit in visits}) == 100
    assert len({visit.seed for visit in visits}) == 100


# Who watches what, and how


@pytest.mark.parametrize(("count", "watched"), [(9, [3, 3, 3]), (10, [3, 3, 4]), (2, [1, 1])])
def test_players_are_spread_evenly_over_the_streams(count: int, watched: list[int]) -> None:
    visits = _first_visits(PlayersSpec(name="a", count=count))
    assert sorted(Counter(visit.stream for visit in visits).values()) == watched


@pytest.mark.parametrize(
    ("count", "share", "sampled"),
    [(100, 0.02, 2), (20, 0.02, 1), (1, 0.02, 1), (100, 0.07, 7), (10, 1.0, 10), (10, 0.0, 0)],
)
def test_sampled_players_are_their_share_rounded_up(count: int, share: float, sampled: int) -> None:
    visits = _first_visits(PlayersSpec(name="a", count=count, sampled=share))
    assert sum(visit.is_sampled for visit in visits) == sampled


def test_players_of_a_worker_watch_every_stream() -> None:
    spec = PlayersSpec(name="a", count=100)
    for worker in range(2):
        watched = Counter(life.first_stream for life in lives(spec, STREAMS[:2], 1, worker, 2))
        assert sorted(watched.values()) == [pytest.approx(25, abs=12)] * 2


def test_sampled_players_are_in_every_stream_and_with_every_worker() -> None:
    spec = PlayersSpec(name="a", count=1000, sampled=0.1)
    for worker in range(2):
        sampled = [life for life in lives(spec, STREAMS, 1, worker, 2) if life.is_sampled]
        assert len(sampled) == pytest.approx(50, abs=15)
        assert {life.first_stream for life in sampled} == set(STREAMS)


def test_bad_network_is_with_its_share_of_players_in_all_their_visits() -> None:
    impairment = ImpairmentSpec(share=0.25, loss=0.02)
    spec = _churning(count=100).model_copy(update={"impairment": impairment})
    visits = [list(islice(life.visits(), 4)) for life in _lives(spec)]
    impaired = [each for each in visits if each[0].impairment is not None]
    assert len(impaired) == 25
    assert all(visit.impairment == impairment for each in impaired for visit in each)
    assert {visit.impairment for each in visits if each not in impaired for visit in each} == {None}


# Staying and leaving


def test_player_without_a_stay_watches_one_stream_to_the_end() -> None:
    (visit,) = _lives(PlayersSpec(name="a", count=1))[0].visits()
    assert (visit.stay_s, visit.leave, visit.away_s, visit.ice_restart_every_s) == (None, None, None, None)


def test_stays_are_exponential_around_their_mean() -> None:
    stays = [visit.stay_s or 0.0 for visit in _first_visits(_churning(count=10_000))]
    assert fmean(stays) == pytest.approx(30, rel=0.05)
    assert sum(stay < 30 for stay in stays) / len(stays) == pytest.approx(0.632, abs=0.02)


def test_ways_to_leave_have_their_weights() -> None:
    leaves = Counter(visit.leave for visit in _first_visits(_churning(count=10_000)))
    assert leaves["hop"] / 10_000 == pytest.approx(0.6, abs=0.02)
    assert leaves["tab_close"] / 10_000 == pytest.approx(0.3, abs=0.02)
    assert leaves["goodbye"] / 10_000 == pytest.approx(0.1, abs=0.02)


def test_hop_leads_to_another_stream_at_once() -> None:
    hops = 0
    for life in _lives(_churning(count=50)):
        for visit, following in pairwise(islice(life.visits(), 20)):
            if visit.leave == "hop":
                hops += 1
                assert visit.away_s == 0.0
                assert following.stream != visit.stream
    assert hops > 100


def test_hop_reaches_every_other_stream() -> None:
    visits = [visit for life in _lives(_churning(count=50)) for visit in islice(life.visits(), 10)]
    assert {visit.stream for visit in visits} == set(STREAMS)


def test_hop_without_another_stream_joins_the_same_again() -> None:
    life = _lives(PlayersSpec(name="a", count=1, stay_s=5, leaves=Leaves(hop=1)), ("only",))[0]
    assert [visit.stream for visit in islice(life.visits(), 3)] == ["only"] * 3


def test_new_player_comes_after_a_while_that_has_its_mean() -> None:
    visits = [visit for visit in _first_visits(_churning(count=10_000)) if visit.leave != "hop"]
    assert fmean(visit.away_s or 0.0 for visit in visits) == pytest.approx(10, rel=0.05)


def test_new_player_comes_at_once_where_nobody_is_away() -> None:
    life = _lives(PlayersSpec(name="a", count=1, stay_s=5, away_s=0))[0]
    assert [visit.away_s for visit in islice(life.visits(), 3)] == [0.0] * 3


def test_nobody_comes_in_the_place_of_who_left_where_there_is_no_away() -> None:
    for life in _lives(_churning(count=50, away_s=None)):
        *hops, last = life.visits()
        assert {visit.leave for visit in hops} <= {"hop"}
        assert last.leave in ("tab_close", "goodbye")
        assert last.away_s is None


def test_ice_restarts_keep_their_mean_and_do_not_go_in_step() -> None:
    every = [visit.ice_restart_every_s or 0.0 for visit in _first_visits(_churning(count=2000))]
    assert fmean(every) == pytest.approx(60, rel=0.05)
    assert min(every) == pytest.approx(30, abs=1)
    assert max(every) == pytest.approx(90, abs=1)


def test_visits_are_by_the_protocol_of_their_group() -> None:
    by_hls = PlayersSpec(name="a", count=1, protocol="hls", preload_hints=True)
    assert [(visit.protocol, visit.preload_hints) for visit in _first_visits(by_hls)] == [("hls", True)]
    assert [(visit.protocol, visit.preload_hints) for visit in _first_visits(_churning(1))] == [("whep", False)]


def test_visits_have_the_signals_of_their_group() -> None:
    spec = PlayersSpec(name="a", count=1, signals=SignalsSpec(bets=BetsSpec(per_round=3)))
    (life,) = lives(spec, ["table"], 1, 0, 1)
    visit = next(iter(life.visits()))
    assert (visit.carrier, visit.bets) == ("data_channel", BetsSpec(per_round=3))
    (plain,) = lives(PlayersSpec(name="a", count=1), ["table"], 1, 0, 1)
    assert next(iter(plain.visits())).carrier is None
