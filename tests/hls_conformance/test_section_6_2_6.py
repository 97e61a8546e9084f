"""Section 6.2.6: preload hints."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hints, hold


def test_6_2_6_hinted_parts_are_answered(recording: Recording) -> None:
    hold(hints.hinted_parts_are_answered, recording.steady)


def test_6_2_6_hinted_parts_come_whole(recording: Recording) -> None:
    hold(hints.hinted_parts_come_whole, recording.steady)


def test_6_2_6_unknown_resources_are_not_found(recording: Recording) -> None:
    hold(hints.unknown_resources_are_not_found, recording.steady)


def test_6_2_6_dropped_hints_are_not_found(recording: Recording) -> None:
    hold(hints.dropped_hints_are_not_found, *recording.streams)


def test_6_2_6_one_hint_of_each_type(recording: Recording) -> None:
    hold(hints.one_hint_of_each_type, *recording.streams)
