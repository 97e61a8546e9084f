"""Section 4.4.3: tags of a Media Playlist."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, media_playlist


def test_4_4_3_tags_are_there_once(recording: Recording) -> None:
    hold(media_playlist.tags_are_there_once, *recording.streams)


def test_4_4_3_1_target_duration_is_there(recording: Recording) -> None:
    hold(media_playlist.target_duration_is_there, *recording.streams)


def test_4_4_3_1_segments_are_not_longer_than_the_target(recording: Recording) -> None:
    hold(media_playlist.segments_are_not_longer_than_the_target, *recording.streams)


def test_4_4_3_2_media_sequence_stands_before_segments(recording: Recording) -> None:
    hold(media_playlist.media_sequence_stands_before_segments, *recording.streams)


def test_4_4_3_3_discontinuity_sequence_stands_before_segments(recording: Recording) -> None:
    hold(media_playlist.discontinuity_sequence_stands_before_segments, *recording.streams)


def test_4_4_3_7_part_inf_goes_with_parts(recording: Recording) -> None:
    hold(media_playlist.part_inf_goes_with_parts, *recording.streams)


def test_4_4_3_8_skip_boundary_is_six_targets(recording: Recording) -> None:
    hold(media_playlist.skip_boundary_is_six_targets, *recording.streams)


def test_4_4_3_8_skipping_dateranges_needs_a_skip_boundary(recording: Recording) -> None:
    hold(media_playlist.skipping_dateranges_needs_a_skip_boundary, *recording.streams)


def test_4_4_3_8_hold_back_is_three_targets(recording: Recording) -> None:
    hold(media_playlist.hold_back_is_three_targets, *recording.streams)


def test_4_4_3_8_part_hold_back_is_there(recording: Recording) -> None:
    hold(media_playlist.part_hold_back_is_there, *recording.streams)


def test_4_4_3_8_part_hold_back_is_two_part_targets(recording: Recording) -> None:
    hold(media_playlist.part_hold_back_is_two_part_targets, *recording.streams)


def test_4_4_3_8_part_hold_back_should_be_three_part_targets(recording: Recording) -> None:
    hold(media_playlist.part_hold_back_should_be_three_part_targets, *recording.streams)
