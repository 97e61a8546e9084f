"""The live picture on a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from loadgen.figures import Interval
from loadgen.result import Totals
from loadgen.scenario.schema import Scenario
from loadgen.view.picture import picture


class LiveView:
    """Redraws the picture with each interval; the last one stays on the screen."""

    def __init__(self, console: Console, scenario: Scenario) -> None:
        self._scenario = scenario
        self._live = Live(console=console, auto_refresh=False)  # no thread of its own: each interval draws

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, interval: Interval, totals: Totals, elapsed_s: float) -> None:
        """Draw it anew."""
        self._live.update(picture(self._scenario, interval, totals, elapsed_s), refresh=True)
