"""Whether the picture has failed a round, and why: one table, from the top down. Pure. docs/aborts.md explains it.

A row is looked at only when those above it do not hold. What failed *here* comes first: a process that stood still, or
a buffer that was full, makes the best studio look as if it lost packets.
"""

from collections.abc import Callable

from gateway.config import AbortSettings
from gateway.hub.drain import CAUSE as MOVED
from gateway.rounds.causes import AbortCause
from gateway.watchdog.evidence import Evidence
from gateway.watchdog.sample import ProcessSample, StreamSample, Window

MIN_FRAMES = 10
"""Of a window whose share of lost ones says anything."""

MIN_UNDECODABLE_FRAMES = 10
"""A studio that sends pictures, of which none can be begun at."""

_BY_ORDER = frozenset({"operator", MOVED})
"""`MOVED`: by a drain that was withdrawn, before the studio had come back."""
_BY_SILENCE = "idle"
_BY_OUR_BUG = "internal_error"
"""What sessions are ended by that did not end themselves."""

MIN_LOST_PACKETS = 5
"""Of a window whose share of lost ones says anything: right after a gap there are few packets in it."""

Holds = Callable[[Evidence, AbortSettings], bool]


def is_suspect(process: ProcessSample, stream: Window[StreamSample], settings: AbortSettings) -> bool:
    """Whether the newest samples show anything that `has_failed` could be for: a look that costs little.

    What is not suspect, and was not for a whole window, has not failed.
    """
    now, base = stream.newest, stream.base
    if now.picture_s is None:
        return False
    return (
        now.read_until_s - now.picture_s >= settings.picture_gap_s
        or process.loop_lag_s >= settings.loop_lag_s
        or process.queue_lateness_s >= settings.loop_lag_s
        or now.frames_lost - base.frames_lost >= settings.frames_lost_share * max(now.frames - base.frames, MIN_FRAMES)
    )


def cause_of(evidence: Evidence, settings: AbortSettings) -> AbortCause | None:
    """Why the round is to be aborted; None when the picture is well, or when it is too early to tell what failed."""
    if not has_failed(evidence, settings):
        return None
    return next((cause for cause, holds in RULES if holds(evidence, settings)), AbortCause.UNKNOWN)


def has_failed(evidence: Evidence, settings: AbortSettings) -> bool:
    """Whether players did without pictures that the round needed."""
    if not evidence.sends_video or evidence.picture_gap_s is None:
        return False  # A table of sound alone, or one that has not shown anything yet.
    return (
        evidence.without_picture_s >= settings.picture_gap_s
        or evidence.stood_still_s >= settings.loop_lag_s
        or _lost_frames(evidence, settings)
    )


def _lost_frames(evidence: Evidence, settings: AbortSettings) -> bool:
    # Over a whole window only: of the first ten frames of a round one is a tenth already.
    is_whole = min(evidence.needed_s, evidence.window_s) >= settings.window_s
    return is_whole and evidence.frames >= MIN_FRAMES and evidence.frames_lost_share >= settings.frames_lost_share


def _stood_still(evidence: Evidence, settings: AbortSettings) -> bool:
    return max(evidence.loop_lag_max_s, evidence.queue_lateness_s) >= settings.loop_lag_s


def _was_sent_away(evidence: Evidence, settings: AbortSettings) -> bool:
    return not evidence.studio_connected and evidence.studio_ended in _BY_ORDER


def _has_left(evidence: Evidence, settings: AbortSettings) -> bool:
    return not evidence.studio_connected and evidence.studio_ended not in (_BY_SILENCE, _BY_OUR_BUG)


def _dropped_here(evidence: Evidence, settings: AbortSettings) -> bool:
    return evidence.kernel_drops >= settings.kernel_drops


def _was_ended_by_bug(evidence: Evidence, settings: AbortSettings) -> bool:
    return not evidence.studio_connected and evidence.studio_ended == _BY_OUR_BUG


def _is_silent(evidence: Evidence, settings: AbortSettings) -> bool:
    is_silent = evidence.studio_silent_s is None or evidence.studio_silent_s >= settings.studio_silent_s
    return is_silent or not evidence.studio_connected


def _lost_on_the_way(evidence: Evidence, settings: AbortSettings) -> bool:
    # Frames stay incomplete only because packets of them did not come: few are enough where frames are large.
    lost = evidence.packets_missing - evidence.packets_recovered + evidence.packets_unseen
    is_lossy = evidence.loss_share >= settings.loss_share and lost >= MIN_LOST_PACKETS
    return is_lossy or _lost_frames(evidence, settings)


def _has_sound_only(evidence: Evidence, settings: AbortSettings) -> bool:
    # Half of it: of a studio that was killed the last sound comes a moment after the last picture.
    return evidence.sound_gap_s is not None and evidence.sound_gap_s < settings.picture_gap_s / 2


def _has_no_keyframe(evidence: Evidence, settings: AbortSettings) -> bool:
    return evidence.frames_undecodable >= MIN_UNDECODABLE_FRAMES


def _may_be_gone(evidence: Evidence, settings: AbortSettings) -> bool:
    """Nothing came since the media stopped: frozen or gone, its next path check or its silence will tell."""
    silent_s, media_silent_s = evidence.studio_silent_s or 0.0, evidence.media_silent_s or 0.0
    is_stopped = media_silent_s >= settings.picture_gap_s / 2
    return evidence.studio_connected and is_stopped and media_silent_s - silent_s < settings.picture_gap_s / 2


def _has_no_media(evidence: Evidence, settings: AbortSettings) -> bool:
    return evidence.media_gap_s is not None and evidence.media_gap_s >= settings.picture_gap_s


RULES: tuple[tuple[AbortCause | None, Holds], ...] = (
    (AbortCause.GATEWAY_OVERLOAD, _stood_still),
    (AbortCause.POLICY, _was_sent_away),
    (AbortCause.STUDIO_DISCONNECTED, _has_left),
    (AbortCause.UNKNOWN, _was_ended_by_bug),
    (AbortCause.HOST_RECEIVE_DROPS, _dropped_here),
    (AbortCause.STUDIO_DISCONNECTED, _is_silent),
    (AbortCause.INGEST_LOSS, _lost_on_the_way),
    (AbortCause.ENCODER_STALLED, _has_sound_only),
    (AbortCause.ENCODER_STALLED, _has_no_keyframe),
    (None, _may_be_gone),
    (AbortCause.INGEST_FREEZE, _has_no_media),
)
"""Cause -> what has to hold. None: not yet."""
