"""What somebody who watches would see: a model of a player's buffer and its clock.

It begins PART-HOLD-BACK behind the live edge, once that much is there, and plays in real time: it neither speeds up nor
jumps to come closer to the live edge again, which players may. It stalls when either rendition runs dry, and goes on
once each has a part again. Positions are seconds of media since its first part.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

MIN_STALL_S = 0.1
"""A shorter one is taken for a late frame: hls.js looks for stalls ten times a second. It delays what follows all the
same."""

ROUNDING_S = 0.01
"""Durations in playlists have few decimals: nobody waits for what is missing by them."""

MAX_PIECES = 10_000
"""Parts (and frames with a stamp) that wait to be played: far more than any window has, in case a clock jumps."""


class State(Enum):
    """Of the player."""

    WAITING = "waiting"
    """For the first time."""
    PLAYING = "playing"
    STALLED = "stalled"
    ENDED = "ended"
    """The stream is over, and all of it was played."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part in the buffer."""

    begin_s: float
    """Position."""
    pdt_unix_s: float | None
    """Of its beginning."""


@dataclass(slots=True)
class _Buffer:
    """Of one rendition."""

    end_s: float = 0.0
    """Position up to which there is media."""
    is_final: bool = False


class Playback:
    """`now_s` is unix seconds, and never goes back by more than clocks are set."""

    def __init__(self, audio_begin_s: float | None, hold_back_s: float, part_s: float, lead_in_s: float) -> None:
        """`audio_begin_s`: position of the first part of audio, None without any. `part_s`: what each rendition needs
        to go on after a stall. `lead_in_s`: what is only decoded, from the first part to where the picture begins."""
        self.state = State.WAITING
        self.began_s: float | None = None
        """When the first picture was shown."""
        self.stalls = 0
        self.stalled_s = 0.0
        """Of the stalls that are over."""
        self.longest_stall_s = 0.0
        self._hold_back_s = hold_back_s
        self._part_s = part_s
        self._at_s = 0.0
        """When the playhead was where it is; while stalled, since when."""
        self._pieces: deque[Piece] = deque(maxlen=MAX_PIECES)
        self._stamps: deque[tuple[float, float]] = deque(maxlen=MAX_PIECES)
        """(position, unix time) of frames that are still to be shown."""
        self._delays_s: list[float] = []
        self._begin(audio_begin_s, lead_in_s)

    def _begin(self, audio_begin_s: float | None, lead_in_s: float) -> None:
        self._has_audio = audio_begin_s is not None
        self._video, self._audio = _Buffer(), _Buffer(audio_begin_s or 0.0, is_final=not self._has_audio)
        self._playhead_s = lead_in_s
        self._needed_s = self._hold_back_s
        """Of video, to begin or to go on."""
        self._pieces.clear()
        self._stamps.clear()

    def add_video(self, duration_s: float, skipped_s: float, pdt_unix_s: float | None, now_s: float) -> float:
        """A part of this duration, behind `skipped_s` that never came (or, negative, came twice). Its position."""
        self.advance(now_s)
        begin_s = self._video.end_s + skipped_s
        self._pieces.append(Piece(begin_s, pdt_unix_s))
        self._video.end_s = begin_s + duration_s
        self._begin_or_go_on(now_s)
        return begin_s

    def add_audio(self, duration_s: float, skipped_s: float, now_s: float) -> None:
        """The same for audio."""
        self.advance(now_s)
        self._audio.end_s += skipped_s + duration_s
        self._begin_or_go_on(now_s)

    def add_stamp(self, position_s: float, unix_s: float) -> None:
        """A frame at this position was stamped then. Called in order, before the frame is shown."""
        if position_s >= self._playhead_s:
            self._stamps.append((position_s, unix_s))

    def jump(self, audio_begin_s: float | None, lead_in_s: float, now_s: float) -> None:
        """The player begins anew at the live edge, with another first part. The picture stands until it has buffered
        as much as at first."""
        self.advance(now_s)
        if self.state is State.PLAYING:
            self.state, self._at_s = State.STALLED, now_s
        self._begin(audio_begin_s, lead_in_s)

    def end(self, is_video: bool, now_s: float) -> None:
        """No more will come of this rendition."""
        self.advance(now_s)
        (self._video if is_video else self._audio).is_final = True
        self._begin_or_go_on(now_s)

    @property
    def _dry_at_s(self) -> float:
        """Position at which a rendition runs dry."""
        return min(self._video.end_s, self._audio.end_s) if self._has_audio else self._video.end_s

    @property
    def _is_final(self) -> bool:
        return self._video.is_final and self._audio.is_final

    def advance(self, now_s: float) -> None:
        """Play up to now, or up to where a rendition ran dry."""
        if self.state is not State.PLAYING:
            return
        begin_s, began_at_s = self._playhead_s, self._at_s
        wanted_s = begin_s + max(now_s - began_at_s, 0.0)
        end_s = max(self._video.end_s, self._audio.end_s) if self._is_final else self._dry_at_s
        self._playhead_s = min(wanted_s, max(end_s, begin_s))
        self._at_s = began_at_s + (self._playhead_s - begin_s)
        self._show(began_at_s - begin_s)
        if wanted_s > self._playhead_s:
            self.state = State.ENDED if self._is_final else State.STALLED

    def _show(self, shift_s: float) -> None:
        """Frames up to the playhead. `shift_s` makes a position a time."""
        stamps = self._stamps
        while stamps and stamps[0][0] <= self._playhead_s:
            position_s, unix_s = stamps.popleft()
            self._delays_s.append(position_s + shift_s - unix_s)
        pieces = self._pieces
        while len(pieces) > 1 and pieces[1].begin_s <= self._playhead_s:
            pieces.popleft()

    def _begin_or_go_on(self, now_s: float) -> None:
        if self.state not in (State.WAITING, State.STALLED) or not self._has_enough():
            return
        self._needed_s = self._part_s
        if self.state is State.WAITING:
            self.began_s = now_s
        else:
            stall_s = max(now_s - self._at_s, 0.0)
            if stall_s >= MIN_STALL_S:
                self.stalls += 1
                self.stalled_s += stall_s
            self.longest_stall_s = max(self.longest_stall_s, stall_s)
        self.state, self._at_s = State.PLAYING, now_s

    def _has_enough(self) -> bool:
        """Of video, and a part of audio. Of what has ended, the rest is enough."""
        has_video = self._video.is_final or self._ahead_s(self._video) >= self._needed_s - ROUNDING_S
        has_audio = self._audio.is_final or self._ahead_s(self._audio) >= self._part_s - ROUNDING_S
        return has_video and has_audio

    def _ahead_s(self, buffer: _Buffer) -> float:
        return buffer.end_s - self._playhead_s

    def pending_stall_s(self, now_s: float) -> float:
        """How long it has stalled and still does; 0 where that is too short to count."""
        stall_s = now_s - self._at_s if self.state is State.STALLED else 0.0
        return stall_s if stall_s >= MIN_STALL_S else 0.0

    def live_latency_s(self, now_s: float) -> float | None:
        """How old what is shown now is, by PROGRAM-DATE-TIME; None when nothing is shown, or it has no date."""
        if self.state not in (State.PLAYING, State.STALLED) or not self._pieces:
            return None
        shown = self._pieces[0]
        return None if shown.pdt_unix_s is None else now_s - (shown.pdt_unix_s + self._playhead_s - shown.begin_s)

    def take_delays_s(self) -> list[float]:
        """Of the frames shown since the last call: from their stamp to when they were shown."""
        delays_s, self._delays_s = self._delays_s, []
        return delays_s
