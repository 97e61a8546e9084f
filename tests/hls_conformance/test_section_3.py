"""Section 3: media segments."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, media


def test_3_segments_continue_the_timestamps(recording: Recording) -> None:
    hold(media.segments_continue_the_timestamps, *recording.streams)


def test_3_durations_are_those_of_the_samples(recording: Recording) -> None:
    hold(media.durations_are_those_of_the_samples, *recording.streams)


def test_3_video_segments_hold_an_idr(recording: Recording) -> None:
    hold(media.video_segments_hold_an_idr, *recording.streams)


def test_3_1_init_sections_hold_no_samples(recording: Recording) -> None:
    hold(media.init_sections_hold_no_samples, *recording.streams)


def test_3_1_2_init_sections_have_a_brand_from_iso6(recording: Recording) -> None:
    hold(media.init_sections_have_a_brand_from_iso6, *recording.streams)


def test_3_1_2_init_sections_have_durations_of_zero(recording: Recording) -> None:
    hold(media.init_sections_have_durations_of_zero, *recording.streams)


def test_3_1_2_init_sections_have_mvex_after_the_tracks(recording: Recording) -> None:
    hold(media.init_sections_have_mvex_after_the_tracks, *recording.streams)


def test_3_1_2_init_sections_refer_to_nothing_outside(recording: Recording) -> None:
    hold(media.init_sections_refer_to_nothing_outside, *recording.streams)


def test_3_1_2_fragments_have_a_decode_time(recording: Recording) -> None:
    hold(media.fragments_have_a_decode_time, *recording.streams)


def test_3_1_2_fragments_are_addressed_from_their_moof(recording: Recording) -> None:
    hold(media.fragments_are_addressed_from_their_moof, *recording.streams)


def test_3_1_2_fragments_belong_to_a_track_of_their_init_section(recording: Recording) -> None:
    hold(media.fragments_belong_to_a_track_of_their_init_section, *recording.streams)


def test_3_2_parts_hold_the_samples_of_their_segment(recording: Recording) -> None:
    hold(media.parts_hold_the_samples_of_their_segment, *recording.streams)


def test_3_2_part_indexes_begin_at_zero(recording: Recording) -> None:
    hold(media.part_indexes_begin_at_zero, *recording.streams)
