"""A studio's rounds: in time, and whatever the server says."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from loadgen.errors import SignallingError
from loadgen.figures import Interval, StudioCounts
from loadgen.scenario.schema import RoundsSpec
from loadgen.studios import dealer as dealer_module
from loadgen.studios.dealer import Dealer
from tests.e2e.waiting import until

SOON = RoundsSpec.model_construct(at_s=0.0, every_s=0.1, betting_s=0.02, result_after_s=0.02, settle_after_s=0.01)
"""Shorter than a scenario may have them."""


class FakeRounds:
    """A server that knows one round after another."""

    def __init__(self, refusals: Sequence[str | None] = (), cause: str | None = None) -> None:
        """`refusals` are of the requests in turn; `cause` is why rounds were aborted."""
        self.asked: list[tuple[str, ...]] = []
        self._refusals = list(refusals)
        self._cause = cause

    async def open(self, betting_s: float) -> str:
        self._ask("open", f"{betting_s}")
        return f"r{len(self.asked)}"

    async def move(self, round_id: str, state: str, result: object = None) -> None:
        self._ask("move", round_id, state)

    async def why_aborted(self, round_id: str) -> str | None:
        self._ask("why", round_id)
        return self._cause

    def _ask(self, *what: str) -> None:
        self.asked.append(what)
        refusal = self._refusals.pop(0) if self._refusals else None
        if refusal is not None:
            raise SignallingError(refusal, "no")


@pytest.fixture(autouse=True)
def to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dealer_module, "SETTLED_BEFORE_S", 0.0)


def taken(dealer: Dealer) -> Interval:
    interval = Interval(0.0, 0.0)
    dealer.take(interval)
    return interval


async def test_rounds_are_opened_and_driven_to_their_end() -> None:
    rounds, counts = FakeRounds(), StudioCounts()
    dealer = Dealer(SOON, rounds, counts, run_s=0.16)
    await dealer.run(time.time())
    assert rounds.asked == [
        ("open", "0.02"),
        ("move", "r1", "result"),
        ("move", "r1", "settled"),
        ("open", "0.02"),
        ("move", "r4", "result"),
        ("move", "r4", "settled"),
    ]
    assert (counts.rounds_opened, counts.rounds_settled, counts.rounds_aborted) == (2, 2, 0)
    assert taken(dealer).round_failures == {}


async def test_round_that_could_not_be_settled_before_the_end_is_not_opened() -> None:
    rounds = FakeRounds()
    await Dealer(SOON, rounds, StudioCounts(), run_s=0.149).run(time.time())
    assert [asked[0] for asked in rounds.asked].count("open") == 1


async def test_first_round_waits_for_its_time() -> None:
    rounds = FakeRounds()
    dealing = asyncio.create_task(Dealer(SOON, rounds, StudioCounts(), run_s=9.0).run(time.time() + 0.1))
    await asyncio.sleep(0.02)
    assert rounds.asked == []
    await until(lambda: bool(rounds.asked))
    dealing.cancel()


async def test_round_that_the_server_aborted_is_counted_by_its_cause() -> None:
    rounds, counts = FakeRounds([None, "http_409"], "ingest_loss"), StudioCounts()
    dealer = Dealer(SOON, rounds, counts, run_s=0.16)
    await dealer.run(time.time())
    assert (counts.rounds_opened, counts.rounds_settled, counts.rounds_aborted) == (2, 1, 1)
    interval = taken(dealer)
    assert (interval.round_aborts, interval.round_failures) == ({"ingest_loss": 1}, {})
    assert taken(dealer).round_aborts == {}


@pytest.mark.parametrize(
    ("refusals", "cause", "failures"),
    [
        (["http_401"], None, {"http_401": 1}),
        ([None, "http_404"], "ingest_loss", {"http_404": 1}),
        ([None, "http_409"], None, {"http_409": 1}),
        ([None, "http_409", "http_timeout"], "ingest_loss", {"http_timeout": 1}),
        ([None, None, "http_503"], None, {"http_503": 1}),
    ],
)
async def test_refusal_is_counted_and_the_next_round_is_opened(
    refusals: list[str | None], cause: str | None, failures: dict[str, int]
) -> None:
    rounds, counts = FakeRounds(refusals, cause), StudioCounts()
    dealer = Dealer(SOON, rounds, counts, run_s=0.16)
    await dealer.run(time.time())
    assert (taken(dealer).round_failures, counts.rounds_settled, counts.rounds_aborted) == (failures, 1, 0)


async def test_round_that_is_open_when_the_run_ends_early_is_aborted() -> None:
    rounds = FakeRounds()
    dealer = Dealer(SOON.model_copy(update={"betting_s": 9.0}), rounds, StudioCounts(), run_s=99.0)
    dealing = asyncio.create_task(dealer.run(time.time()))
    await until(lambda: bool(rounds.asked))
    dealing.cancel()
    await asyncio.gather(dealing, return_exceptions=True)
    await dealer.close()
    assert rounds.asked[1:] == [("move", "r1", "aborted")]
    await dealer.close()
    assert len(rounds.asked) == 2
