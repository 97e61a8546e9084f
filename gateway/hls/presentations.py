"""All streams that are packaged now: begun when somebody asks, or at once; ended when nobody does."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import structlog

from gateway.config import HlsSettings, HlsStart
from gateway.errors import SignallingError
from gateway.hls.audio import AacFrame, AudioTranscoder
from gateway.hls.date_ranges import DateRange, DateRanges
from gateway.hls.figures import PackagingFigures
from gateway.hls.packager import is_packageable
from gateway.hls.presentation import Presentation
from gateway.hls.waiting import WaitingRoom
from gateway.stream.registry import Registry, check_name
from gateway.stream.stream import Stream

log = structlog.get_logger()

AUDIO_THREADS = 2
"""Each transcodes some fifty streams; more would only contend for the interpreter."""
NOT_LIVE_RETRY_S = 2
WATCHED_TARGET_DURATIONS = 2
"""A player asks for the playlist again after one at the latest (section 6.3.4)."""

_Transcoded = tuple[AudioTranscoder, list[AacFrame]]


class AudioThreads:
    """Implements `audio_pipeline.Runner` by a few threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AUDIO_THREADS, thread_name_prefix="hls-audio")

    def __call__(self, work: Callable[[], _Transcoded], done: Callable[[_Transcoded | None], None]) -> None:
        """See `Runner`."""

        def finish(future: asyncio.Future[_Transcoded]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is not None:
                log.error("audio transcoding failed", exc_info=error)
            done(None if error is not None else future.result())

        asyncio.get_running_loop().run_in_executor(self._threads, work).add_done_callback(finish)

    def stop(self) -> None:
        """Take no more work, and do not wait for what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Presentations:
    """See the module."""

    def __init__(self, registry: Registry, settings: HlsSettings, is_live: Callable[[Stream, float], bool]) -> None:
        self.settings = settings
        self.date_ranges: dict[str, DateRanges] = {}
        self.requests: Counter[tuple[str, str]] = Counter()
        """(kind, HTTP status) -> answers."""
        self._figures_before: dict[str, PackagingFigures] = {}
        self._registry = registry
        self._is_live = is_live
        self._current: dict[str, Presentation] = {}
        self._by_generation: dict[str, Presentation] = {}
        self._rooms: dict[str, WaitingRoom] = {}
        self._threads = AudioThreads()
        self._is_stopped = False

    def __iter__(self) -> Iterator[Presentation]:
        return iter(tuple(self._current.values()))

    def __len__(self) -> int:
        return len(self._current)

    # What players ask for

    def open(self, name: str, now_s: float) -> Presentation:
        """The presentation of a live stream, begun if need be.

        SignallingError 404 when nobody publishes it, 406 when it has nothing that LL-HLS can carry.
        """
        check_name(name)
        stream = self._registry.stream(name)
        if self._is_stopped:
            raise SignallingError(503, "This gateway is shutting down.", {"Retry-After": "1"})
        if stream is None or not self._is_live(stream, now_s):
            raise SignallingError(404, "Nobody publishes this stream now.", {"Retry-After": str(NOT_LIVE_RETRY_S)})
        _check_packageable(stream)
        presentation = self._current.get(name)
        if presentation is None or presentation.packager.is_over or presentation.packager.stream is not stream:
            presentation = self._begin(stream, now_s)
        presentation.asked_s = now_s
        return presentation

    def of_generation(self, name: str, generation: str, now_s: float) -> Presentation:
        """The presentation with that generation. SignallingError 404 when it is not, or no longer, here."""
        presentation = self._by_generation.get(generation)
        if presentation is None or presentation.packager.stream.name != name:
            cache = {"Cache-Control": f"public, max-age={math.ceil(self.settings.segment_s)}"}
            sentence = "This presentation is over; the stream's multivariant playlist leads to the next."
            raise SignallingError(404, sentence, cache)
        presentation.asked_s = now_s
        return presentation

    async def wait_until(self, presentation: Presentation, is_there: Callable[[], bool]) -> bool:
        """See `WaitingRoom.wait_until`; the deadline is the presentation's."""
        room = self._rooms[presentation.packager.stream.name]
        return await room.wait_until(is_there, presentation.deadline_s)

    def waiting(self, name: str) -> int:
        """How many requests of a stream wait."""
        room = self._rooms.get(name)
        return len(room) if room is not None else 0

    def figures(self, name: str) -> PackagingFigures:
        """What packaging of a stream has counted, since the stream began."""
        before = self._figures_before.get(name, PackagingFigures())
        presentation = self._current.get(name)
        return before if presentation is None else before + PackagingFigures.of(presentation.packager)

    def current(self, name: str) -> Presentation | None:
        """The presentation of a stream that is packaged now."""
        return self._current.get(name)

    def is_watched(self, name: str, now_s: float) -> bool:
        """Whether anybody has asked for anything of a stream lately."""
        presentation = self._current.get(name)
        if presentation is None or presentation.packager.is_over:
            return False
        target_s = presentation.packager.targets.target_duration_s
        return now_s - presentation.asked_s <= WATCHED_TARGET_DURATIONS * target_s

    def dismiss(self, name: str) -> None:
        """Let those go on who wait for a stream's media: what they ask for is no longer theirs to have."""
        room = self._rooms.get(name)
        if room is not None:
            room.dismiss()

    # What other parts of the gateway tell

    def mark(self, name: str, date_range: DateRange, now_s: float) -> None:
        """Put something that happens at a table on its media timeline. Remembered only while the stream exists."""
        if self._registry.stream(name) is not None:
            self.date_ranges.setdefault(name, DateRanges()).mark(date_range, now_s)

    # What keeps it going

    def pump(self, now_s: float) -> None:
        """Package what has come; after each batch of datagrams."""
        for presentation in self._current.values():
            try:
                presentation.packager.pump(now_s)
            except Exception:
                # A bug: this packager would meet it again in each batch. Who asks again gets a new one.
                log.exception("packaging failed", stream=presentation.packager.stream.name)
                presentation.packager.is_over = True

    def tick(self, now_s: float) -> None:
        """Begin and end what is due; several times a second."""
        if self.settings.start is HlsStart.AT_ONCE and self.settings.enabled and not self._is_stopped:
            self._begin_all(now_s)
        for name, presentation in tuple(self._current.items()):
            presentation.sample(now_s)
            if name in self.date_ranges:
                presentation.forget_date_ranges(self.date_ranges[name], now_s)
            if self._is_due_to_end(name, presentation, now_s):
                self._end(name, presentation, now_s)
        self._forget_ended(now_s)

    def stop(self) -> None:
        """End all, and send those who wait away."""
        self._is_stopped = True
        for presentation in self._current.values():
            presentation.packager.is_over = True
        for room in self._rooms.values():
            room.dismiss()
        self._threads.stop()

    def _begin(self, stream: Stream, now_s: float) -> Presentation:
        room = self._rooms.setdefault(stream.name, WaitingRoom(self.settings.waiting_requests))
        before = self._current.get(stream.name)
        if before is not None:
            self._end(stream.name, before, now_s)
        date_ranges = self.date_ranges.setdefault(stream.name, DateRanges())
        presentation = Presentation(stream, self.settings, date_ranges, self._threads, room.wake)
        presentation.asked_s = now_s
        self._current[stream.name] = self._by_generation[presentation.generation] = presentation
        log.info("packaging", stream=stream.name)
        presentation.packager.pump(now_s)
        return presentation

    def _begin_all(self, now_s: float) -> None:
        for stream in self._registry:
            is_packaged = stream.name in self._current
            if not is_packaged and is_packageable(stream.tracks.get("video")) and self._is_live(stream, now_s):
                self._begin(stream, now_s)

    def _is_due_to_end(self, name: str, presentation: Presentation, now_s: float) -> bool:
        is_idle = now_s - presentation.asked_s > self.settings.idle_s and self.settings.start is HlsStart.ON_REQUEST
        is_gone = self._registry.stream(name) is not presentation.packager.stream
        return is_idle or is_gone or presentation.packager.is_over

    def _end(self, name: str, presentation: Presentation, now_s: float) -> None:
        presentation.end(now_s)
        self._figures_before[name] = self.figures(name)
        del self._current[name]
        log.info("no longer packaging", stream=name)

    def _forget_ended(self, now_s: float) -> None:
        """What has ended can be asked for as long as its playlist lasts (section 6.2.1), and once more that long."""
        for generation, presentation in tuple(self._by_generation.items()):
            if presentation.ended_s is not None and now_s - presentation.ended_s > 2 * presentation.window_s:
                del self._by_generation[generation]
        answering = {presentation.packager.stream.name for presentation in self._by_generation.values()}
        for name in (self._rooms.keys() | self.date_ranges.keys()) - answering:
            if self._registry.stream(name) is None and not self.waiting(name):
                self._rooms.pop(name, None)
                self.date_ranges.pop(name, None)
                self._figures_before.pop(name, None)


def _check_packageable(stream: Stream) -> None:
    video = stream.tracks.get("video")
    if video is None:
        raise SignallingError(406, "The stream has no video, and LL-HLS here carries sound only beside H264 video.")
    if not is_packageable(video):
        raise SignallingError(406, f"The stream's video is {video.format.name}; LL-HLS carries H264 only.")
