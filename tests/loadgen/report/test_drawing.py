import re
from xml.etree import ElementTree

import pytest

from loadgen.report.drawing import DOT_PX, POINTS, draw
from loadgen.report.plots import PLOTS, Colour, Line, Plot, Shape
from loadgen.report.steps import Step, steps
from loadgen.report.wording import Dimension
from tests.loadgen.results import MadeUpRun

MAX_PLOT_BYTES = 60_000


def _plot(dimension: Dimension = Dimension.DURATION) -> Plot:
    return Plot("Made up", "A plot.", dimension, (Line("value", Colour.FIRST, lambda step: step.gateway.cpu_share),))


def _steps(*values: float | None) -> list[Step]:
    made = [Step(at_s=index + 1.0, seconds=1.0) for index in range(len(values))]
    for step, value in zip(made, values, strict=True):
        step.gateway.cpu_share = value
    return made


def _drawn(*values: float | None, dimension: Dimension = Dimension.DURATION) -> str:
    svg = draw(_plot(dimension), _steps(*values))
    assert svg is not None
    return svg


def _line(svg: str) -> str:
    """Where the line of the plot goes."""
    found = re.search(r'<path d="([^"]*)" style="fill: none; stroke: var\(--first\)', svg)
    assert found
    return found[1]


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.title)
def test_every_plot_is_drawn_small_and_well_formed(plot: Plot) -> None:
    run = MadeUpRun(seconds=900, viewers=40, hls_viewers=5 * plot.is_of_hls, betting=5 * plot.is_of_signals)
    svg = draw(plot, steps(run.result().intervals, POINTS))
    assert svg is not None
    assert len(svg) < MAX_PLOT_BYTES
    ElementTree.fromstring(svg)
    assert all(f">{line.label}</text>" in svg for line in plot.lines)


def test_drawing_has_only_the_pages_colours_and_fonts_and_no_ids() -> None:
    svg = _drawn(0.1, 0.2)
    assert "font-family" not in svg
    assert not re.search(r"#[0-9a-f]{3,6}|\bid=|url\(|<defs|<metadata", svg)
    assert "var(--first)" in svg


def test_plot_of_what_was_not_measured_is_left_out() -> None:
    assert draw(_plot(), _steps(None, None)) is None
    assert draw(_plot(), []) is None


def test_missing_value_breaks_the_line() -> None:
    assert _line(_drawn(0.1, 0.2, 0.3, 0.4)).count("M") == 1
    assert _line(_drawn(0.1, 0.2, None, 0.3, 0.4)).count("M") == 2


def test_missing_time_breaks_the_line() -> None:
    with_hole = [step for step in _steps(*[0.1] * 10) if not 4 <= step.at_s <= 6]
    svg = draw(_plot(), with_hole)
    assert svg is not None
    assert _line(svg).count("M") == 2


def test_bars_of_nothing_say_so() -> None:
    line = Line("freezes", Colour.ALARM, lambda step: step.gateway.cpu_share)
    bars = Plot("Made up", "A plot.", Dimension.COUNT, (line,), Shape.BARS, " a second")
    assert ">none</text>" in (draw(bars, _steps(0.0, 0.0)) or "")
    assert ">none</text>" not in (draw(bars, _steps(0.0, 1.0)) or "")


def test_value_between_two_gaps_is_a_dot() -> None:
    svg = _drawn(0.1, 0.2, None, 0.3, None, 0.1, 0.2)
    dots = re.findall(rf'<path d="M (\S+ \S+) L \1 " style="[^"]*var\(--first\); stroke-width: {DOT_PX}', svg)
    assert len(dots) == 1


@pytest.mark.parametrize(
    ("value", "dimension", "unit"),
    [
        (0.2, Dimension.DURATION, "ms"),
        (2.0, Dimension.DURATION, "s"),
        (0.2, Dimension.SHARE, "%"),
        (2e8, Dimension.BYTES, "MB"),
        (2e6, Dimension.RATE, "Mb/s"),
        (2e-6, Dimension.CPU_A_PACKET, "µs"),
    ],
)
def test_axis_has_the_unit_that_fits(value: float, dimension: Dimension, unit: str) -> None:
    assert f">{unit}</text>" in _drawn(value, value / 2, dimension=dimension)


def test_small_figures_on_an_axis_are_whole() -> None:
    svg = _drawn(0.0004, 0.0002, dimension=Dimension.SHARE)
    assert ">0.01</text>" in svg
    assert svg.count(">0.0</text>") == 0
