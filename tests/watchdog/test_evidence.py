"""What a window says: gaps, shares, and what of them falls into the time that the round needed its picture."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.watchdog.evidence import evidence_of
from gateway.watchdog.judgement import cause_of, has_failed, is_suspect
from gateway.watchdog.sample import ProcessSample, Sample, StreamSample
from tests.watchdog.figures import process_at, process_window, stream_at, stream_window
from tests.watchdog.test_judgement import SETTINGS


def test_gap_is_the_longest_that_was_seen_even_when_it_is_over() -> None:
    stream = stream_window(stream_at(0.0), stream_at(1.5, picture_s=0.0), stream_at(1.6))
    evidence = evidence_of(process_window(), stream, 0.0)
    assert (evidence.picture_gap_s, evidence.without_picture_s) == (1.5, 1.5)
    assert evidence.media_silent_s == 0.0


def test_gap_that_began_before_the_round_counts_from_its_beginning() -> None:
    stream = stream_window(stream_at(60.0, picture_s=0.0), stream_at(60.5, picture_s=0.0))
    evidence = evidence_of(process_window(), stream, 60.1)
    assert evidence.picture_gap_s == 60.5
    assert evidence.without_picture_s == pytest.approx(0.4)
    assert evidence.needed_s == pytest.approx(0.4)


def test_gap_that_was_over_before_the_round_began_is_none_of_its_own() -> None:
    stream = stream_window(stream_at(10.0, picture_s=7.0), stream_at(10.1))
    evidence = evidence_of(process_window(), stream, 10.05)
    assert evidence.without_picture_s == 0.0


def test_what_came_during_a_stall_and_is_not_read_yet_is_no_gap() -> None:
    stalled = stream_at(5.0, read_until_s=2.1, picture_s=2.0, sound_s=2.08, media_s=2.08, studio_s=2.08)
    evidence = evidence_of(process_window(), stream_window(stream_at(2.0), stalled), 0.0)
    assert evidence.without_picture_s == pytest.approx(0.1)
    assert evidence.studio_silent_s == pytest.approx(0.02)


def test_stall_before_the_round_is_seen_but_not_its_own() -> None:
    process = process_window(process_at(8.0), process_at(10.0, loop_lag_s=1.9), process_at(10.1))
    evidence = evidence_of(process, stream_window(stream_at(10.1)), 9.99)
    assert evidence.loop_lag_max_s == 1.9
    assert evidence.stood_still_s == pytest.approx(0.01)


def test_late_datagrams_are_a_process_that_stood_still() -> None:
    process = process_window(process_at(0.0), process_at(5.0, queue_lateness_s=1.2))
    evidence = evidence_of(process, stream_window(stream_at(5.0)), 0.0)
    assert (evidence.queue_lateness_s, evidence.stood_still_s) == (1.2, 1.2)


def test_drops_just_before_the_round_are_seen() -> None:
    process = process_window(
        process_at(0.0, kernel_drops=5), process_at(9.5, kernel_drops=5), process_at(10.0, kernel_drops=500)
    )
    assert evidence_of(process, stream_window(stream_at(10.0)), 10.0).kernel_drops == 495


def test_packets_are_counted_over_the_window() -> None:
    before = stream_at(0.0, packets_expected=1000, packets_missed=10, packets_recovered=10, frames=100, frames_lost=3)
    after = stream_at(2.0, packets_expected=1400, packets_missed=110, packets_recovered=30, frames=140, frames_lost=13)
    evidence = evidence_of(process_window(), stream_window(before, after), 0.0)
    assert (evidence.packets_expected, evidence.packets_missing, evidence.packets_recovered) == (400, 100, 20)
    assert (evidence.frames, evidence.frames_lost) == (40, 10)
    assert (evidence.loss_share, evidence.frames_lost_share) == (0.2, 0.25)
    assert evidence.window_s == 2.0


def test_packets_that_only_reports_tell_of_are_lost() -> None:
    before, after = stream_at(0.0, packets_expected=100), stream_at(3.0, packets_expected=200, packets_unseen=300)
    evidence = evidence_of(process_window(), stream_window(before, after), 0.0)
    assert (evidence.packets_unseen, evidence.loss_share) == (300, 0.75)


def test_packets_that_came_after_all_and_were_missed_before_the_window_are_no_negative_loss() -> None:
    before = stream_at(0.0, packets_expected=100, packets_missed=50)
    after = stream_at(1.0, packets_expected=200, packets_missed=50, packets_recovered=50)
    assert evidence_of(process_window(), stream_window(before, after), 0.0).loss_share == 0.0


def test_counters_of_a_stream_that_came_anew_are_no_negative_counts() -> None:
    before, after = stream_at(0.0, frames=1000, packets_expected=5000), stream_at(1.0, frames=3, packets_expected=9)
    evidence = evidence_of(process_window(), stream_window(before, after), 0.0)
    assert (evidence.frames, evidence.packets_expected) == (0, 0)


def test_evidence_in_json_has_its_units_in_its_names() -> None:
    stream = stream_window(stream_at(0.0, sound_s=None), stream_at(1.0, sound_s=None, picture_s=0.25))
    told = evidence_of(process_window(), stream, 0.5).as_json()
    assert (told["pictureGapMs"], told["withoutPictureMs"], told["neededMs"], told["soundGapMs"]) == (
        750,
        500,
        500,
        None,
    )
    assert json.loads(json.dumps(told)) == told


COUNT = st.integers(0, 2**40)
TIME_S = st.none() | st.floats(0, 1e9)
SAMPLES = st.lists(
    st.builds(
        stream_at,
        st.floats(0, 1e9),
        read_until_s=st.floats(0, 1e9),
        **dict.fromkeys(("picture_s", "sound_s", "media_s", "studio_s"), TIME_S),
        **dict.fromkeys(("packets_expected", "packets_missed", "packets_recovered", "packets_unseen"), COUNT),
        **dict.fromkeys(("frames", "frames_lost", "frames_undecodable"), COUNT),
        sends_video=st.booleans(),
        is_connected=st.booleans(),
        ended_by=st.sampled_from((None, "idle", "operator", "peer_left", "internal_error")),
    ),
    min_size=1,
    max_size=8,
)
PROCESS_SAMPLES = st.lists(
    st.builds(
        process_at,
        st.floats(0, 1e9),
        loop_lag_s=st.floats(0, 1e6),
        queue_lateness_s=st.floats(0, 1e6),
        kernel_drops=COUNT,
    ),
    min_size=1,
    max_size=8,
)


def in_time(samples: list[Sample]) -> list[Sample]:
    """Sorted: the clock is monotonic."""
    return sorted(samples, key=lambda each: each.at_s)


@given(SAMPLES.map(in_time), PROCESS_SAMPLES.map(in_time), st.floats(0, 1e9))
def test_evidence_of_anything_is_judged_and_its_shares_are_shares(
    stream: list[StreamSample], process: list[ProcessSample], since_s: float
) -> None:
    evidence = evidence_of(process_window(*process), stream_window(*stream), since_s)
    cause_of(evidence, SETTINGS)
    is_suspect(process[-1], stream_window(*stream), SETTINGS)
    told = evidence.as_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    for share in (evidence.loss_share, evidence.frames_lost_share):
        assert 0.0 <= share <= 1.0
    for name, value in told.items():
        assert value is None or isinstance(value, str) or value >= 0, name


Step = tuple[float, float, float, float, int, int]
STEPS = st.lists(
    st.tuples(
        st.floats(0.1, 1.5),
        st.floats(0, 3.0),
        st.floats(0, 1.5),
        st.floats(0, 1.5),
        st.integers(0, 20),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=40,
)
"""(since the last sample, age of the picture, lag, lateness, frames more, lost frames more)."""


@given(STEPS)
def test_what_has_failed_was_suspect_within_the_window(
    steps: list[tuple[float, float, float, float, int, int]],
) -> None:
    process, stream = process_window(process_at(0.0)), stream_window(stream_at(0.0))
    at_s, suspected_s = 0.0, -1e9
    for step_s, age_s, lag_s, lateness_s, frames, lost in steps:
        at_s, before = at_s + step_s, stream.newest
        process.add(process_at(at_s, loop_lag_s=lag_s, queue_lateness_s=lateness_s))
        stream.add(
            stream_at(
                at_s,
                picture_s=at_s - age_s,
                frames=before.frames + frames,
                frames_lost=before.frames_lost + min(lost, frames),
            )
        )
        if is_suspect(process.newest, stream, SETTINGS):
            suspected_s = at_s
        if has_failed(evidence_of(process, stream, 0.0), SETTINGS):
            assert at_s - suspected_s <= SETTINGS.window_s
