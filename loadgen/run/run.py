"""A run: workers are started, told when to begin and when to end, and what they tell becomes a result."""

import asyncio
import functools
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loadgen.crowd.journey import INTERNAL_ERROR
from loadgen.errors import LoadgenError, TargetError
from loadgen.figures import Interval, SessionFigures
from loadgen.health import Health
from loadgen.report import wording
from loadgen.result import Outcome, RunResult, Totals
from loadgen.run.beats import Beats
from loadgen.run.history import History
from loadgen.run.machine import describe
from loadgen.scenario.schema import Scenario
from loadgen.target.comparison import compare
from loadgen.target.gateway_watch import GatewayWatch
from loadgen.verdict.thresholds import Threshold
from loadgen.verdict.verdict import judge
from loadgen.workers.messages import Beat, Begin, End, Ended, Failed, Ready, Report
from loadgen.workers.players import PlayersPlan, PlayersService
from loadgen.workers.processes import Worker
from loadgen.workers.studios import StudiosPlan, StudiosService
from loadgen.workers.target import Target

READY_WITHIN_S = 120.0
"""For clips to be encoded and studios to be live."""

GOODBYE_WITHIN_S = 40.0
"""For all sessions to be ended."""

MAX_OWN_ERRORS_SHARE = 0.01
"""Of the joins: what a bug of ours took away does not change the figures of the others by more."""

LEAD_S = 0.3
"""Between the order to begin and the beginning."""

Observer = Callable[[Interval, Totals, float], None]
"""Called with every interval, the sums so far, and the seconds since the beginning."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run needs besides its scenario."""

    target: Target
    cores: tuple[int, ...]
    """One process of players on each."""
    gateway_pid: int | None = None
    gateway_metrics: str | None = None


