"""Section 6.2.5: delivery directives."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import blocking, deltas, hold


def test_6_2_5_1_yes_gets_a_delta(recording: Recording) -> None:
    hold(deltas.yes_gets_a_delta, recording.steady)


def test_6_2_5_1_v2_gets_a_delta(recording: Recording) -> None:
    hold(deltas.v2_gets_a_delta, recording.steady)


def test_6_2_5_1_only_what_is_older_than_the_boundary_is_skipped(recording: Recording) -> None:
    hold(deltas.only_what_is_older_than_the_boundary_is_skipped, *recording.streams)


def test_6_2_5_1_the_rest_remains(recording: Recording) -> None:
    hold(deltas.the_rest_remains, *recording.streams)


def test_6_2_5_1_global_tags_remain(recording: Recording) -> None:
    hold(deltas.global_tags_remain, *recording.streams)


def test_6_2_5_1_init_section_remains(recording: Recording) -> None:
    hold(deltas.init_section_remains, *recording.streams)


def test_6_2_5_1_yes_keeps_date_ranges(recording: Recording) -> None:
    hold(deltas.yes_keeps_date_ranges, *recording.streams)


def test_6_2_5_1_v2_leaves_out_old_date_ranges(recording: Recording) -> None:
    hold(deltas.v2_leaves_out_old_date_ranges, *recording.streams)


def test_6_2_5_1_v2_keeps_new_date_ranges(recording: Recording) -> None:
    hold(deltas.v2_keeps_new_date_ranges, *recording.streams)


def test_6_2_5_1_v2_lists_removed_date_ranges(recording: Recording) -> None:
    hold(deltas.v2_lists_removed_date_ranges, *recording.streams)


def test_6_2_5_2_reload_is_offered(recording: Recording) -> None:
    hold(blocking.reload_is_offered, *recording.streams)


def test_6_2_5_2_msn_waits_for_the_whole_segment(recording: Recording) -> None:
    hold(blocking.msn_waits_for_the_whole_segment, recording.steady)


def test_6_2_5_2_part_waits_for_the_part(recording: Recording) -> None:
    hold(blocking.part_waits_for_the_part, *recording.streams)


def test_6_2_5_2_blocking_answers_as_soon_as_it_can(recording: Recording) -> None:
    hold(blocking.blocking_answers_as_soon_as_it_can, recording.steady)


def test_6_2_5_2_part_beyond_its_segment_is_the_next_segments_first(recording: Recording) -> None:
    hold(blocking.part_beyond_its_segment_is_the_next_segments_first, recording.steady)


def test_6_2_5_2_old_msn_gets_the_entire_playlist(recording: Recording) -> None:
    hold(blocking.old_msn_gets_the_entire_playlist, recording.steady)


def test_6_2_5_2_msn_too_far_is_refused(recording: Recording) -> None:
    hold(blocking.msn_too_far_is_refused, recording.steady)


def test_6_2_5_2_part_too_far_is_refused(recording: Recording) -> None:
    hold(blocking.part_too_far_is_refused, recording.steady)


def test_6_2_5_2_part_without_msn_is_refused(recording: Recording) -> None:
    hold(blocking.part_without_msn_is_refused, recording.steady)


def test_6_2_5_2_what_is_no_integer_is_refused(recording: Recording) -> None:
    hold(blocking.what_is_no_integer_is_refused, recording.steady)


def test_6_2_5_2_deadline_is_three_targets(recording: Recording) -> None:
    hold(blocking.deadline_is_three_targets, recording.leaves)


def test_6_2_5_2_directives_are_ignored_after_the_end(recording: Recording) -> None:
    hold(blocking.directives_are_ignored_after_the_end, recording.leaves)
