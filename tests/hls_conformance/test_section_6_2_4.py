"""Section 6.2.4: variants and renditions."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, renditions


def test_6_2_4_codecs_name_every_format(recording: Recording) -> None:
    hold(renditions.codecs_name_every_format, *recording.streams)


def test_6_2_4_target_durations_agree(recording: Recording) -> None:
    hold(renditions.target_durations_agree, *recording.streams)


def test_6_2_4_server_controls_agree(recording: Recording) -> None:
    hold(renditions.server_controls_agree, *recording.streams)


def test_6_2_4_timestamps_match(recording: Recording) -> None:
    hold(renditions.timestamps_match, recording.steady, recording.returns)


def test_6_2_4_dates_follow_the_media(recording: Recording) -> None:
    hold(renditions.dates_follow_the_media, recording.steady, recording.returns)


def test_6_2_4_discontinuity_sequences_match(recording: Recording) -> None:
    hold(renditions.discontinuity_sequences_match, *recording.streams)


def test_6_2_4_renditions_hold_the_same_content(recording: Recording) -> None:
    hold(renditions.renditions_hold_the_same_content, *recording.streams)


def test_6_2_4_dates_are_in_all_playlists(recording: Recording) -> None:
    hold(renditions.dates_are_in_all_playlists, *recording.streams)


def test_6_2_4_date_ranges_agree(recording: Recording) -> None:
    hold(renditions.date_ranges_agree, *recording.streams)
