from rich.console import Console

from loadgen.scenario.schema import Scenario
from loadgen.view.live import LiveView
from tests.loadgen.results import MadeUpRun
from tests.loadgen.view.terminal import written


def test_live_view_draws_each_interval_over_the_last_and_leaves_it(screen: Console, scenario: Scenario) -> None:
    result = MadeUpRun().result()
    with LiveView(screen, scenario) as view:
        for interval in result.intervals[:3]:
            view.update(interval, result.totals, interval.at_s)
    shown = written(screen)
    assert [f"0:0{second} of 1:00" in shown for second in (1, 2, 3)] == [True] * 3
    assert "\x1b[1A" in shown  # up again
    assert shown.rstrip("\x1b[?25h\n").endswith("╯")


def test_live_view_gives_the_cursor_back_after_an_error(screen: Console, scenario: Scenario) -> None:
    try:
        with LiveView(screen, scenario):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert written(screen).endswith("\x1b[?25h")
