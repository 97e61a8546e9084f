import pytest

from loadgen.report import wording


@pytest.mark.parametrize(
    ("value_s", "words"),
    [
        (0.0, "0 ms"),
        (0.0382, "38.2 ms"),
        (0.00042, "0.42 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (4.312, "4.31 s"),
        (None, wording.NOT_MEASURED),
    ],
)
def test_duration_is_in_ms_below_a_second(value_s: float | None, words: str) -> None:
    assert wording.duration(value_s) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0 %"), (0.0012, "0.12 %"), (0.000001, "< 0.001 %"), (1.0, "100 %"), (0.9995, "100 %"), (None, "—")],
)
def test_share_is_per_cent(value: float | None, words: str) -> None:
    assert wording.share(value) == words


@pytest.mark.parametrize(("value_bytes", "words"), [(999, "999 B"), (131_000, "131 kB"), (1.4e9, "1.4 GB")])
def test_size_is_by_the_thousand(value_bytes: int, words: str) -> None:
    assert wording.size(value_bytes) == words


def test_rate_has_the_unit_that_fits() -> None:
    assert wording.rate(1_524_000) == "1.52 Mb/s"
    assert wording.rate(999_900) == "1 Mb/s"


def test_cpu_a_packet_is_in_microseconds() -> None:
    assert wording.cpu_a_packet(1.91e-6) == "1.91 µs"


def test_count_has_its_thousands_apart() -> None:
    assert wording.count(3_670_902) == "3,670,902"


@pytest.mark.parametrize(
    ("value_s", "words"),
    [(0.2, "0 s"), (42, "42 s"), (60, "1 min"), (75, "1 min 15 s"), (3600, "1 h"), (28_925, "8 h 2 min")],
)
def test_long_time_names_its_two_largest_units(value_s: float, words: str) -> None:
    assert wording.long_time(value_s) == words


@pytest.mark.parametrize(("value_s", "words"), [(9.6, "0:10"), (725, "12:05"), (3725, "1:02:05")])
def test_clock_shows_hours_once_there_are_any(value_s: float, words: str) -> None:
    assert wording.clock(value_s) == words


def test_causes_begin_with_the_most_frequent() -> None:
    assert wording.causes({"answer": 1, "none": 0, "http_503": 1200}) == "http_503 1,200, answer 1"


def test_plural_of_one_is_singular() -> None:
    assert [wording.plural(count, "threshold") for count in (1, 2)] == ["1 threshold", "2 thresholds"]
