"""One line every few seconds, for where nobody can redraw: a log, a pipe, CI."""

from types import TracebackType
from typing import Self

from rich.console import Console

from loadgen import shares
from loadgen.figures import Interval
from loadgen.health import falls_behind
from loadgen.report import wording
from loadgen.report.steps import Step, step_of
from loadgen.result import Totals
from loadgen.scenario.schema import Scenario


class LinesView:
    """Each line is of all that happened since the line before."""

    def __init__(self, console: Console, scenario: Scenario, every_s: float = 5.0) -> None:
        self._console = console
        self._scenario = scenario
        self._every_s = every_s
        self._since: list[Interval] = []
        """Intervals of which no line has told."""
        self._elapsed_s = 0.0
        self._next_s = every_s

    def __enter__(self) -> Self:
        planned = sum(group.count for group in self._scenario.players)
        lasts = wording.long_time(self._scenario.duration_s)
        self._print(f"{self._scenario.name}: {wording.plural(planned, 'player')}, {lasts}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._since:
            self._print_line()

    def update(self, interval: Interval, totals: Totals, elapsed_s: float) -> None:
        """Take it in, and print a line when it is time for one."""
        self._since.append(interval)
        self._elapsed_s = elapsed_s
        if elapsed_s >= self._next_s:
            self._print_line()
            self._next_s = (elapsed_s // self._every_s + 1) * self._every_s

    def _print_line(self) -> None:
        step, last = step_of(self._since), self._since[-1]
        step.viewers, step.joining = last.viewers, last.joining  # a line is read as what is so now
        self._print(line(step, self._elapsed_s))
        self._since.clear()

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def line(step: Step, elapsed_s: float) -> str:
    """The time of the run, and what is known of the step; what was not measured is left out."""
    said = (
        _crowd(step),
        *(_percentiles(step, name, label) for name, label in _PERCENTILES.items()),
        _loss(step),
        _hls(step),
        _bets(step),
        f"moved {step.moved:,}" if step.moved else "",
        f"freezes {step.media.freezes:,}",
        _bitrate(step),
        _gateway(step),
        _generator(step),
    )
    return f"{wording.clock(elapsed_s):>7}  " + "  ".join(filter(None, said))


_PERCENTILES = {
    "join_s": "join",
    "first_frame_s": "first frame",
    "delay_s": "delay",
    "hls_first_frame_s": "HLS first frame",
    "hls_request_s": "request",
    "hls_lateness_s": "lateness",
    "hls_latency_s": "latency",
    "bet_rtt_s": "bet",
    "move_s": "move",
    "back_s": "back",
}


def _crowd(step: Step) -> str:
    words = f"viewers {step.viewers:,}"
    if step.joining:
        words += f" (+{step.joining:,} joining)"
    failures = wording.causes(step.join_failures)
    return f"{words}  failed {failures}" if failures else words


def _percentiles(step: Step, name: str, label: str) -> str:
    values = step.distributions[name]
    return f"{label} p95 {wording.duration(values.quantile(0.95))}" if values.count else ""


def _loss(step: Step) -> str:
    if not step.media.expected:
        return ""
    return (
        f"loss {wording.share(shares.loss(step.media))} ({wording.share(shares.residual_loss(step.media))} never came)"
    )


def _hls(step: Step) -> str:
    """What went wrong; nothing where all is well."""
    wrong = {"requests failed": step.hls.failures, "rules broken": step.hls.playlist_errors}
    return "  ".join(f"{name} {count:,}" for name, count in wrong.items() if count)


def _bets(step: Step) -> str:
    signals = step.signals
    if not signals.bets and not signals.rules_broken and not signals.bets_unanswered:
        return ""
    wrong = {"unanswered": signals.bets_unanswered, "rules broken": signals.rules_broken}
    said = ", ".join(f"{count:,} {name}" for name, count in wrong.items() if count)
    return f"bets {signals.bets:,}" + (f" ({said})" if said else "")


def _bitrate(step: Step) -> str:
    return wording.rate(shares.divided(step.media.bytes * 8, step.seconds))


def _gateway(step: Step) -> str:
    figures = []
    if step.gateway.cpu_share is not None:
        figures.append(wording.share(step.gateway.cpu_share))
    if step.gateway.rss_bytes is not None:
        figures.append(wording.size(step.gateway.rss_bytes))
    return " ".join(["gateway", *figures]) if figures else ""


def _generator(step: Step) -> str:
    generator = step.generator
    if not (generator.received_packets or generator.hls_requests or generator.websocket_messages):
        return ""
    cost = wording.work(generator)
    said = [] if cost == wording.NOT_MEASURED else [cost]
    return f"generator {', '.join([*said, falls_behind(generator) or 'keeps up'])}"
