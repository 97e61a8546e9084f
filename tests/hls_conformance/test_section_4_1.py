"""Sections 4 to 4.4.2 and 8: the text of playlists, tags and versions."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, media, text


def test_4_playlists_are_identified(recording: Recording) -> None:
    hold(text.playlists_are_identified, *recording.streams)


def test_4_1_text_is_legal(recording: Recording) -> None:
    hold(text.text_is_legal, *recording.streams)


def test_4_1_kinds_are_not_mixed(recording: Recording) -> None:
    hold(text.kinds_are_not_mixed, *recording.streams)


def test_4_2_attribute_lists_are_legal(recording: Recording) -> None:
    hold(text.attribute_lists_are_legal, *recording.streams)


def test_4_4_tags_are_known(recording: Recording) -> None:
    hold(text.tags_are_known, *recording.streams)


def test_4_4_1_1_extm3u_is_first(recording: Recording) -> None:
    hold(text.extm3u_is_first, *recording.streams)


def test_4_4_1_2_version_is_there_once(recording: Recording) -> None:
    hold(text.version_is_there_once, *recording.streams)


def test_4_4_2_common_tags_are_there_once(recording: Recording) -> None:
    hold(text.common_tags_are_there_once, *recording.streams)


def test_4_4_2_1_independent_segments_is_said_in_one_place(recording: Recording) -> None:
    hold(text.independent_segments_is_said_in_one_place, *recording.streams)


def test_4_4_2_1_segments_begin_with_an_independent_frame(recording: Recording) -> None:
    hold(media.segments_begin_with_an_independent_frame, *recording.streams)


def test_8_version_suffices(recording: Recording) -> None:
    hold(text.version_suffices, *recording.streams)
