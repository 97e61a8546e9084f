"""When a player bets on a round."""

from loadgen.scenario.players import BetsSpec
from loadgen.signals.plan import UNANNOUNCED_WINDOW_S, WINDOW_SHARE, plan


def test_bets_are_spread_over_the_time_that_they_are_open() -> None:
    moments = [at_s for seed in range(500) for at_s in plan(BetsSpec(per_round=2), seed, 1, 10.0).after_s]
    assert len(moments) == 1000
    assert 0 <= min(moments) < 0.5
    assert 8.5 < max(moments) <= 10.0 * WINDOW_SHARE
    assert 4.0 < sum(moments) / len(moments) < 5.0


def test_bets_of_a_round_are_in_order() -> None:
    after_s = plan(BetsSpec(per_round=20), 7, 1, 10.0).after_s
    assert list(after_s) == sorted(after_s)


def test_plan_is_decided_by_seed_and_round() -> None:
    spec = BetsSpec(per_round=3)
    assert plan(spec, 7, 1, 10.0) == plan(spec, 7, 1, 10.0)
    assert len({plan(spec, seed, number, 10.0) for seed in range(3) for number in range(3)}) == 9


def test_share_of_the_players_bet() -> None:
    betting = sum(bool(plan(BetsSpec(share=0.3), seed, 1, 10.0).after_s) for seed in range(1000))
    assert 250 < betting < 350
    assert not any(plan(BetsSpec(share=0.0), seed, 1, 10.0).after_s for seed in range(100))


def test_late_bets_are_taken_from_those_of_the_round() -> None:
    plans = [plan(BetsSpec(per_round=4, late=0.25), seed, 1, 10.0) for seed in range(500)]
    assert all(len(each.after_s) + each.late == 4 for each in plans)
    assert 400 < sum(each.late for each in plans) < 600


def test_window_that_is_not_announced_is_guessed() -> None:
    for window_s in (None, 0.0, -1.0):
        after_s = plan(BetsSpec(per_round=20), 7, 1, window_s).after_s
        assert 0 < max(after_s) <= UNANNOUNCED_WINDOW_S
