"""When the picture has failed, and which of the causes it is: first by case, then which cause goes before which."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.config import AbortSettings
from gateway.rounds.causes import AbortCause
from gateway.watchdog.judgement import MIN_FRAMES, RULES, cause_of, has_failed
from tests.watchdog.figures import WELL

SETTINGS = AbortSettings()
GAP: dict[str, Any] = {"without_picture_s": 2.0, "picture_gap_s": 2.0}
STOPPED = GAP | {"sound_gap_s": 2.0, "media_gap_s": 2.0, "media_silent_s": 2.0, "studio_silent_s": 2.0}
LOST = {"frames_lost_share": 0.1, "frames_lost": 9, "loss_share": 0.02}
GONE = STOPPED | {"studio_connected": False}

CASES: dict[str, tuple[dict[str, Any], AbortCause | None]] = {
    "nothing": ({}, None),
    "gap_just_below": (STOPPED | {"without_picture_s": 1.99}, None),
    "gap_before_the_round_began": ({"picture_gap_s": 60.0, "without_picture_s": 1.0}, None),
    "stall": ({"stood_still_s": 1.0, "loop_lag_max_s": 1.0}, AbortCause.GATEWAY_OVERLOAD),
    "stall_just_below": ({"stood_still_s": 0.99, "loop_lag_max_s": 0.99}, None),
    "stall_before_the_round_began": ({"stood_still_s": 0.0, "loop_lag_max_s": 5.0}, None),
    "late_datagrams": ({"stood_still_s": 1.0, "queue_lateness_s": 1.0}, AbortCause.GATEWAY_OVERLOAD),
    "gap_and_stall_before": (STOPPED | {"loop_lag_max_s": 1.0}, AbortCause.GATEWAY_OVERLOAD),
    "drops_without_failure": ({"kernel_drops": 10_000}, None),
    "drops_and_gap": (STOPPED | {"kernel_drops": 20}, AbortCause.HOST_RECEIVE_DROPS),
    "drops_and_lost_frames": (LOST | {"kernel_drops": 20}, AbortCause.HOST_RECEIVE_DROPS),
    "few_drops_and_lost_frames": (LOST | {"kernel_drops": 19}, AbortCause.INGEST_LOSS),
    "left": (GONE | {"studio_ended": "peer_left"}, AbortCause.STUDIO_DISCONNECTED),
    "left_while_datagrams_dropped": (
        GONE | {"studio_ended": "deleted", "kernel_drops": 20},
        AbortCause.STUDIO_DISCONNECTED,
    ),
    "left_a_moment_ago": (GONE | {"studio_ended": "peer_left", "without_picture_s": 1.9}, None),
    "stream_forgotten": (GONE | {"studio_ended": None}, AbortCause.STUDIO_DISCONNECTED),
    "kicked": (GONE | {"studio_ended": "operator"}, AbortCause.POLICY),
    "moved_by_a_drain_that_was_withdrawn": (GONE | {"studio_ended": "moved"}, AbortCause.POLICY),
    "our_own_bug": (GONE | {"studio_ended": "internal_error"}, AbortCause.UNKNOWN),
    "ended_by_silence": (GONE | {"studio_ended": "idle"}, AbortCause.STUDIO_DISCONNECTED),
    "ended_by_silence_while_datagrams_dropped": (
        GONE | {"studio_ended": "idle", "kernel_drops": 20},
        AbortCause.HOST_RECEIVE_DROPS,
    ),
    "silent_not_yet_clear": (STOPPED, None),
    "silent_for_good": (STOPPED | {"media_silent_s": 6.0, "studio_silent_s": 6.0}, AbortCause.STUDIO_DISCONNECTED),
    "path_check_right_after_the_last_picture": (STOPPED | {"media_silent_s": 3.0, "studio_silent_s": 2.1}, None),
    "path_check_later": (STOPPED | {"media_silent_s": 3.0, "studio_silent_s": 1.9}, AbortCause.INGEST_FREEZE),
    "media_again_after_a_gap": (STOPPED | {"media_silent_s": 0.01, "studio_silent_s": 0.01}, AbortCause.INGEST_FREEZE),
    "media_again_with_a_hole": (
        STOPPED | {"media_silent_s": 0.01, "studio_silent_s": 0.01, "loss_share": 0.9, "packets_missing": 400},
        AbortCause.INGEST_LOSS,
    ),
    "media_again_with_a_packet_lost": (
        STOPPED | {"media_silent_s": 0.01, "studio_silent_s": 0.01, "loss_share": 0.2, "packets_missing": 4},
        AbortCause.INGEST_FREEZE,
    ),
    "lost_frames": (LOST, AbortCause.INGEST_LOSS),
    "lost_frames_of_a_window_that_is_not_whole": (LOST | {"window_s": 2.9}, None),
    "lost_frames_before_the_round_began": (LOST | {"needed_s": 2.9}, None),
    "lost_frames_of_few": (LOST | {"frames": MIN_FRAMES - 1}, None),
    "few_lost_frames": (LOST | {"frames_lost_share": 0.09}, None),
    "gap_and_lost_packets": (GAP | {"loss_share": 0.05, "packets_missing": 25}, AbortCause.INGEST_LOSS),
    "gap_and_packets_that_reports_tell_of": (GAP | {"loss_share": 0.5, "packets_unseen": 200}, AbortCause.INGEST_LOSS),
    "sound_only": (GAP, AbortCause.ENCODER_STALLED),
    "sound_that_stutters": (GAP | {"sound_gap_s": 0.99}, AbortCause.ENCODER_STALLED),
    "no_keyframe": (GAP | {"sound_gap_s": None, "frames_undecodable": 60}, AbortCause.ENCODER_STALLED),
    "packets_but_no_picture": (GAP | {"sound_gap_s": None}, AbortCause.UNKNOWN),
    "video_only_frozen": (
        GAP | {"sound_gap_s": None, "media_gap_s": 2.0, "media_silent_s": 2.0},
        AbortCause.INGEST_FREEZE,
    ),
    "studio_of_sound_alone": (STOPPED | {"sends_video": False, "stood_still_s": 9.0}, None),
    "table_that_showed_nothing_yet": ({"picture_gap_s": None, "stood_still_s": 9.0}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_cause_of(case: str) -> None:
    changes, cause = CASES[case]
    assert cause_of(replace(WELL, **changes), SETTINGS) is cause


def test_cause_follows_the_settings() -> None:
    evidence = replace(WELL, **GAP)
    assert cause_of(evidence, AbortSettings(picture_gap_s=3.0)) is None
    assert (
        cause_of(replace(evidence, loss_share=0.04, packets_missing=18), AbortSettings(loss_share=0.03))
        is AbortCause.INGEST_LOSS
    )


def test_failure_is_there_before_its_cause_is_clear() -> None:
    evidence = replace(WELL, **STOPPED)
    assert has_failed(evidence, SETTINGS)
    assert cause_of(evidence, SETTINGS) is None


def test_every_cause_that_is_measured_has_a_rule() -> None:
    assert {cause for cause, _ in RULES} | {AbortCause.STUDIO_REQUEST} == {None, *AbortCause}
