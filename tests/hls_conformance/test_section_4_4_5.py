"""Section 4.4.5: date ranges, deltas, hints, reports."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, metadata


def test_4_4_5_1_date_ranges_are_seen(recording: Recording) -> None:
    hold(metadata.date_ranges_are_seen, recording.steady)


def test_4_4_5_1_date_ranges_have_a_start(recording: Recording) -> None:
    hold(metadata.date_ranges_have_a_start, *recording.streams)


def test_4_4_5_1_date_ranges_do_not_end_before_they_start(recording: Recording) -> None:
    hold(metadata.date_ranges_do_not_end_before_they_start, *recording.streams)


def test_4_4_5_1_date_ranges_repeat_attributes_unchanged(recording: Recording) -> None:
    hold(metadata.date_ranges_repeat_attributes_unchanged, *recording.streams)


def test_4_4_5_1_date_ranges_use_end_on_next_rightly(recording: Recording) -> None:
    hold(metadata.date_ranges_use_end_on_next_rightly, *recording.streams)


def test_4_4_5_1_date_ranges_come_with_a_date(recording: Recording) -> None:
    hold(metadata.date_ranges_come_with_a_date, *recording.streams)


def test_4_4_5_1_date_range_dates_have_zone_and_milliseconds(recording: Recording) -> None:
    hold(metadata.date_range_dates_have_zone_and_milliseconds, *recording.streams)


def test_4_4_5_2_skip_is_there_once(recording: Recording) -> None:
    hold(metadata.skip_is_there_once, *recording.streams)


def test_4_4_5_2_skip_lists_removed_date_ranges_in_v2(recording: Recording) -> None:
    hold(metadata.skip_lists_removed_date_ranges_in_v2, *recording.streams)


def test_4_4_5_3_hints_name_the_part_that_comes(recording: Recording) -> None:
    hold(metadata.hints_name_the_part_that_comes, recording.steady)


def test_4_4_5_3_hints_have_a_known_type(recording: Recording) -> None:
    hold(metadata.hints_have_a_known_type, *recording.streams)


def test_4_4_5_3_hints_end_with_the_stream(recording: Recording) -> None:
    hold(metadata.hints_end_with_the_stream, recording.leaves)


def test_4_4_5_4_reports_have_relative_uris(recording: Recording) -> None:
    hold(metadata.reports_have_relative_uris, *recording.streams)


def test_4_4_5_4_reports_say_last_msn_and_part(recording: Recording) -> None:
    hold(metadata.reports_say_last_msn_and_part, *recording.streams)


def test_4_4_5_4_reports_are_up_to_date(recording: Recording) -> None:
    hold(metadata.reports_are_up_to_date, *recording.streams)
