"""What every view of a running load can do, and which one suits the terminal."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from loadgen.figures import Interval
from loadgen.result import Totals
from loadgen.scenario.schema import Scenario
from loadgen.view.lines import LinesView
from loadgen.view.live import LiveView


class View(Protocol):
    """Shows a run while it lasts; what is shown last stays."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, interval: Interval, totals: Totals, elapsed_s: float) -> None:
        """One more interval is over; `totals` has it in it."""


def view_on(console: Console, scenario: Scenario, every_s: float) -> View:
    """A live picture on a terminal; elsewhere, as in a log of CI, a line every `every_s` seconds."""
    return LiveView(console, scenario) if console.is_terminal else LinesView(console, scenario, every_s)
