"""The order of a round's states, as one player is told of them."""

import pytest

from loadgen.signals import rounds_seen
from loadgen.signals.messages import RoundNews
from loadgen.signals.rounds_seen import FIRST, FOLLOWERS, RoundsSeen

WHOLE = ("scheduled", "betting_open", "betting_closed", "result", "settled")


def news(*states: str, at_ms: int = 1000, state: str | None = None, round_id: str = "r1") -> RoundNews:
    """With a step a second."""
    steps = tuple((each, at_ms + 1000 * place) for place, each in enumerate(states))
    return RoundNews(round_id, state or states[-1], steps)


def test_round_that_is_followed_enters_each_state_once() -> None:
    seen = RoundsSeen()
    for count in range(1, len(WHOLE) + 1):
        assert seen.on_news(news(*WHOLE[:count]), True) == ([], (WHOLE[count - 1],))
        assert seen.on_news(news(*WHOLE[:count]), True) == ([], ())


def test_states_that_were_missed_are_told_later() -> None:
    assert RoundsSeen().on_news(news(*WHOLE), False) == ([], WHOLE)


@pytest.mark.parametrize("before", ["scheduled", "betting_open", "betting_closed", "result"])
def test_every_state_that_is_not_the_last_may_be_aborted(before: str) -> None:
    states = (*WHOLE[: WHOLE.index(before) + 1], "aborted")
    assert RoundsSeen().on_news(news(*states), True)[0] == []


@pytest.mark.parametrize("before", FOLLOWERS)
@pytest.mark.parametrize("after", FOLLOWERS)
def test_state_follows_only_what_the_table_says(before: str, after: str) -> None:
    broken, _entered = RoundsSeen().on_news(news(before, after), True)
    assert ("round_order" in broken) == (before not in FIRST or after not in FOLLOWERS[before])


def test_unknown_state_breaks_the_order() -> None:
    assert RoundsSeen().on_news(news("betting_open", "paused", "settled"), True)[0] == ["round_order"]


def test_state_is_that_of_the_last_step() -> None:
    assert RoundsSeen().on_news(news("betting_open", state="scheduled"), True)[0] == ["round_state"]


def test_steps_are_in_the_order_of_time() -> None:
    back = RoundNews("r1", "betting_closed", (("betting_open", 2000), ("betting_closed", 1000)))
    assert RoundsSeen().on_news(back, True)[0] == ["round_time"]


def test_round_that_goes_back_breaks_a_rule_where_nothing_can_overtake() -> None:
    for is_reliable, broken in ((True, ["round_went_back"]), (False, [])):
        seen = RoundsSeen()
        seen.on_news(news("betting_open", "betting_closed"), is_reliable)
        assert seen.on_news(news("betting_open"), is_reliable) == (broken, ())


def test_round_that_is_told_otherwise_than_before_breaks_a_rule() -> None:
    seen = RoundsSeen()
    seen.on_news(news("betting_open", "betting_closed"), False)
    assert seen.on_news(news("betting_open", "aborted"), False)[0] == ["round_rewritten"]


def test_rounds_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_seen, "MAX_ROUNDS_KEPT", 2)
    seen = RoundsSeen()
    for number in range(5):
        seen.on_news(news("betting_open", round_id=f"r{number}"), True)
    assert len(seen._steps) == 2
