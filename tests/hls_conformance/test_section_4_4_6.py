"""Section 4.4.6: the multivariant playlist."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, multivariant


def test_4_4_6_1_default_renditions_are_autoselected(recording: Recording) -> None:
    hold(multivariant.default_renditions_are_autoselected, *recording.streams)


def test_4_4_6_1_audio_renditions_have_channels(recording: Recording) -> None:
    hold(multivariant.audio_renditions_have_channels, *recording.streams)


def test_4_4_6_1_1_groups_have_different_names_and_one_default(recording: Recording) -> None:
    hold(multivariant.groups_have_different_names_and_one_default, *recording.streams)


def test_4_4_6_2_every_variant_has_a_uri(recording: Recording) -> None:
    hold(multivariant.every_variant_has_a_uri, *recording.streams)


def test_4_4_6_2_variants_name_their_codecs(recording: Recording) -> None:
    hold(multivariant.variants_name_their_codecs, *recording.streams)


def test_4_4_6_2_variants_name_resolution_and_frame_rate(recording: Recording) -> None:
    hold(multivariant.variants_name_resolution_and_frame_rate, *recording.streams)


def test_4_4_6_2_audio_groups_exist(recording: Recording) -> None:
    hold(multivariant.audio_groups_exist, *recording.streams)


def test_4_4_6_2_1_bandwidth_covers_the_renditions(recording: Recording) -> None:
    hold(multivariant.bandwidth_covers_the_renditions, *recording.streams)
