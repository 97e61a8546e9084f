import pytest
from rich.console import Console

from loadgen.figures import Generator, HlsCounts, Interval
from loadgen.result import RunResult, Totals
from loadgen.scenario.schema import Scenario
from loadgen.view.picture import picture
from tests.loadgen.results import MadeUpRun
from tests.loadgen.view.conftest import SCREEN
from tests.loadgen.view.terminal import written


@pytest.fixture(scope="module")
def result() -> RunResult:
    return MadeUpRun().result()


def _shown(screen: Console, scenario: Scenario, interval: Interval, totals: Totals) -> list[str]:
    screen.print(picture(scenario, interval, totals, interval.at_s))
    return written(screen).splitlines()


def _row(lines: list[str], name: str) -> str:
    return next(" ".join(line.strip("│ ").split()) for line in lines if line.strip("│ ").startswith(name))


def test_picture_fits_a_small_terminal(screen: Console, scenario: Scenario, result: RunResult) -> None:
    lines = _shown(screen, scenario, result.intervals[41], result.totals)
    width, height = SCREEN
    assert len(lines) < height  # Live needs the last line itself
    assert max(map(len, lines)) == width


def test_picture_shows_now_and_the_run(screen: Console, scenario: Scenario, result: RunResult) -> None:
    lines = _shown(screen, scenario, result.intervals[41], result.totals)
    assert "0:42 of 1:00" in lines[1]
    assert _row(lines, "400 of 400 watch").endswith("0 joining")
    assert _row(lines, "400 joined") == "400 joined, failed: http_503 2"
    assert _row(lines, "Join ").split()[:3] == ["Join", "—", "—"]  # nobody joins by now
    assert _row(lines, "Freezes").startswith("Freezes 40, 4 % of the time 120, ")
    assert _row(lines, "Generator").endswith("keeps up")


def test_picture_of_a_gateway_that_is_not_measured_says_so(screen: Console, scenario: Scenario) -> None:
    result = MadeUpRun(has_gateway=False).result()
    assert _row(_shown(screen, scenario, result.intervals[5], result.totals), "Gateway") == "Gateway not measured"


def test_picture_warns_of_a_generator_that_falls_behind(screen: Console, scenario: Scenario, result: RunResult) -> None:
    interval = Interval(at_s=3.0, seconds=1.0, generator=Generator(busiest_share=0.99))
    assert "falls behind" in _row(_shown(screen, scenario, interval, result.totals), "Generator")


def test_picture_before_anything_happened_has_no_zeros_for_unknowns(screen: Console, scenario: Scenario) -> None:
    lines = _shown(screen, scenario, Interval(at_s=1.0, seconds=1.0), Totals())
    assert _row(lines, "Loss") == "Loss —, — never came —, — never came"
    assert _row(lines, "First frame") == "First frame — — — — — —"


def test_picture_takes_foreign_text_as_text(screen: Console, scenario: Scenario) -> None:
    totals = Totals()
    totals.join_failures["[red]http_503[/nothing]"] = 1
    lines = _shown(screen, scenario, Interval(at_s=1.0, seconds=1.0), totals)
    assert _row(lines, "0 joined") == "0 joined, failed: [red]http_503[/nothing] 1"


def test_picture_with_players_by_hls_still_fits(screen: Console, scenario: Scenario) -> None:
    result = MadeUpRun(hls_viewers=20).result()
    lines = _shown(screen, scenario, result.intervals[41], result.totals)
    assert len(lines) < SCREEN[1]
    assert _row(lines, "HLS live latency").split()[3:]
    assert _row(lines, "Join ").split()[1:]


def test_picture_of_players_by_hls_alone_has_no_rows_of_others(screen: Console, scenario: Scenario) -> None:
    totals = Totals(hls={"table": HlsCounts(requests=10)})
    totals.distributions["hls_latency_s"].add(0.8)
    interval = Interval(at_s=3.0, seconds=1.0, generator=Generator(cpu_s=0.003, hls_requests=10))
    lines = _shown(screen, scenario, interval, totals)
    assert not any("Round trip" in line for line in lines)
    assert "300 µs a request" in _row(lines, "Generator")


@pytest.mark.parametrize("hls_viewers", [0, 20])
def test_picture_with_bets_fits_a_small_terminal(screen: Console, scenario: Scenario, hls_viewers: int) -> None:
    result = MadeUpRun(betting=10, hls_viewers=hls_viewers).result()
    lines = _shown(screen, scenario, result.intervals[2], result.totals)
    assert len(lines) < SCREEN[1]
    assert _row(lines, "Bets").startswith("Bets 10, 1 unanswered, 1 broken 600, ")
    assert any("Bet, round trip" in line for line in lines)


def test_picture_says_who_was_moved_and_is_not_back(screen: Console, scenario: Scenario) -> None:
    totals = Totals(joins=9)
    totals.moved["table-1"] = 3
    totals.distributions["move_s"].add(1.5)
    lines = _shown(screen, scenario, Interval(at_s=1.0, seconds=1.0), totals)
    assert _row(lines, "9 joined") == "9 joined, none failed; 3 moved, 1.5 s away at most, 2 not back"
