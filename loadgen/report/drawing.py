"""A plot as SVG that stands in a page: its colours are the page's CSS variables, its text is text in the page's font.

Matplotlib knows neither, so it draws in stand-in colours, which are then replaced. What it writes besides the marks
(metadata, ids that would repeat on the page) is taken out.
"""

import io
import math
import re
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadgen.report.axes import apart, heights, marks, time_axis
from loadgen.report.plots import Colour, Line, Plot, Shape
from loadgen.report.steps import Step, is_gap
from loadgen.report.wording import Dimension, Scale, scale_of

POINTS = 600
"""Steps on a plot: more could not be told apart."""

SIZE_PX = (480, 240)
PX_AN_INCH = 72
"""Matplotlib's SVG is in points, 72 to the inch: one of them becomes a pixel of the page."""

FONT_PX = 12
LABEL_DISTANCE = 0.09
"""Of the plot's height, between labels of lines that end at the same value."""

LINE_PX = 1.6
DOT_PX = 3.6
BAR_WIDTH = 0.85
"""Of the step's time."""
MOST_BARS = 250
"""Beside one another: each is at least so wide that it can be seen."""

SOFT, GRID = "--soft", "--grid"
_STAND_INS = {
    name: f"#0{index:x}0{index:x}f{index:x}"
    for index, name in enumerate((SOFT, GRID, *(colour.value for colour in Colour)))
}
"""CSS variable -> a colour that nothing else has."""

Values = list[float | None]


def draw(plot: Plot, steps: Sequence[Step]) -> str | None:
    """The plot as an `<svg>`; None when nothing of it was measured."""
    rows = [[line.read(step) for step in steps] for line in plot.lines]
    measured = [value for row in rows for value in row if value is not None]
    if not measured:
        return None
    scale = scale_of(plot.dimension, max(measured))
    scaled = [[None if value is None else value * scale.factor for value in row] for row in rows]
    with matplotlib.rc_context({"svg.fonttype": "none", "font.size": FONT_PX}):
        return _in_page(_svg(_figure(plot, steps, scaled, scale)), plot)


def _figure(plot: Plot, steps: Sequence[Step], rows: list[Values], scale: Scale) -> Figure:
    width, height = (pixels / PX_AN_INCH for pixels in SIZE_PX)
    figure = Figure(figsize=(width, height), dpi=PX_AN_INCH)
    axes = figure.add_axes((0.105, 0.185, 0.74, 0.685))
    _scale_heights(axes, plot, [value for row in rows for value in row if value is not None])
    _scale_time(axes, steps)
    _plain(axes)
    axes.text(0, 1.06, f"{scale.unit}{plot.per}".strip(), transform=axes.transAxes, color=_STAND_INS[SOFT])
    for line, row in zip(plot.lines, rows, strict=True):
        (_bars if plot.shape is Shape.BARS else _line)(axes, steps, row, line)
    if plot.shape is Shape.BARS and not any(value for row in rows for value in row):
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color=_STAND_INS[SOFT])
    _labels(axes, plot, steps, rows)
    return figure


def _scale_heights(axes: Axes, plot: Plot, values: Sequence[float]) -> None:
    is_whole = plot.dimension is Dimension.COUNT and not plot.per
    ticks = heights(values, begins_at_zero=plot.begins_at_zero, is_whole=is_whole)
    axes.set_ylim(ticks[0], ticks[-1])
    axes.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])


def _scale_time(axes: Axes, steps: Sequence[Step]) -> None:
    time = time_axis(steps[-1].at_s)
    end = steps[-1].at_s / time.seconds_a_unit
    ticks = [tick for tick in marks(0, end) if tick <= end]
    axes.set_xlim(0, end)
    axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.set_xlabel(time.label, color=_STAND_INS[SOFT])


def _plain(axes: Axes) -> None:
    """Lines across at the marks, one line below, and nothing else."""
    axes.grid(axis="y", color=_STAND_INS[GRID], linewidth=1)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_STAND_INS[SOFT])
    axes.tick_params(left=False, bottom=False, labelcolor=_STAND_INS[SOFT])


def _line(axes: Axes, steps: Sequence[Step], row: Values, line: Line) -> None:
    colour = _STAND_INS[line.colour.value]
    times, values = _with_gaps(steps, row)
    axes.plot(times, values, color=colour, linewidth=LINE_PX, clip_on=False, solid_capstyle="round")
    for index in range(len(values)):
        if _is_alone(values, index):
            _dot(axes, times[index], values[index], colour)


