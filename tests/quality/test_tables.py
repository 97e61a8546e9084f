"""The samples of a scrape, asked by name and label."""

from gateway.quality.tables import Tables

SAMPLES = [
    ("railbird_frames_dropped_total", ("table", "ingest", "lost"), 3.0),
    ("railbird_frames_dropped_total", ("table", "egress", "overload"), 4.0),
    ("railbird_frames_dropped_total", ("other", "ingest", "lost"), 5.0),
    ("railbird_bets_upstream_waiting", (), 7),
    ("railbird_player_frozen_seconds_total", ("table", "hls"), 1.5),
]


def test_sums_are_of_all_streams_or_of_one() -> None:
    tables = Tables(SAMPLES)
    assert tables.value("railbird_frames_dropped_total") == 12
    assert tables.value("railbird_frames_dropped_total", stream="other") == 5
    assert tables.value("railbird_bets_upstream_waiting") == 7
    assert tables.by_label("railbird_frames_dropped_total", "leg") == {"ingest": 8, "egress": 4}
    assert tables.by_label("railbird_frames_dropped_total", "leg", stream="other") == {"ingest": 5}


def test_nested_is_by_two_labels() -> None:
    nested = Tables(SAMPLES).nested("railbird_frames_dropped_total", "leg", "reason", stream="table")
    assert nested == {"ingest": {"lost": 3}, "egress": {"overload": 4}}


def test_what_nobody_told_is_nothing() -> None:
    tables = Tables([])
    assert tables.value("railbird_bets_upstream_waiting") == 0
    assert tables.by_label("railbird_bets_total", "state", stream="table") == {}


def test_counts_are_whole_numbers_and_seconds_are_not() -> None:
    tables = Tables(SAMPLES)
    assert isinstance(tables.value("railbird_frames_dropped_total"), int)
    assert tables.value("railbird_player_frozen_seconds_total") == 1.5
