"""One LL-HLS player: from its request for the multivariant playlist to its end, and the record of it.

It has the shape of the WHEP player (`players.player.Player`), as far as a crowd uses it.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from gateway.errors import WireError
from loadgen.distribution import Distribution
from loadgen.errors import SignallingError
from loadgen.figures import HlsCounts, Interval, SessionFigures
from loadgen.hls.cursor import OverrunError, hold_back_s, live_start, start_at
from loadgen.hls.download import Download
from loadgen.hls.fetcher import Fetcher
from loadgen.hls.ledger import Ledger
from loadgen.hls.live_playlist import LivePlaylist
from loadgen.hls.multivariant import Multivariant, parse_multivariant
from loadgen.hls.playlists import Playlists
from loadgen.hls.requests import REQUEST_TIMEOUT_S, RETRY_S, Requests, StartOverError, start_over
from loadgen.hls.screen import Screen

JOIN_WITHIN_S = 15.0
"""To the first part that can be decoded. Who joins has closed the page by then."""
CANCEL_AGAIN_S = 1.0
"""A cancellation that something below took for itself is not waited for any longer."""
GIVE_UP_S = 30.0
"""Without a new part, beginning anew again and again: then the stream is over."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is watched, and how."""

    url: str
    """Of the multivariant playlist."""
    token: str | None = None
    """Bearer token, sent to `url` alone."""
    preload_hints: bool = False


