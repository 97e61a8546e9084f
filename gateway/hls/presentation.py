"""One generation of a stream as LL-HLS: what may be asked for, and the waiting for it (draft-pantos-hls-rfc8216bis
section 6.2.5)."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.config import HlsSettings
from gateway.errors import SignallingError
from gateway.hls.audio_pipeline import Runner
from gateway.hls.date_ranges import DateRanges
from gateway.hls.init_section import AAC_LC
from gateway.hls.multivariant import ESTIMATE_MARGIN, Variant, multivariant_playlist
from gateway.hls.packager import Packager
from gateway.hls.playlist import SKIP_TARGET_DURATIONS, MediaPlaylist, Skip, Text
from gateway.hls.rendition import WINDOW_TARGET_DURATIONS, Rendition, Segment
from gateway.stream.stream import Stream

GENERATION_BYTES = 16
"""Who knows the generation may watch: it must not be guessed."""
DEADLINE_TARGET_DURATIONS = 3
"""How long a request waits (section 6.2.5.2)."""
ADVANCE_PART_LIMIT_S = 3.0
"""How far ahead of the last part a request may wait for one (section 6.2.5.2)."""
PLAYERS_WINDOW_S = 2.0
SETTLED_SEGMENTS = 6
"""So many tell how large the next ones will be at most."""


@dataclass(frozen=True, slots=True)
class PlaylistWish:
    """Whether a playlist names what was asked for. Equal ones are one to those who wait."""

    rendition: Rendition
    msn: int
    part: int | None

    def __call__(self) -> bool:
        return self.rendition.is_ended or self.rendition.has(self.msn, self.part)


@dataclass(frozen=True, slots=True)
class PartWish:
    """Whether it is decided what becomes of a hinted part."""

    rendition: Rendition
    msn: int
    index: int

    def __call__(self) -> bool:
        return self.rendition.is_ended or self.rendition.hinted != (self.msn, self.index)


class Presentation:
    """See the module. Lives from the packager's start until a while after its end."""

    def __init__(
        self, stream: Stream, settings: HlsSettings, date_ranges: DateRanges, run: Runner, on_change: Callable[[], None]
    ) -> None:
        self.generation = secrets.token_urlsafe(GENERATION_BYTES)
        self.packager = Packager(stream, settings, run, on_change)
        self.asked_s = 0.0
        """When anything was asked for last."""
        self.ended_s: float | None = None
        self._playlist_requests = 0
        self._samples: deque[tuple[float, int, int]] = deque()
        renditions = self.packager.renditions
        self._playlists = {
            each.name: MediaPlaylist(
                each, [other for other in renditions if other is not each], date_ranges, self.generation[:8]
            )
            for each in renditions
        }

    @property
    def deadline_s(self) -> float:
        """How long a request may wait."""
        return float(DEADLINE_TARGET_DURATIONS * self.packager.targets.target_duration_s)

    @property
    def window_s(self) -> float:
        """How much a playlist names; what has gone from it may be asked for that much longer."""
        return float(WINDOW_TARGET_DURATIONS * self.packager.targets.target_duration_s)

    @property
    def is_ready(self) -> bool:
        """Whether a player can begin."""
        return all(each.has_whole_segment for each in self.packager.renditions)

    @property
    def stored_bytes(self) -> int:
        """Of all parts."""
        return sum(each.stored_bytes for each in self.packager.renditions)

    # What players ask for

    def rendition(self, name: str) -> Rendition:
        """`video` or `audio`. SignallingError 404 where there is none."""
        return self._playlist(name).rendition

    def multivariant(self, directory: str) -> str:
        """The multivariant playlist; see there for `directory`."""
        packager = self.packager
        video_format = packager.video_writer.format
        assert video_format is not None, "is_ready"
        # A rate is measured over half a target duration at least (section 4.4.6.2); at a break segments are shorter.
        least_s = packager.targets.target_duration_s / 2
        segments = [each for each in packager.video.segments if each.is_whole and each.duration_s >= least_s]
        audio_bps = packager.audio_bps if packager.audio is not None else 0
        rates = [segment.size_bytes * 8 / segment.duration_s for segment in segments]
        mean_bps = sum(rates) / len(rates) if rates else _mean_bps(packager.video)
        margin = ESTIMATE_MARGIN if len(rates) < SETTLED_SEGMENTS else 1
        return multivariant_playlist(
            Variant(
                video_format=video_format,
                audio_codec=AAC_LC if packager.audio is not None else None,
                peak_bps=(max(rates) + audio_bps) * margin if rates else 0,
                average_bps=mean_bps + audio_bps,
                frame_rate=packager.video_writer.frame_rate,
                is_independent=packager.video_writer.segments_without_keyframe == 0,
            ),
            directory,
        )

    def end(self, now_s: float) -> None:
        """Nothing more comes. The playlists stay as they are now, whatever becomes of their date ranges."""
        self.packager.finish(now_s)
        self.ended_s = now_s
        for playlist in self._playlists.values():
            playlist.text(Skip.NOTHING, now_s)

    def playlist_wish(self, name: str, msn: int | None, part: int | None) -> Callable[[], bool]:
        """What a playlist request waits for. SignallingError 400 for what must not be asked (section 6.2.5.2)."""
        rendition = self._playlist(name).rendition
        if msn is None:
            if part is not None:
                raise SignallingError(400, "_HLS_part needs _HLS_msn.")
            return lambda: rendition.has_whole_segment or rendition.is_ended
        self._check_not_ahead(rendition, msn, part)
        return PlaylistWish(rendition, msn, part)

    def playlist(self, name: str, skip: Skip, now_s: float) -> Text:
        """The media playlist of now."""
        if name == "video":
            self._playlist_requests += 1
        return self._playlist(name).text(skip, now_s)

    def part(self, name: str, msn: int, index: int) -> bytes | None:
        """A part; None when it is no longer, or not yet, here."""
        segment = self.rendition(name).segment(msn)
        return segment.parts[index].payload if segment is not None and index < len(segment.parts) else None

    def is_hinted(self, name: str, msn: int, index: int) -> bool:
        """Whether that part is the one that comes next, so that a request may wait for it (section 6.2.6)."""
        rendition = self.rendition(name)
        return not rendition.is_ended and rendition.hinted == (msn, index)

    def segment(self, name: str, msn: int) -> Segment | None:
        """A whole segment; None when it is no longer, or not yet, here."""
        segment = self.rendition(name).segment(msn)
        return segment if segment is not None and segment.is_whole else None

    def _playlist(self, name: str) -> MediaPlaylist:
        playlist = self._playlists.get(name)
        if playlist is None:
            raise SignallingError(404, f"The stream has no rendition {name!r}.")
        return playlist

    def _check_not_ahead(self, rendition: Rendition, msn: int, part: int | None) -> None:
        if rendition.is_ended:
            return
        last_whole = max((segment.msn for segment in rendition.segments if segment.is_whole), default=-1)
        if msn > last_whole + 2:
            raise SignallingError(400, f"_HLS_msn={msn} is more than two segments ahead.")
        if part is None:
            return
        hinted_msn, hinted_part = rendition.hinted
        limit = ADVANCE_PART_LIMIT_S / rendition.part_target_s
        last_part = hinted_part - 1 if msn == hinted_msn else -1
        if msn >= hinted_msn and part > last_part + limit:
            raise SignallingError(400, f"_HLS_part={part} is too far ahead.")

    # Figures

    def sample(self, now_s: float) -> None:
        """Note what was asked so far. Several times a second."""
        self._samples.append((now_s, self._playlist_requests, self.packager.video.parts_made))
        while now_s - self._samples[0][0] > PLAYERS_WINDOW_S:
            self._samples.popleft()

    @property
    def players(self) -> int:
        """How many players ask here: each asks for the video playlist once a part. Behind a cache it is the cache's
        requests."""
        if not self._samples:
            return 0
        first, last = self._samples[0], self._samples[-1]
        parts = last[2] - first[2]
        return round((last[1] - first[1]) / parts) if parts else 0

    def forget_date_ranges(self, date_ranges: DateRanges, now_s: float) -> None:
        """Drop what happened before the playlists begin."""
        begins = [each.segments[0].unix_s for each in self.packager.renditions if each.segments]
        first = min((unix_s for unix_s in begins if unix_s is not None), default=None)
        if first is not None:
            remembered_s = SKIP_TARGET_DURATIONS * self.packager.targets.target_duration_s
            date_ranges.forget_before(first, now_s, remembered_s)


def _mean_bps(rendition: Rendition) -> float:
    """Of all parts that are there: before the first segment is whole there is nothing better."""
    size_bytes = sum(segment.size_bytes for segment in rendition.segments)
    return size_bytes * 8 / rendition.duration_s if rendition.duration_s else 0.0
