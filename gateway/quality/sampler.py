"""Reads plain counters each second, and keeps the quality of every stream: windows, scores, plots."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.clock import WallClock
from gateway.hub.hub import Hub
from gateway.metrics import Sample
from gateway.quality.counters import counters_of, reported
from gateway.quality.history import POINT_S, History
from gateway.quality.process import COLUMNS as PROCESS_COLUMNS
from gateway.quality.process import Process
from gateway.quality.report import NOTHING_SEEN, edge_scores, edge_window, edge_windows, glance, stream_window
from gateway.quality.stream_quality import StreamQuality, Watching
from gateway.stream.stream import Stream
from qos.windows import SPANS

TICK_S = 1.0
EDGE_COLUMNS = ("score", "worst_score", "streams", "viewers_webrtc", "viewers_hls", "bitrate_bps", *PROCESS_COLUMNS)
"""Of the plots of all streams together, and of the process; the scores are those of the last minute."""

POINT_TICKS = round(POINT_S / TICK_S)


class Quality:
    """See the module. As many streams as the registry has (limits.streams), some 300 kB each at 50 pings a second."""

    def __init__(self, hub: Hub, process: Process, clock: WallClock) -> None:
        self.streams: dict[str, StreamQuality] = {}
        self.history = History(EDGE_COLUMNS)
        self.edge = edge_window("1m", {})
        """The last minute of all streams together, as of the last point."""
        self._hub = hub
        self._process = process
        self._clock = clock
        self._known: dict[str, Stream] = {}
        self._ticks = 0
        self._windows: dict[str, dict[str, Any]] = {}
        """Stream -> window -> JSON, once somebody has asked since it changed."""
        self._glances: dict[str, Mapping[str, float | str | None]] = {}
        self._report_text: str | None = None
        """Everybody may ask, and 64 streams take tens of milliseconds: once a tick is enough."""
        self._writing = asyncio.Lock()

    def note_round_trip(self, stream: str, seconds: float) -> None:
        """A player answered a ping."""
        quality = self.streams.get(stream)
        if quality is not None:
            quality.rtt.add(seconds)

    def tick(self, now_s: float) -> None:
        """Every second."""
        reports = reported(self._hub.play.signals.reports.samples())
        self._ticks += 1
        self._report_text = None
        registered = {stream.name: stream for stream in self._hub.registry}
        for name in [name for name in self.streams if registered.get(name) is not self._known[name]]:
            del self.streams[name], self._known[name]
            self._windows.pop(name, None)
            self._glances.pop(name, None)
        for number, (name, stream) in enumerate(registered.items()):
            counters = counters_of(stream, self._hub, reports)
            quality = self.streams.get(name)
            if quality is None:
                self.streams[name], self._known[name] = StreamQuality(counters, now_s), stream
                continue
            watching = self.watching(stream)
            quality.sample(counters, watching, now_s)
            # Streams take turns, so that no tick is a long one.
            if (self._ticks + number) % POINT_TICKS == 0:
                quality.add_point(now_s, self._clock.unix_s(now_s), watching)
                self._glances[name] = glance(quality)
                self._windows.pop(name, None)
            self._windows.get(name, {}).pop("1m", None)
        if self._ticks % POINT_TICKS == 0:
            self._add_point(now_s)

    def watching(self, stream: Stream) -> Watching:
        """Who watches now."""
        presentation = self._hub.presentations.current(stream.name)
        return Watching(
            webrtc=stream.viewers,
            hls=presentation.players if presentation is not None else 0,
            is_packaged=presentation is not None,
            has_video="video" in stream.tracks,
            bitrate_bps=stream.bitrate_bps if stream.source is not None else 0.0,
        )

    def _add_point(self, now_s: float) -> None:
        port = self._hub.port
        watched = {name: self.watching(self._known[name]) for name in self.streams}
        self.edge = window = edge_window("1m", self.streams)
        self.history.add(
            self._clock.unix_s(now_s),
            {
                "score": window["score"],
                "worst_score": window["worst_score"],
                "streams": len(watched),
                "viewers_webrtc": sum(each.webrtc for each in watched.values()),
                "viewers_hls": sum(each.hls for each in watched.values()),
                "bitrate_bps": round(sum(each.bitrate_bps for each in watched.values())),
                **self._process.point(now_s, port.socket.kernel_receive_drops(), len(port)),
            },
        )

    # What is told

    async def report_text(self) -> str:
        """`GET /api/v1/qos`, JSON: see `gateway.http.qos`. Written once a tick at most, a stream at a time: in between
        media have their turn."""
        async with self._writing:
            if self._report_text is None:
                streams = []
                for name in sorted(self.streams):
                    # A tick may have come in between.
                    if (windows := self.windows(name)) is not None:
                        streams.append(json.dumps({"stream": name, "windows": windows}))
                    await asyncio.sleep(0)
                edge = json.dumps({"windows": edge_windows(self.streams)})
                self._report_text = f'{{"edge": {edge}, "streams": [{", ".join(streams)}]}}'
            return self._report_text

    def glance(self, name: str) -> Mapping[str, float | str | None]:
        """The last minute of a stream in a few figures, as of its last point: nothing is computed for it."""
        return self._glances.get(name, NOTHING_SEEN)

    def windows(self, name: str) -> dict[str, Any] | None:
        """The windows of a stream, JSON-ready; None before it was sampled."""
        quality = self.streams.get(name)
        if quality is None:
            return None
        known = self._windows.setdefault(name, {})
        for span in SPANS:
            if span.name not in known:
                known[span.name] = stream_window(span.name, quality)
        return {span.name: known[span.name] for span in SPANS}

    def samples(self) -> Iterator[Sample]:
        """For a scrape. What has no data has no sample: 100 would be a lie, and 0 an alarm."""
        for name, quality in self.streams.items():
            for leg, frames in quality.frames_due.items():
                yield "railbird_frames_due_total", (name, leg), frames
            for window, of in quality.scores().items():
                if of.points is None:
                    continue
                yield "railbird_qos_score", (name, window), of.points
                for each in of.terms:
                    if each.value is not None:
                        yield "railbird_qos_points_lost", (name, window, each.term.name), each.lost
        for window, edge in edge_scores(self.streams).items():
            if edge.points is not None:
                yield "railbird_qos_edge_score", (window,), edge.points
