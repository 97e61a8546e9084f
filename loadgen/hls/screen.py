"""What a player makes of its parts: the model's playback, frames, stamps, and what of it is counted."""

import asyncio
import time

from loadgen.hls.continuity import Seam
from loadgen.hls.cursor import Item, Start
from loadgen.hls.fragments import Fragment, InitSection
from loadgen.hls.ledger import Ledger
from loadgen.hls.playback import MIN_STALL_S, Playback, State
from loadgen.hls.samples import is_whole, stamp_in

LEAST_PART_SHARE = 0.85
"""Of PART-TARGET: a part may be that short, and is a part all the same (section 4.4.4.9)."""

PLAYED_OUT_LOOK_S = 0.1


class Screen:
    """See the module."""

    def __init__(self, ledger: Ledger, is_sampled: bool) -> None:
        """`is_sampled`: whether every sample is looked at."""
        self.has_part = asyncio.Event()
        """Set with the first part of video."""
        self.first_part_s = 0.0
        """When it was there, unix seconds."""
        self.latest_part_s = 0.0
        self._ledger = ledger
        self._is_sampled = is_sampled
        self._playback: Playback | None = None
        self._watched_until_s: float | None = None
        self._counted_stalls = 0
        self._counted_stalled_s = 0.0
        self._longest_frame_s = 0.0

    @property
    def began_s(self) -> float | None:
        """When the picture began, unix seconds."""
        return self._playback.began_s if self._playback is not None else None

    def begin(self, starts: list[Start], hold_back_s: float, part_s: float, now_s: float) -> None:
        """Parts will come from `starts` on: of video, and of audio where there is any."""
        video = starts[0]
        audio_begin_s = _apart_s(video, starts[1]) if len(starts) > 1 else None
        if self._playback is None:
            self._playback = Playback(audio_begin_s, hold_back_s, LEAST_PART_SHARE * part_s, video.lead_in_s)
        else:
            self._playback.jump(audio_begin_s, video.lead_in_s, now_s)

    def on_video(self, item: Item, body: bytes, fragments: list[Fragment], init: InitSection, seam: Seam) -> None:
        """See `download.Delivered`."""
        assert self._playback is not None, "begin() first"
        now_s = self.latest_part_s = time.time()
        duration_s = sum(fragment.duration_ticks for fragment in fragments) / init.timescale
        skipped_s = seam.gap_s - seam.overlap_s
        begin_s = self._playback.add_video(duration_s, skipped_s, item.begin_unix_s, now_s)
        media = self._ledger.media
        media.frames_complete += sum(len(fragment.durations_ticks) for fragment in fragments)
        media.frames_incomplete += seam.missing_samples
        longest_ticks = max(max(fragment.durations_ticks) for fragment in fragments)
        self._longest_frame_s = max(self._longest_frame_s, longest_ticks / init.timescale)
        if self._is_sampled:
            self._look_at_samples(body, fragments, init.timescale, begin_s)
        if not self.has_part.is_set():
            self.first_part_s = now_s
            self.has_part.set()

    def on_audio(self, _item: Item, _body: bytes, fragments: list[Fragment], init: InitSection, seam: Seam) -> None:
        """See `download.Delivered`."""
        assert self._playback is not None, "begin() first"
        duration_s = sum(fragment.duration_ticks for fragment in fragments) / init.timescale
        self._playback.add_audio(duration_s, seam.gap_s - seam.overlap_s, time.time())

    def _look_at_samples(self, body: bytes, fragments: list[Fragment], timescale: int, begin_s: float) -> None:
        assert self._playback is not None, "begin() first"
        first_ticks = fragments[0].decode_ticks
        for fragment in fragments:
            for ticks, sample in fragment.samples(body):
                stamp = stamp_in(sample)
                if stamp is not None:
                    self._playback.add_stamp(begin_s + (ticks - first_ticks) / timescale, stamp.unix_ns / 1e9)
                elif not is_whole(sample):
                    self._ledger.media.frames_broken += 1

    def end(self, now_s: float) -> None:
        """No more parts will come."""
        if self._playback is not None:
            self._playback.end(True, now_s)
            self._playback.end(False, now_s)

    async def played_out(self) -> None:
        """Wait until all that came was shown."""
        while self._playback is not None and self._playback.state in (State.PLAYING, State.STALLED):
            await asyncio.sleep(PLAYED_OUT_LOOK_S)
            self._playback.advance(time.time())

    # What is counted

    def count(self, now_s: float) -> None:
        """Into the ledger: what was watched and how it stalled since the last call."""
        playback = self._playback
        if playback is None:
            return
        playback.advance(now_s)
        if playback.began_s is None:
            return
        since_s = playback.began_s if self._watched_until_s is None else self._watched_until_s
        if playback.state is not State.ENDED:
            self._ledger.on_watched(max(now_s - since_s, 0.0))
        self._watched_until_s = max(now_s, since_s)
        stalls, stalled_s = playback.stalls, playback.stalled_s
        self._ledger.on_stalls(stalls - self._counted_stalls, stalled_s - self._counted_stalled_s)
        self._counted_stalls, self._counted_stalled_s = stalls, stalled_s

    def count_pending_stall(self, now_s: float) -> None:
        """At the end: one that goes on."""
        if self._playback is None:
            return
        self._playback.advance(now_s)
        stall_s = self._playback.pending_stall_s(now_s)
        if stall_s:
            self._ledger.on_stalls(1, stall_s)
            self._playback.longest_stall_s = max(self._playback.longest_stall_s, stall_s)

    def live_latency_s(self, now_s: float) -> float | None:
        """See `Playback`."""
        return self._playback.live_latency_s(now_s) if self._playback is not None else None

    def take_delays_s(self) -> list[float]:
        """See `Playback`."""
        return self._playback.take_delays_s() if self._playback is not None else []

    def take_gap_s(self) -> float:
        """The longest time between two frames that were shown, since the last call; 0 where there was none."""
        gap_s, self._longest_frame_s = self._longest_frame_s, 0.0
        if self._playback is None or self._playback.began_s is None:
            return 0.0
        stall_s, self._playback.longest_stall_s = self._playback.longest_stall_s, 0.0
        return max(gap_s, stall_s if stall_s >= MIN_STALL_S else 0.0)


def _apart_s(video: Start, audio: Start) -> float:
    """How much later audio begins, by PROGRAM-DATE-TIME; without dates, at the same time."""
    if audio.begin_unix_s is None or video.begin_unix_s is None:
        return 0.0
    return audio.begin_unix_s - video.begin_unix_s
