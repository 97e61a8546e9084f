from dataclasses import dataclass
from itertools import accumulate, groupby

import pytest

from loadgen.players.impairment import MAX_HELD, Impairment

DATAGRAMS = 200_000
STEP_S = 0.001


@dataclass(frozen=True)
class Rates:
    loss: float = 0.0
    burst: float = 1.0
    jitter_s: float = 0.0
    reorder: float = 0.0


def through(impairment: Impairment, datagrams: int, step_s: float = STEP_S) -> list[tuple[int, float, float]]:
    """(number, when it was sent, when it arrived) of those that came through, as they came; one is sent each step."""
    came: list[tuple[bytes, float]] = []
    for number in range(datagrams):
        now_s = number * step_s
        impairment.pass_through(number.to_bytes(4, "big"), now_s)
        came += impairment.due(now_s)
    came += impairment.due(float("inf"))
    numbers = [int.from_bytes(datagram, "big") for datagram, _arrival_s in came]
    return [(number, number * step_s, arrival_s) for number, (_, arrival_s) in zip(numbers, came, strict=True)]


@pytest.mark.parametrize(
    ("loss", "burst", "mean_burst"),
    [(0.01, 4.0, 4.0), (0.05, 1.0, 1 / 0.95), (0.02, 10.0, 10.0), (0.3, 3.0, 3.0), (0.8, 2.0, 5.0)],
)
def test_loss_is_of_the_rate_and_the_bursts_asked_for(loss: float, burst: float, mean_burst: float) -> None:
    impairment = Impairment(Rates(loss=loss, burst=burst), seed=3)
    came = {number for number, _sent_s, _arrival_s in through(impairment, DATAGRAMS)}
    runs = [len(list(run)) for is_lost, run in groupby(number not in came for number in range(DATAGRAMS)) if is_lost]
    assert impairment.dropped == sum(runs) == DATAGRAMS - len(came)
    assert sum(runs) / DATAGRAMS == pytest.approx(loss, rel=0.05)
    assert sum(runs) / len(runs) == pytest.approx(mean_burst, rel=0.05)


def test_loss_of_short_sessions_is_of_the_same_rate() -> None:
    sessions = [Impairment(Rates(loss=0.1, burst=20.0), seed) for seed in range(20_000)]
    for impairment in sessions:
        impairment.pass_through(b"first", 0.0)
    assert sum(each.dropped for each in sessions) / len(sessions) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(("loss", "dropped"), [(0.0, 0), (1.0, 1000)])
def test_loss_of_nothing_and_of_everything(loss: float, dropped: int) -> None:
    impairment = Impairment(Rates(loss=loss, burst=5.0), seed=1)
    assert len(through(impairment, 1000)) == 1000 - dropped
    assert impairment.dropped == dropped


def test_loss_is_the_same_for_the_same_seed() -> None:
    rates = Rates(loss=0.2, burst=3.0, jitter_s=0.05, reorder=0.1)
    assert through(Impairment(rates, seed=5), 2000) == through(Impairment(rates, seed=5), 2000)
    assert through(Impairment(rates, seed=5), 2000) != through(Impairment(rates, seed=6), 2000)


def test_datagrams_without_jitter_pass_at_once() -> None:
    impairment = Impairment(Rates(), seed=1)
    impairment.pass_through(b"one", 10.0)
    impairment.pass_through(b"two", 10.0)
    assert impairment.due(10.0) == [(b"one", 10.0), (b"two", 10.0)]
    assert impairment.due(10.0) == []


def test_jitter_is_even_from_nothing_to_all_of_it() -> None:
    came = through(Impairment(Rates(jitter_s=0.04), seed=2), DATAGRAMS // 4, step_s=0.05)
    delays_s = sorted(arrival_s - sent_s for _number, sent_s, arrival_s in came)
    for share in (0.1, 0.5, 0.9):
        assert delays_s[int(share * len(came))] == pytest.approx(share * 0.04, rel=0.05)
    assert delays_s[-1] <= 0.04 + 1e-9


def test_jitter_keeps_the_order_unless_reordering_is_asked_for() -> None:
    in_order = through(Impairment(Rates(jitter_s=0.04), seed=2), 5000)
    numbers = [number for number, _sent_s, _arrival_s in in_order]
    assert numbers == sorted(numbers)
    assert max(arrival_s - sent_s for _number, sent_s, arrival_s in in_order) <= 0.04 + 1e-9
    assert any(arrival_s > sent_s for _number, sent_s, arrival_s in in_order)


@pytest.mark.parametrize("reorder", [0.01, 0.1])
def test_reordering_is_of_the_share_asked_for(reorder: float) -> None:
    came = through(Impairment(Rates(jitter_s=0.04, reorder=reorder), seed=2), DATAGRAMS)
    numbers = [number for number, _sent_s, _arrival_s in came]
    overtaken = sum(number < highest for number, highest in zip(numbers, accumulate(numbers, max), strict=True))
    assert overtaken / DATAGRAMS == pytest.approx(reorder, rel=0.1)


def test_datagram_arrives_when_it_is_due_however_late_it_is_fetched() -> None:
    impairment = Impairment(Rates(jitter_s=0.04), seed=4)
    impairment.pass_through(b"one", 1.0)
    assert impairment.due(1.0) == []
    [(datagram, arrival_s)] = impairment.due(9.0)
    assert datagram == b"one"
    assert 1.0 < arrival_s <= 1.04


def test_held_datagrams_are_bounded() -> None:
    impairment = Impairment(Rates(jitter_s=60.0), seed=1)
    for _ in range(MAX_HELD + 7):
        impairment.pass_through(b"", 0.0)
    assert impairment.dropped == 7
    assert len(impairment.due(60.0)) == MAX_HELD