class HlsPlayer:
    """`run_began_s` is the run's beginning, unix seconds, which the record's instants count from."""

    def __init__(
        self, source: Source, fetcher: Fetcher, playlists: Playlists, figures: SessionFigures, run_began_s: float
    ) -> None:
        self.figures = figures
        self.is_watching = False
        self.over = asyncio.Event()
        """Set when the stream has ended, or the server no longer shows it, or it is to be left."""
        self.alternate: str | None = None
        """Where the server said that the stream goes on, when it no longer showed it."""
        self._source = source
        self._fetcher = fetcher
        self._playlists = playlists
        self._run_began_s = run_began_s
        self._ledger = Ledger()
        self._requests = Requests(fetcher, self._ledger)
        self._screen = Screen(self._ledger, figures.is_sampled)
        self._task: asyncio.Task[None] | None = None
        self._latencies_s, self._delays_s = Distribution(), Distribution()
        figures.hls = HlsCounts()

    async def join(self, now_s: float) -> None:
        """Until the first part that can be decoded. SignallingError with its cause, which the record has, too."""
        self.figures.started_s = now_s - self._run_began_s
        self._task = asyncio.create_task(self._watch())
        has_part = asyncio.create_task(self._screen.has_part.wait())
        try:
            await asyncio.wait((self._task, has_part), timeout=JOIN_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                await self._task
            if not self._screen.has_part.is_set():
                raise SignallingError("hls_timeout", f"{self._source.url}: no part in {JOIN_WITHIN_S:.0f} s.")
        except SignallingError as error:
            self.figures.end = error.cause
            await self.leave(True)
            raise
        except BaseException:
            self.vanish()
            raise
        finally:
            has_part.cancel()

    def begin(self, _now_s: float) -> None:
        """The first part is there: the player watches."""
        self.figures.join_s = self._screen.first_part_s - self._run_began_s - self.figures.started_s
        self.is_watching = True

    # Following the stream

    async def _watch(self) -> None:
        """Until the stream ends, or is given up. SignallingError where it never was there."""
        while True:
            try:
                await self._follow(await self._enter())
                await self._screen.played_out()
                break
            except StartOverError as error:
                if not self._screen.has_part.is_set():
                    sentence = f"{self._source.url}: {error.cause}"
                    raise SignallingError(error.cause, sentence, error.alternate) from None
                self.alternate = error.alternate
                if error.alternate is not None or time.time() - self._screen.latest_part_s > GIVE_UP_S:
                    break
                self._ledger.counts.restarts += 1
                await asyncio.sleep(error.retry_after_s or RETRY_S)
        self.over.set()

    async def _enter(self) -> tuple[str, Multivariant]:
        """The multivariant playlist, and its address."""
        ledger = self._ledger
        try:
            answer = await self._fetcher.enter(self._source.url, self._source.token, REQUEST_TIMEOUT_S)
        except SignallingError as error:
            ledger.on_no_answer(error.cause)
            raise StartOverError(error.cause) from None
        ledger.on_answer(answer)
        if not answer.is_good:
            raise start_over(answer)
        ledger.on_request(answer)
        try:
            multivariant = parse_multivariant(answer.text())
        except WireError:
            ledger.on_playlist_error("unusable")
            raise StartOverError("playlist") from None
        ledger.counts.playlists += 1
        return answer.url, multivariant

    async def _follow(self, entry: tuple[str, Multivariant]) -> None:
        """All renditions, until the stream ends. At an overrun they begin again, at the live edge."""
        base, multivariant = entry
        uris = [uri for uri in (multivariant.video_uri, multivariant.audio_uri) if uri is not None]
        while True:
            addresses = [self._requests.address(base, uri) for uri in uris]
            playlists = [LivePlaylist(address, self._requests, self._playlists) for address in addresses]
            await _all(playlist.load() for playlist in playlists)
            try:
                await self._play(playlists)
                return
            except OverrunError:
                self._ledger.counts.overruns += 1

    async def _play(self, playlists: list[LivePlaylist]) -> None:
        screen, hints = self._screen, self._source.preload_hints
        video = playlists[0].newest
        start = live_start(video)
        part_s = video.part_target_s or video.target_duration_s
        starts = [start, *(start_at(playlist.newest, start.begin_unix_s) for playlist in playlists[1:])]
        screen.begin(starts, hold_back_s(video), part_s, time.time())
        delivered = (screen.on_video, screen.on_audio)
        downloads = [
            Download(playlist, self._requests, on_part, hints)
            for playlist, on_part in zip(playlists, delivered, strict=False)
        ]
        for download, each in zip(downloads, starts, strict=True):
            download.begin_at(each)
        await _all((*(playlist.reload() for playlist in playlists), *(download.run() for download in downloads)))
        screen.end(time.time())

    # Every second

    def take(self, interval: Interval, now_s: float) -> None:
        """Add what happened since the last call to `interval`. What the player fell over is raised."""
        if self.is_watching and self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()
        figures, screen = self.figures, self._screen
        screen.count(now_s)
        if figures.first_frame_s is None and screen.began_s is not None:
            figures.first_frame_s = screen.began_s - self._run_began_s - figures.started_s
            interval.hls_first_frame_s.add(figures.first_frame_s)
            figures.on_picture(screen.began_s - self._run_began_s, interval)
        media, counts = self._ledger.take(interval, figures.stream)
        figures.media.add(media)
        if figures.hls is not None:
            figures.hls.add(counts)
        self._take_times(interval, now_s)

    def _take_times(self, interval: Interval, now_s: float) -> None:
        latency_s = self._screen.live_latency_s(now_s) if self.is_watching else None
        if latency_s is not None:
            interval.hls_latency_s.add(latency_s)
            self._latencies_s.add(latency_s)
        for delay_s in self._screen.take_delays_s():
            interval.hls_delay_s.add(delay_s)
            self._delays_s.add(delay_s)
        gap_s = self._screen.take_gap_s()
        if gap_s:
            interval.gap_s.add(gap_s)
            self.figures.longest_gap_s = max(self.figures.longest_gap_s, gap_s)

    # The end

    def finish(self, interval: Interval, end: str, now_s: float) -> SessionFigures:
        """Take the last figures; the record, complete. A stall that goes on counts, up to now."""
        self._screen.count_pending_stall(now_s)
        self.take(interval, now_s)
        figures = self.figures
        figures.end, figures.ended_s = end, now_s - self._run_began_s
        figures.latency_p50_s, figures.latency_p95_s = self._latencies_s.quantile(0.5), self._latencies_s.quantile(0.95)
        figures.delay_p50_s, figures.delay_p99_s = self._delays_s.quantile(0.5), self._delays_s.quantile(0.99)
        self.is_watching = False
        return figures

    async def leave(self, silently: bool) -> bool:
        """Stop, and close all connections: HLS knows no goodbye that a server could refuse."""
        if self._task is not None:
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait((self._task,), timeout=CANCEL_AGAIN_S)
            await asyncio.gather(self._task, return_exceptions=True)
        await self._fetcher.close()
        return not silently

    async def abandon(self) -> None:
        """Leave before it has joined."""
        await self.leave(True)

    def close(self) -> None:
        """Nothing is left after `leave`; without it, as `vanish`."""
        self.vanish()

    def vanish(self) -> None:
        """`leave`, where nobody can wait for it."""
        if self._task is not None:
            self._task.cancel()
        self._fetcher.abandon()


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All of it at once; the first that fails ends the others, and is what is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
