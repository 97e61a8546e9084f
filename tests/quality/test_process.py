"""What the process itself does."""

from gateway.quality.process import COLUMNS, Process


def test_lag_is_the_worst_of_the_last_point_and_since() -> None:
    process = Process(0.0)
    for seconds in (0.01, 0.3, 0.02):
        process.note_lag(seconds)
    assert process.report(1.0)["loop_lag_max_s"] == 0.3
    assert process.point(5.0, 0, 0)["loop_lag_max_ms"] == 300
    process.note_lag(0.1)
    assert process.report(6.0)["loop_lag_max_s"] == 0.3
    process.point(10.0, 0, 0)
    assert process.report(11.0)["loop_lag_max_s"] == 0.1


def test_point_has_its_columns_and_the_kernels_drops_a_second() -> None:
    process = Process(0.0)
    assert process.point(5.0, 50, 7).keys() == set(COLUMNS)
    point = process.point(10.0, 60, 7)
    assert (point["kernel_drops_per_s"], point["sessions"]) == (2.0, 7)


def test_report_says_how_long_it_runs_and_what_it_takes() -> None:
    process = Process(100.0)
    sum(range(1_000_000))
    process.point(101.0, 0, 0)
    report = process.report(160.0)
    assert report["uptime_s"] == 60
    assert report["cpu_share"] > 0
    assert report["resident_bytes"] > 1_000_000
