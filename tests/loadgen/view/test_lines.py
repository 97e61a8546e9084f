from rich.console import Console

from loadgen.figures import Interval
from loadgen.report.steps import step_of
from loadgen.result import Totals
from loadgen.scenario.schema import Scenario
from loadgen.view.lines import LinesView, line
from tests.loadgen.results import MadeUpRun
from tests.loadgen.view.terminal import written


def _lines(log: Console, scenario: Scenario, seconds: int, every_s: float) -> list[str]:
    result = MadeUpRun(seconds=seconds).result()
    with LinesView(log, scenario, every_s) as view:
        for interval in result.intervals:
            view.update(interval, result.totals, interval.at_s)
    return written(log).splitlines()


def test_lines_come_once_an_interval_and_tell_the_rest_at_the_end(log: Console, scenario: Scenario) -> None:
    begin, *lines = _lines(log, scenario, 12, 5.0)
    assert begin == "storm: 400 players, 1 min"
    assert [line.split()[0] for line in lines] == ["0:05", "0:10", "0:12"]


def test_lines_keep_to_their_times_when_intervals_come_late(log: Console, scenario: Scenario) -> None:
    with LinesView(log, scenario, 5.0) as view:
        for at_s in (1.3, 2.3, 3.4, 4.4, 5.4, 6.4, 7.4, 8.4, 9.4, 10.4, 15.2):
            view.update(Interval(at_s=at_s, seconds=1.0), Totals(), at_s)
    assert [line.split()[0] for line in written(log).splitlines()[1:]] == ["0:05", "0:10", "0:15"]


def test_line_is_one_line_however_narrow_the_log(log: Console, scenario: Scenario) -> None:
    assert all(len(line) > 80 for line in _lines(log, scenario, 10, 5.0)[1:])


def test_line_is_of_all_since_the_one_before(log: Console, scenario: Scenario) -> None:
    lines = _lines(log, scenario, 60, 30.0)
    assert ["failed http_503 2" in line for line in lines[1:]] == [True, False]
    assert [line.split("  freezes ")[1].split()[0] for line in lines[1:]] == ["0", "120"]


def test_line_says_who_watches_now(log: Console, scenario: Scenario) -> None:
    first, second = _lines(log, scenario, 20, 10.0)[1:]
    assert "viewers 400  " in first  # all have come, nobody is still joining
    assert "viewers 400  " in second


def test_line_leaves_out_what_was_not_measured() -> None:
    said = line(step_of([Interval(at_s=1.0, seconds=1.0)]), 1.0)
    assert said.strip().split("  ") == ["0:01", "viewers 0", "freezes 0", "0 b/s"]


def test_line_has_gateway_and_generator() -> None:
    said = line(step_of(MadeUpRun(seconds=10).result().intervals), 10.0)
    assert "gateway " in said
    assert said.endswith("µs a packet, keeps up")


def test_line_tells_of_players_by_hls() -> None:
    said = line(step_of([MadeUpRun(hls_viewers=20).result().intervals[2]]), 3.0)
    for word in ("latency p95", "lateness p95", "request p95", "requests failed 20", "generator keeps up"):
        assert word in said
    assert "rules broken" not in said


def test_line_tells_of_bets() -> None:
    result = MadeUpRun(betting=10).result()
    said = line(step_of([result.intervals[0]]), 1.0)
    assert "bet p95" in said
    assert "bets 10  " in said
    assert "bets 10 (1 unanswered, 1 rules broken)" in line(step_of([result.intervals[2]]), 3.0)


def test_line_says_who_was_moved() -> None:
    interval = Interval(at_s=1.0, seconds=1.0)
    assert "moved" not in line(step_of([interval]), 1.0)
    interval.moved["table-1"] = 3
    interval.move_s.add(1.5)
    assert "move p95 1.5 s" in line(step_of([interval]), 1.0)
    assert "moved 3" in line(step_of([interval]), 1.0)
