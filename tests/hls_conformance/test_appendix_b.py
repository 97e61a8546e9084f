"""Section B.1: the Low-Latency Server Configuration Profile. Dates and independent frames are in 6.2.4 and 3;
what is of caches, TLS and TCP is not of the gateway."""

from __future__ import annotations

import pytest

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, profile, renditions


def test_b_1_next_part_is_hinted(recording: Recording) -> None:
    hold(profile.next_part_is_hinted, *recording.streams)


def test_b_1_next_init_section_is_hinted(recording: Recording) -> None:
    hold(profile.next_init_section_is_hinted, *recording.streams)


def test_b_1_every_other_rendition_is_reported(recording: Recording) -> None:
    hold(profile.every_other_rendition_is_reported, *recording.streams)


@pytest.mark.xfail(
    strict=True, reason="aiohttp speaks HTTP/1.1 only: HTTP/2 is the proxy's that stands in front in production."
)
def test_b_1_served_by_http_2(recording: Recording) -> None:
    hold(profile.served_by_http_2, *recording.streams)


def test_b_1_byte_ranges_come_with_range_requests(recording: Recording) -> None:
    hold(profile.byte_ranges_come_with_range_requests, *recording.streams)


def test_b_1_groups_of_pictures_last_one_to_two_seconds(recording: Recording) -> None:
    hold(profile.groups_of_pictures_last_one_to_two_seconds, recording.steady)


@pytest.mark.xfail(strict=True, reason="Two seconds: a player that is not of low latency holds back three of them.")
def test_b_1_target_duration_is_six_seconds(recording: Recording) -> None:
    hold(profile.target_duration_is_six_seconds, *recording.streams)


def test_b_1_requests_are_idempotent(recording: Recording) -> None:
    hold(profile.requests_are_idempotent, recording.steady)


def test_b_1_renditions_are_updated_in_sync(recording: Recording) -> None:
    hold(renditions.renditions_are_updated_in_sync, recording.steady)


def test_b_1_blocking_playlists_are_cached_six_targets(recording: Recording) -> None:
    hold(profile.blocking_playlists_are_cached_six_targets, *recording.streams)


def test_b_1_refused_blocking_playlists_are_cached_four_targets(recording: Recording) -> None:
    hold(profile.refused_blocking_playlists_are_cached_four_targets, recording.steady)


def test_b_1_other_playlists_are_cached_half_a_target(recording: Recording) -> None:
    hold(profile.other_playlists_are_cached_half_a_target, *recording.streams)


def test_b_1_other_refusals_are_cached_one_target(recording: Recording) -> None:
    hold(profile.other_refusals_are_cached_one_target, recording.steady)


def test_b_1_media_are_cached_six_targets(recording: Recording) -> None:
    hold(profile.media_are_cached_six_targets, recording.steady)


def test_b_1_refused_media_are_cached_one_target(recording: Recording) -> None:
    hold(profile.refused_media_are_cached_one_target, recording.steady)
