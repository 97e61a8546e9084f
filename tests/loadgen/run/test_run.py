"""The coordinator, with workers that do what a test says."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from loadgen.crowd.journey import INTERNAL_ERROR
from loadgen.figures import GatewaySample, Generator, Interval, SessionFigures
from loadgen.result import Outcome, RunResult, Totals
from loadgen.run import run as run_module
from loadgen.run.run import Run, RunOptions
from loadgen.scenario.schema import Scenario
from loadgen.target.safety import require_permission
from loadgen.target.urls import Endpoints
from loadgen.verdict.thresholds import parse_threshold
from loadgen.workers.messages import Beat, Begin, End, Ended, Failed, Order
from loadgen.workers.target import Target
from tests.e2e.waiting import until
from tests.loadgen.run.fakes import Crew, FakeWorker, willing

URL = "http://127.0.0.1:9"
SHORT_S = 0.05
ALL = ["players 1", "players 2", "studios"]


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Crew:
    crew = Crew()
    monkeypatch.setattr(run_module, "Worker", crew.start)
    monkeypatch.setattr(run_module, "LEAD_S", 0.0)
    return crew


def _scenario(duration_s: float = SHORT_S) -> Scenario:
    scenario = Scenario.model_validate(
        {"name": "short", "duration": 1.0, "studios": [{}], "players": [{"name": "viewers", "count": 1}]}
    )
    return scenario.model_copy(update={"duration_s": duration_s})


def _run(*thresholds: str, duration_s: float = SHORT_S, observers: Any = (), **options: Any) -> Run:
    target = Target(Endpoints(URL), require_permission(URL, ()))
    run_options = RunOptions(target, cores=(0, 1), **options)
    return Run(_scenario(duration_s), [parse_threshold(text) for text in thresholds], run_options, observers)


async def _stopped_once(is_time: Callable[[], bool], run: Run) -> RunResult:
    running = asyncio.create_task(run.execute())
    await until(is_time)
    run.stop()
    return await running


def _have_begun(crew: Crew) -> Callable[[], bool]:
    return lambda: sorted(crew.ordered(Begin)) == ALL


# Passed and missed


async def test_run_passes_when_its_thresholds_are_met(crew: Crew) -> None:
    result = await _run("viewers_peak >= 3").execute()
    assert (result.outcome, result.remarks) == (Outcome.PASSED, [])
    assert [threshold.is_met for threshold in result.thresholds] == [True]
    assert result.totals.joins == 6, "two beats of three workers"
    assert sorted(session.group for session in result.sessions) == sorted(ALL * 2)
    assert [interval.at_s for interval in result.intervals] == [1.0, 2.0]
    assert SHORT_S <= result.seconds < 5
    assert abs(result.started_unix_s - time.time()) < 10


async def test_run_misses_a_threshold(crew: Crew) -> None:
    result = await _run("viewers_peak >= 3", "viewers_peak >= 4").execute()
    assert result.outcome is Outcome.MISSED
    assert [threshold.is_met for threshold in result.thresholds] == [True, False]


def _refused(worker: FakeWorker, order: Order) -> None:
    interval = Interval(at_s=1.0, seconds=1.0)
    interval.join_failures["http_503"] += 2
    worker.tell(Beat(worker.beats, interval, []))
    worker.beats += 1
    if isinstance(order, End):
        worker.tell(Ended())


async def test_run_that_nobody_could_join_has_not_passed(crew: Crew) -> None:
    for name in ALL:
        crew.reactions[name] = _refused
    result = await _run().execute()
    assert (result.outcome, result.remarks) == (Outcome.FAILED, ["Nobody could join: http_503 12."])
    assert (await _run("join_failures == 0%").execute()).outcome is Outcome.MISSED


async def test_workers_begin_together_and_players_leave_before_studios(crew: Crew) -> None:
    await _run().execute()
    assert sorted(crew.ordered(Begin)) == ALL
    assert crew.ordered(End) == ALL
    begins = {worker.orders[0] for worker in crew.workers.values()}
    assert len(begins) == 1, "one instant for all"
    assert {worker.orders[-1] for worker in crew.workers.values()} == {End("run_end")}
    assert all(worker.is_closed for worker in crew.workers.values())


async def test_each_core_has_its_players_and_studios_use_all(crew: Crew) -> None:
    await _run().execute()
    assert {name: set(worker.cores) for name, worker in crew.workers.items()} == {
        "players 1": {0},
        "players 2": {1},
        "studios": {0, 1},
    }


async def test_scenario_without_studios_starts_no_worker_for_them(crew: Crew) -> None:
    run = _run()
    run._scenario = run._scenario.model_copy(update={"studios": ()})
    run._beats._workers = 2
    result = await run.execute()
    assert (sorted(crew.workers), result.totals.joins) == (ALL[:2], 4)


# Beats


async def test_interval_whose_sample_is_slow_is_not_lost_at_the_end(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run()

    async def sample() -> GatewaySample:
        await asyncio.sleep(2 * SHORT_S)
        return GatewaySample(0.25, 1)

    monkeypatch.setattr(run._watch, "sample", sample)
    result = await run.execute()
    assert result.totals.joins == 6
    assert [interval.gateway.cpu_share for interval in result.intervals] == [0.25, 0.25]


async def test_beats_of_who_ends_later_are_kept(crew: Crew) -> None:
    def lingering(worker: FakeWorker, order: Order) -> None:
        if isinstance(order, End):
            worker.tell(worker.beat())
            worker.tell(worker.beat())
        willing(worker, order)

    crew.reactions["studios"] = lingering
    result = await _run().execute()
    assert result.totals.joins == 8
    assert [interval.joins for interval in result.intervals] == [3, 3, 1, 1]


async def test_observers_see_each_interval_with_the_sums_so_far(crew: Crew) -> None:
    seen: list[tuple[int, int, bool]] = []

    def observe(interval: Interval, totals: Totals, elapsed_s: float) -> None:
        seen.append((interval.joins, totals.joins, 0 <= elapsed_s < 5))

    await _run(observers=[observe]).execute()
    assert seen == [(3, 3, True), (3, 6, True)]


# Stopped


async def test_stop_in_the_middle_says_goodbye_and_reports_what_there_is(crew: Crew) -> None:
    result = await _stopped_once(_have_begun(crew), _run("viewers_peak >= 4", duration_s=600))
    assert result.outcome is Outcome.INTERRUPTED, "though a threshold is missed"
    assert result.totals.joins == 6
    assert {worker.orders[-1] for worker in crew.workers.values()} == {End("interrupted")}
    assert [threshold.is_met for threshold in result.thresholds] == [False]


async def test_stop_before_all_are_ready_begins_nothing(crew: Crew) -> None:
    crew.first_words["studios"] = None
    crew.reactions = dict.fromkeys(ALL, lambda worker, _order: worker.tell(Ended()))
    result = await _stopped_once(lambda: sorted(crew.workers) == ALL, _run())
    assert (result.outcome, result.seconds) == (Outcome.INTERRUPTED, 0.0)
    assert crew.ordered(Begin) == []
    assert crew.ordered(End) == ALL
    assert all(worker.is_closed for worker in crew.workers.values())


async def test_stop_before_execute_is_not_forgotten(crew: Crew) -> None:
    run = _run(duration_s=600)
    crew.reactions = dict.fromkeys(ALL, lambda worker, _order: worker.tell(Ended()))
    run.stop()
    assert (await run.execute()).outcome is Outcome.INTERRUPTED


async def test_stop_during_the_goodbyes_leaves_a_whole_run_whole(crew: Crew) -> None:
    run = _run()

    def slow(worker: FakeWorker, order: Order) -> None:
        if isinstance(order, Begin):
            worker.tell(worker.beat())
        else:
            run.stop()
            asyncio.get_running_loop().call_later(SHORT_S, willing, worker, order)

    crew.reactions["players 1"] = slow
    result = await run.execute()
    assert (result.outcome, result.totals.joins) == (Outcome.PASSED, 6)
    assert {worker.orders[-1] for worker in crew.workers.values()} == {End("run_end")}


# Failed


async def test_worker_that_is_never_ready_fails_the_run(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "READY_WITHIN_S", SHORT_S)
    crew.first_words = {"studios": None, "players 2": None}
    result = await _run().execute()
    assert result.outcome is Outcome.FAILED
    assert result.remarks == ["It took players 2, studios more than 0 s to prepare itself."]
    assert all(worker.is_closed for worker in crew.workers.values())


async def test_worker_that_says_no_goodbye_fails_the_run(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "GOODBYE_WITHIN_S", SHORT_S)
    crew.reactions["players 2"] = lambda worker, _order: worker.tell(worker.beat())
    result = await _run().execute()
    assert result.outcome is Outcome.FAILED
    assert result.remarks == ["It took players 2 more than 0 s to say goodbye."]
    assert result.totals.joins == 5, "what was told until then is in the report"


async def test_worker_that_cannot_prepare_fails_the_run_with_its_sentence(crew: Crew) -> None:
    crew.first_words["studios"] = Failed("The studio of table-1 cannot publish: 401.")
    result = await _run("viewers_peak >= 1").execute()
    assert (result.outcome, result.remarks) == (Outcome.FAILED, ["The studio of table-1 cannot publish: 401."])
    assert result.thresholds == [], "nothing is judged"
    assert all(worker.is_closed for worker in crew.workers.values())


@pytest.mark.parametrize("order", [Begin, End])
async def test_worker_that_dies_fails_the_run_and_the_rest_is_reported(crew: Crew, order: type[Order]) -> None:
    def dying(worker: FakeWorker, ordered: Order) -> None:
        if isinstance(ordered, order):
            worker.tell(Failed("The process of players 2 is gone (-9)."))
        else:
            willing(worker, ordered)

    crew.reactions["players 2"] = dying
    crew.generator = lambda: Generator(kernel_drops=1)  # overloaded, too
    result = await _run(duration_s=600 if order is Begin else SHORT_S).execute()
    assert result.outcome is Outcome.FAILED
    assert result.remarks == ["The process of players 2 is gone (-9)."]
    assert result.totals.joins >= 1
    assert all(worker.is_closed for worker in crew.workers.values())


async def test_process_that_cannot_be_started_fails_the_run_and_the_others_end(crew: Crew) -> None:
    crew.limit = 2
    result = await _run().execute()
    assert result.outcome is Outcome.FAILED
    assert "Cannot allocate memory" in result.remarks[0]
    assert [worker.is_closed for worker in crew.workers.values()] == [True, True]


async def test_observer_that_fails_costs_the_verdict_and_not_the_report(crew: Crew) -> None:
    def observe(*_: object) -> None:
        raise ZeroDivisionError("a view")

    result = await _run(observers=[observe]).execute()
    assert result.outcome is Outcome.FAILED
    assert "ZeroDivisionError: a view" in result.remarks[0]
    assert result.totals.joins == 3


async def test_gateway_that_is_not_there_fails_the_run_before_it_begins(crew: Crew) -> None:
    result = await _run(gateway_metrics=f"{URL}/metrics").execute()
    assert result.outcome is Outcome.FAILED
    assert result.remarks[0].startswith(f"The metrics at {URL}/metrics cannot be read")
    assert crew.workers == {}


# Overloaded


async def test_generator_that_falls_behind_gives_no_verdict(crew: Crew) -> None:
    crew.generator = lambda: Generator(kernel_drops=1)
    result = await _run("viewers_peak >= 1").execute()
    assert (result.outcome, result.thresholds) == (Outcome.OVERLOADED, [])
    assert "lost 6 packets in its own sockets" in result.remarks[0]


async def test_overloaded_run_that_is_stopped_is_overloaded(crew: Crew) -> None:
    crew.generator = lambda: Generator(kernel_drops=1)
    assert (await _stopped_once(_have_begun(crew), _run(duration_s=600))).outcome is Outcome.OVERLOADED


async def test_players_that_fell_over_our_own_bug_are_remarked(crew: Crew) -> None:
    def buggy(worker: FakeWorker, order: Order) -> None:
        interval = Interval(at_s=1.0, seconds=1.0)
        interval.ended[INTERNAL_ERROR] += 1
        interval.join_failures[INTERNAL_ERROR] += 1
        sessions: list[SessionFigures] = []
        worker.tell(Beat(worker.beats, interval, sessions))
        worker.beats += 1
        if isinstance(order, End):
            worker.tell(Ended())

    crew.reactions["players 1"] = buggy
    result = await _run().execute()
    assert result.remarks == [
        "4 players ended by an error of the load generator itself, and nobody came in their place."
    ]
    assert (result.outcome, result.thresholds) == (Outcome.FAILED, []), "too many to judge the others"
