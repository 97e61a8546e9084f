from collections import Counter

import pytest

from loadgen.figures import MediaCounts, SessionFigures
from loadgen.report import groups
from loadgen.result import Group, Totals


def _seated() -> Group:
    group = Group()
    for longest_gap_s in (0.04, 0.115):
        media = MediaCounts(frames_complete=100, frames_incomplete=1, freezes=1, frozen_s=0.5, watched_s=10.0)
        group.add(
            SessionFigures(
                "table", "seated", 0.0, 10.0, "run_end", 0.02, 0.2, media, longest_gap_s=longest_gap_s, delay_p99_s=0.03
            )
        )
    return group


def _refused() -> Group:
    return Group(sessions=3, join_failures=Counter({"http_503": 2, "ice_timeout": 1}))


def _totals() -> Totals:
    return Totals(groups={"seated": _seated(), "late": _refused()})


def test_table_has_a_column_for_each_group() -> None:
    table = groups.table(_totals())
    assert table.heads == ["", "late", "seated"]
    rows = {name: cells for name, *cells in table.rows}
    assert rows["Sessions"] == ["3", "2"]
    assert rows["Joins failed"] == ["3", "0"]
    assert rows["Longest gap, max"] == ["—", "115 ms"]
    assert rows["Frames incomplete"] == ["0", "2"]
    assert rows["Frozen"] == ["—", "5 %"]
    none, delay = rows["Delay, p95"]
    assert none == "—"
    assert 29.7 <= float(delay.removesuffix(" ms")) <= 30.3, "of a sketch"


def test_figure_that_no_group_has_is_left_out() -> None:
    table = groups.table(Totals(groups={"a": _refused(), "b": _refused()}))
    names = [row[0] for row in table.rows]
    assert "Joins failed" in names
    assert not {"Join, p95", "Frozen", "Delay, p95"} & set(names)


@pytest.mark.parametrize("of_run", [{}, {"seated": _seated()}], ids=["none", "one"])
def test_nothing_to_compare_is_not_told(of_run: dict[str, Group]) -> None:
    assert groups.table(Totals(groups=of_run)).rows == []
    assert groups.lines(Totals(groups=of_run)) == []


def test_lines_say_what_went_wrong_in_each_group() -> None:
    assert groups.lines(_totals()) == [
        "late: 3 sessions, 3 of them failed to join, longest gap —, 0 frames dropped, 0 freezes",
        "seated: 2 sessions, longest gap 115 ms, 2 frames dropped, 2 freezes",
    ]
