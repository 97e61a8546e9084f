from rich.console import Console

from loadgen.scenario.schema import Scenario
from loadgen.view.lines import LinesView
from loadgen.view.live import LiveView
from loadgen.view.view import view_on


def test_terminal_gets_a_picture_and_a_log_lines(screen: Console, log: Console, scenario: Scenario) -> None:
    assert isinstance(view_on(screen, scenario, 5.0), LiveView)
    assert isinstance(view_on(log, scenario, 5.0), LinesView)
