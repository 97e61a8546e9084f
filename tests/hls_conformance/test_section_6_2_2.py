"""Section 6.2.2: live playlists."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, live


def test_6_2_2_media_sequence_counts_what_was_removed(recording: Recording) -> None:
    hold(live.media_sequence_counts_what_was_removed, recording.steady, recording.returns)


def test_6_2_2_parts_leave_after_three_targets(recording: Recording) -> None:
    hold(live.parts_leave_after_three_targets, *recording.streams)


def test_6_2_2_parts_leave_in_order(recording: Recording) -> None:
    hold(live.parts_leave_in_order, *recording.streams)


def test_6_2_2_parts_stay_available_for_three_targets(recording: Recording) -> None:
    hold(live.parts_stay_available_for_three_targets, recording.steady, recording.returns)


def test_6_2_2_three_targets_remain(recording: Recording) -> None:
    hold(live.three_targets_remain, *recording.streams)


def test_6_2_2_segments_stay_available(recording: Recording) -> None:
    hold(live.segments_stay_available, recording.steady, recording.returns)


def test_6_2_2_discontinuity_sequence_is_there(recording: Recording) -> None:
    hold(live.discontinuity_sequence_is_there, *recording.streams)


def test_6_2_2_discontinuity_sequence_counts_what_was_removed(recording: Recording) -> None:
    hold(live.discontinuity_sequence_counts_what_was_removed, *recording.streams)


def test_6_2_2_a_discontinuity_was_counted(recording: Recording) -> None:
    hold(live.a_discontinuity_was_counted, recording.returns)


def test_6_2_2_segments_say_when_they_expire(recording: Recording) -> None:
    hold(live.segments_say_when_they_expire, *recording.streams)


def test_6_2_2_live_playlists_have_no_type(recording: Recording) -> None:
    hold(live.live_playlists_have_no_type, *recording.streams)