class Run:
    """One run. `stop` ends it early, from the event loop."""

    def __init__(
        self,
        scenario: Scenario,
        thresholds: Sequence[Threshold],
        options: RunOptions,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._scenario = scenario
        self._thresholds = thresholds
        self._options = options
        self._observers = observers
        self._history = History()
        self._health = Health()
        self._watch = GatewayWatch(pid=options.gateway_pid, metrics_url=options.gateway_metrics)
        self._reports: asyncio.Queue[tuple[Worker, Report] | None] = asyncio.Queue()
        """None is no report: something else has changed."""
        self._beats = Beats(len(options.cores) + bool(scenario.studios))
        self._ready: set[Worker] = set()
        self._ended: set[Worker] = set()
        self._is_stopped = False
        self._is_ending = False
        self._began_s = 0.0
        self._seconds = 0.0
        self._failure: str | None = None

    def stop(self) -> None:
        """Say goodbye now, and report what there is. Nothing, when the goodbyes are being said already."""
        if not self._is_ending:
            self._is_stopped = True
            self._reports.put_nowait(None)

    async def execute(self) -> RunResult:
        """The whole run. It never raises for what target or workers do: the result says so."""
        scenario = self._scenario
        result = RunResult(
            scenario_name=scenario.name,
            summary=scenario.summary,
            target=self._options.target.endpoints.base,
            started_unix_s=time.time(),
            seconds=0.0,
            settings=scenario.settings(),
            machine=describe(),
        )
        start = end = None
        try:
            async with self._watch:
                start = await self._watch.counters()
                await self._load()
                end = await self._watch.counters()
        except LoadgenError as error:
            self._failure = str(error)
        except Exception:  # A run of hours is worth its report, whatever is wrong with us.
            self._failure = f"The coordinator failed:\n{traceback.format_exc()}"
        history = self._history
        result.started_unix_s = self._began_s or result.started_unix_s
        result.seconds = self._seconds
        result.intervals, result.sessions, result.totals = history.all_intervals(), history.sessions, history.totals
        if self._options.gateway_metrics is not None:
            comparison = compare(start, end, history.totals)
            result.comparison, result.remarks = comparison.counts, comparison.remarks
        result.remarks += [*self._watch.remarks, *self._own_remarks()]
        self._conclude(result)
        return result

    @property
    def _own_errors(self) -> int:
        totals = self._history.totals
        return totals.ended[INTERNAL_ERROR] + totals.join_failures[INTERNAL_ERROR]

    def _own_remarks(self) -> list[str]:
        remarks = []
        if self._own_errors:
            players = wording.plural(self._own_errors, "player")
            remarks.append(f"{players} ended by an error of the load generator itself, and nobody came in their place.")
        if failed := self._history.totals.goodbye_failures:
            sessions = wording.plural(failed, "session")
            remarks.append(f"The server did not take the DELETE of {sessions}, and may keep what belongs to it.")
        return remarks

    def _conclude(self, result: RunResult) -> None:
        complaints = self._health.complaints()
        if self._failure is not None:
            result.outcome = Outcome.FAILED
            result.remarks.insert(0, self._failure)
            return
        attempts = result.totals.joins + result.totals.join_failures.total()
        if self._own_errors > MAX_OWN_ERRORS_SHARE * attempts:
            result.outcome = Outcome.FAILED
            return
        if complaints:
            result.outcome = Outcome.OVERLOADED
            result.remarks[:0] = complaints
            return
        result.thresholds = judge(self._thresholds, result)
        totals = result.totals
        if self._is_stopped:
            result.outcome = Outcome.INTERRUPTED
        elif not all(each.is_met for each in result.thresholds):
            result.outcome = Outcome.MISSED
        elif totals.join_failures and not totals.joins:
            result.outcome = Outcome.FAILED
            result.remarks.insert(0, f"Nobody could join: {wording.causes(totals.join_failures)}.")
        else:
            result.outcome = Outcome.PASSED

    # Workers

    async def _load(self) -> None:
        players: list[Worker] = []
        studios: list[Worker] = []
        try:
            studios += self._start_studios()
            players += self._start_players()
            await self._run([*players, *studios])
            self._is_ending = True
            # Players first: a studio that leaves would end their sessions for them.
            await self._end(players)
            await self._end(studios)
        finally:
            self._is_ending = True
            if self._began_s:
                self._seconds = max(time.time() - self._began_s, 0.0)
            for interval, ended in self._beats.rest():
                self._keep(interval, ended)
            await asyncio.gather(*(worker.close() for worker in [*players, *studios]))

    def _start_studios(self) -> list[Worker]:
        if not self._scenario.studios:
            return []
        make = functools.partial(StudiosService, StudiosPlan(self._scenario, self._options.target))
        return [Worker("studios", make, frozenset(self._options.cores), self._reports.put_nowait)]

    def _start_players(self) -> Iterator[Worker]:
        """Lazily: those that were started before one could not be are known to the caller."""
        cores = self._options.cores
        for number, core in enumerate(cores):
            plan = PlayersPlan(self._scenario, self._options.target, number, len(cores))
            make = functools.partial(PlayersService, plan)
            yield Worker(f"players {number + 1}", make, frozenset((core,)), self._reports.put_nowait)

    async def _run(self, workers: Sequence[Worker]) -> None:
        """From the preparations to the scenario's end, or an early one."""
        if not await self._listen(READY_WITHIN_S, lambda: self._is_stopped or self._ready.issuperset(workers)):
            raise _too_slow(set(workers) - self._ready, READY_WITHIN_S, "prepare itself")
        if self._is_stopped:
            return
        self._began_s = time.time() + LEAD_S
        for worker in workers:
            worker.send(Begin(self._began_s))
        ends_in_s = self._began_s + self._scenario.duration_s - time.time()
        await self._listen(ends_in_s, lambda: self._is_stopped)

    async def _end(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            worker.send(End("interrupted" if self._is_stopped else "run_end"))
        if not await self._listen(GOODBYE_WITHIN_S, lambda: self._ended.issuperset(workers)):
            raise _too_slow(set(workers) - self._ended, GOODBYE_WITHIN_S, "say goodbye")

    # Reports

    async def _listen(self, seconds: float, is_enough: Callable[[], bool]) -> bool:
        """Take in reports until it is enough; False when it is not after `seconds`. TargetError when a worker fails."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + seconds
        while not is_enough():
            try:
                async with asyncio.timeout_at(until_s):
                    told = await self._reports.get()
            except TimeoutError:
                return False
            if told is not None:
                await self._on_report(*told)
        return True

    async def _on_report(self, worker: Worker, report: Report) -> None:
        match report:
            case Ready():
                self._ready.add(worker)
            case Ended():
                self._ended.add(worker)
            case Failed():
                raise TargetError(report.sentence)
            case Beat():
                complete = self._beats.add(report)
                if complete is not None:
                    await self._on_interval(*complete)

    async def _on_interval(self, interval: Interval, ended: list[SessionFigures]) -> None:
        interval.gateway = await self._watch.sample()
        self._keep(interval, ended)
        for observe in self._observers:
            observe(interval, self._history.totals, time.time() - self._began_s)

    def _keep(self, interval: Interval, ended: list[SessionFigures]) -> None:
        self._health.on_interval(interval)
        self._history.add(interval, ended)


def _too_slow(workers: set[Worker], seconds: float, what: str) -> TargetError:
    names = ", ".join(sorted(worker.name for worker in workers))
    return TargetError(f"It took {names} more than {seconds:.0f} s to {what}.")