def _dot(axes: Axes, time: float, value: float, colour: str) -> None:
    """A line without length but with round ends: markers would be references to an id."""
    axes.plot([time, time], [value, value], color=colour, linewidth=DOT_PX, clip_on=False, solid_capstyle="round")


def _with_gaps(steps: Sequence[Step], row: Values) -> tuple[list[float], list[float]]:
    """Times and values, with a value that is no number where the line is to break."""
    unit_s = time_axis(steps[-1].at_s).seconds_a_unit
    times: list[float] = []
    values: list[float] = []
    before_s = steps[0].at_s
    for step, value in zip(steps, row, strict=True):
        if is_gap(before_s, step):
            times.append(before_s / unit_s)
            values.append(math.nan)
        times.append(step.at_s / unit_s)
        values.append(math.nan if value is None else value)
        before_s = step.at_s
    return times, values


def _is_alone(values: list[float], index: int) -> bool:
    """A point between two gaps: no line would show it."""
    around = values[max(index - 1, 0) : index] + values[index + 1 : index + 2]
    return not math.isnan(values[index]) and all(map(math.isnan, around))


def _bars(axes: Axes, steps: Sequence[Step], row: Values, line: Line) -> None:
    """One bar a step as wide as the step, and at least so wide that it can be seen; none for 0."""
    unit_s = time_axis(steps[-1].at_s).seconds_a_unit
    least = steps[-1].at_s / unit_s / MOST_BARS
    shown = [(step, value) for step, value in zip(steps, row, strict=True) if value]
    if not shown:
        return
    axes.bar(
        [(step.at_s - step.seconds / 2) / unit_s for step, _ in shown],
        [value for _, value in shown],
        [max(step.seconds / unit_s * BAR_WIDTH, least) for step, _ in shown],
        color=_STAND_INS[line.colour.value],
        linewidth=0,
    )


def _labels(axes: Axes, plot: Plot, steps: Sequence[Step], rows: list[Values]) -> None:
    """The name of each line beside its end, in its colour; of bars, at the top."""
    low, high = axes.get_ylim()
    ends = [(line, *end) for line, row in zip(plot.lines, rows, strict=True) if (end := _end(steps, row))]
    wanted = [1.0 if plot.shape is Shape.BARS else (value - low) / (high - low) for _, _, value in ends]
    for (line, at_s, _), height in zip(ends, apart(wanted, LABEL_DISTANCE, 1.0), strict=True):
        right = 1.0 if plot.shape is Shape.BARS else at_s / steps[-1].at_s
        axes.text(
            right + 0.015,
            height,
            line.label,
            transform=axes.transAxes,
            va="center",
            color=_STAND_INS[line.colour.value],
        )


def _end(steps: Sequence[Step], row: Values) -> tuple[float, float] | None:
    """Time and value of the last point; None without any."""
    points = ((step.at_s, value) for step, value in zip(reversed(steps), reversed(row), strict=True))
    return next(((at_s, value) for at_s, value in points if value is not None), None)


def _svg(figure: Figure) -> str:
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Creator": None, "Date": None, "Format": None, "Type": None})
    return written.getvalue()


def _in_page(svg: str, plot: Plot) -> str:
    """The drawing alone, small, and coloured by the page."""
    body = svg[svg.index("<g id") : svg.rindex("</svg>")]
    for pattern, replacement in _LEFT_OUT:
        body = pattern.sub(replacement, body)
    body = _PLACES.sub(lambda places: _DECIMALS.sub(r"\1", places[0]), body)
    for name, stand_in in _STAND_INS.items():
        body = body.replace(stand_in, f"var({name})")
    width, height = SIZE_PX
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{plot.title}">{body}</svg>'


_LEFT_OUT = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?s)<defs>.*?</defs>", ""),
        (r' (id|clip-path)="[^"]*"', ""),
        (r"font-size: [^;]*; font-family: [^;]*; ", ""),
        (r' transform="rotate\(-?0[^"]*\)"', ""),
        (r"\s*\n\s*", " "),
        (r"> <", "><"),
    )
)
_PLACES = re.compile(r' (d|x|y|transform)="[^"]*"')
_DECIMALS = re.compile(r"(\.\d)\d+")
"""Beyond a tenth of a pixel."""
