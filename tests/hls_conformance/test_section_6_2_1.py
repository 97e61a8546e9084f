"""Section 6.2.1: what a server may change in a playlist, and when it has to."""

from __future__ import annotations

import pytest

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, text, timing, updates


def test_6_2_1_the_recording_has_updates(recording: Recording) -> None:
    hold(updates.updates_have_something_new, *recording.streams)


def test_6_2_1_listed_media_are_available(recording: Recording) -> None:
    hold(updates.listed_media_are_available, *recording.streams)


def test_6_2_1_playlists_are_compressed(recording: Recording) -> None:
    hold(updates.playlists_are_compressed, *recording.streams)


def test_6_2_1_version_is_not_too_great(recording: Recording) -> None:
    hold(text.version_is_not_too_great, *recording.streams)


def test_6_2_1_target_duration_does_not_change(recording: Recording) -> None:
    hold(updates.target_duration_does_not_change, *recording.streams)


def test_6_2_1_other_playlist_tags_do_not_change(recording: Recording) -> None:
    hold(updates.other_playlist_tags_do_not_change, *recording.streams)


def test_6_2_1_segments_do_not_change(recording: Recording) -> None:
    hold(updates.segments_do_not_change, *recording.streams)


def test_6_2_1_parts_do_not_change(recording: Recording) -> None:
    hold(updates.parts_do_not_change, *recording.streams)


def test_6_2_1_open_segments_keep_their_tags(recording: Recording) -> None:
    hold(updates.open_segments_keep_their_tags, *recording.streams)


def test_6_2_1_playlists_do_not_go_back(recording: Recording) -> None:
    hold(updates.playlists_do_not_go_back, *recording.streams)


def test_6_2_1_dates_are_not_ambiguous(recording: Recording) -> None:
    hold(updates.dates_are_not_ambiguous, *recording.streams)


def test_6_2_1_discontinuities_have_a_date(recording: Recording) -> None:
    hold(updates.discontinuities_have_a_date, recording.returns)


def test_6_2_1_date_ranges_stay_while_they_apply(recording: Recording) -> None:
    hold(updates.date_ranges_stay_while_they_apply, *recording.streams)


def test_6_2_1_date_range_ids_are_not_used_again(recording: Recording) -> None:
    hold(updates.date_range_ids_are_not_used_again, *recording.streams)


def test_6_2_1_planned_date_ranges_are_ended(recording: Recording) -> None:
    hold(updates.planned_date_ranges_are_ended, *recording.streams)


def test_6_2_1_new_segments_come_in_time(recording: Recording) -> None:
    hold(timing.new_segments_come_in_time, recording.steady, recording.returns)


def test_6_2_1_new_parts_come_in_time(recording: Recording) -> None:
    hold(timing.new_parts_come_in_time, recording.steady)


def test_6_2_1_a_stream_that_is_over_has_endlist(recording: Recording) -> None:
    hold(timing.the_end_is_told, recording.leaves)


def test_4_4_3_4_the_end_is_final(recording: Recording) -> None:
    hold(timing.the_end_is_final, recording.leaves)


def test_6_2_1_what_is_gone_is_not_found(recording: Recording) -> None:
    hold(timing.what_is_gone_is_not_found, recording.leaves)


def test_6_2_1_media_stay_after_the_end(recording: Recording) -> None:
    hold(timing.media_stay_after_the_end, recording.leaves)


@pytest.mark.xfail(
    strict=True,
    reason="Silence becomes a break when the publisher returns; until then players wait, and 503 tells them.",
)
def test_6_2_1_absent_media_are_gaps(recording: Recording) -> None:
    hold(timing.absent_media_are_gaps, recording.leaves)
