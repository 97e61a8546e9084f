"""What a window of samples says about one round: figures, and nothing judged. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.rounds.round import Evidence as JsonEvidence
from gateway.watchdog.sample import ProcessSample, StreamSample, Window


@dataclass(frozen=True, slots=True)
class Evidence:
    """Times in seconds, the longest of the window; shares from 0 to 1. What is None does not apply."""

    window_s: float
    """What the samples of the stream cover: less than the setting at first."""
    needed_s: float
    """For how long the round has needed its picture."""
    without_picture_s: float
    """The longest of that without a new whole picture."""
    stood_still_s: float
    """The longest of that in which this process did not read, or was late by so much."""
    picture_gap_s: float | None
    """Between pictures, whether the round needed them or not."""
    sound_gap_s: float | None
    media_gap_s: float | None
    media_silent_s: float | None
    """Since the newest packet of media; all that follow are of now."""
    studio_silent_s: float | None
    """Since anything of the studio came, a path check included."""
    studio_connected: bool
    studio_ended: str | None
    """Why its session ended."""
    sends_video: bool
    packets_expected: int
    """Of video, as are all packets and frames here."""
    packets_missing: int
    """Not there when a later one was."""
    packets_recovered: int
    """Came after all: retransmitted, or overtaken on the way."""
    packets_unseen: int
    """Sent, as the studio's reports count, beyond all that came: the end of what was lost."""
    loss_share: float
    """Of those expected and unseen, the ones that have not come."""
    frames: int
    frames_lost: int
    frames_lost_share: float
    frames_undecodable: int
    loop_lag_max_s: float
    queue_lateness_s: float
    kernel_drops: int
    """Of the media socket, so of all streams."""

    def as_json(self) -> JsonEvidence:
        """What the round keeps, and the API and the ledger show: milliseconds as whole numbers."""
        return {
            "windowMs": _ms(self.window_s),
            "neededMs": _ms(self.needed_s),
            "withoutPictureMs": _ms(self.without_picture_s),
            "stoodStillMs": _ms(self.stood_still_s),
            "pictureGapMs": _ms(self.picture_gap_s),
            "soundGapMs": _ms(self.sound_gap_s),
            "mediaGapMs": _ms(self.media_gap_s),
            "studioSilentMs": _ms(self.studio_silent_s),
            "studioConnected": self.studio_connected,
            "studioEnded": self.studio_ended,
            "packetsExpected": self.packets_expected,
            "packetsMissing": self.packets_missing,
            "packetsRecovered": self.packets_recovered,
            "packetsUnseen": self.packets_unseen,
            "lossShare": round(self.loss_share, 4),
            "frames": self.frames,
            "framesLost": self.frames_lost,
            "framesLostShare": round(self.frames_lost_share, 4),
            "framesUndecodable": self.frames_undecodable,
            "loopLagMaxMs": _ms(self.loop_lag_max_s),
            "queueLatenessMs": _ms(self.queue_lateness_s),
            "kernelDrops": self.kernel_drops,
        }


def evidence_of(process: Window[ProcessSample], stream: Window[StreamSample], needed_since_s: float) -> Evidence:
    """What both windows say, which have a sample each, of a round that needs its picture since then."""
    now, base = stream.newest, stream.base
    needed_s = max(now.at_s - needed_since_s, 0.0)
    expected = _grown(base.packets_expected, now.packets_expected)
    missing = _grown(base.packets_missed, now.packets_missed)
    recovered = _grown(base.packets_recovered, now.packets_recovered)
    unseen = _grown(base.packets_unseen, now.packets_unseen)
    frames, frames_lost = _grown(base.frames, now.frames), _grown(base.frames_lost, now.frames_lost)
    return Evidence(
        window_s=now.at_s - base.at_s,
        needed_s=needed_s,
        without_picture_s=_longest_needed(((s.at_s, _age(s, s.picture_s)) for s in stream), needed_since_s),
        stood_still_s=_longest_needed(
            ((s.at_s, max(s.loop_lag_s, s.queue_lateness_s)) for s in process), needed_since_s
        ),
        picture_gap_s=_longest(_age(each, each.picture_s) for each in stream),
        sound_gap_s=_longest(_age(each, each.sound_s) for each in stream),
        media_gap_s=_longest(_age(each, each.media_s) for each in stream),
        media_silent_s=_age(now, now.media_s),
        studio_silent_s=_age(now, now.studio_s),
        studio_connected=now.is_connected,
        studio_ended=now.ended_by,
        sends_video=now.sends_video,
        packets_expected=expected,
        packets_missing=missing,
        packets_recovered=recovered,
        packets_unseen=unseen,
        loss_share=_share(missing - recovered + unseen, expected + unseen),
        frames=frames,
        frames_lost=frames_lost,
        frames_lost_share=_share(frames_lost, frames),
        frames_undecodable=_grown(base.frames_undecodable, now.frames_undecodable),
        loop_lag_max_s=max(each.loop_lag_s for each in process),
        queue_lateness_s=max(each.queue_lateness_s for each in process),
        kernel_drops=_grown(process.base.kernel_drops, process.newest.kernel_drops),
    )


def _age(seen: StreamSample, happened_s: float | None) -> float | None:
    return None if happened_s is None else max(seen.read_until_s - happened_s, 0.0)


def _longest(spans_s: Iterable[float | None]) -> float | None:
    return max((span_s for span_s in spans_s if span_s is not None), default=None)


def _longest_needed(spans: Iterable[tuple[float, float | None]], since_s: float) -> float:
    """The longest of (end, length), of each only what lies after `since_s`."""
    spans_s = (min(length_s, end_s - since_s) for end_s, length_s in spans if length_s is not None)
    return max([0.0, *spans_s])


def _grown(before: int, after: int) -> int:
    return max(after - before, 0)


def _share(part: int, whole: int) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
