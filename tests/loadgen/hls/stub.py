"""A live LL-HLS server whose every fault is a test's wish: a part of video and one of audio every tenth of a second."""

import asyncio
import contextlib
import gzip
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from tests.loadgen.hls import media

STREAM = "table"
PART_S = 0.1
PARTS_A_SEGMENT = 5
SEGMENT_S = PART_S * PARTS_A_SEGMENT
FRAMES_A_PART = 3
TARGET_S = 1
HOLD_BACK_S = 0.3
PARTS_KEPT_SEGMENTS = 4
"""Segments whose parts are listed."""

_TICKS = {"video": 9_000, "audio": 4_800}


@dataclass
class StubSegment:
    """One, of both renditions."""

    msn: int
    begin_unix_s: float
    init: int
    is_discontinuous: bool
    parts: dict[str, list[bytes]] = field(default_factory=lambda: {"video": [], "audio": []})
    is_complete: bool = False


Refusal = Callable[[web.Request], web.StreamResponse | None]


@dataclass
class Stub:
    """What it serves, what it was asked, and what goes wrong."""

    history_s: float = 3.0
    """Of the stream before the test begins."""
    window: int = 40
    """Segments."""
    token: str | None = None
    late_s: float = 0.0
    """How much later everything is answered than it could be."""
    refuse: Refusal = lambda _request: None
    """Answers in the server's place."""
    spoil: Callable[[str], str] = lambda text: text
    """Does something to each media playlist."""
    hints: bool = True
    segments: list[StubSegment] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Path and query of each request, in order."""
    connections: Counter[tuple[str, int]] = field(default_factory=Counter)
    has_ended: bool = False
    generation: str = "g1"
    gap_ticks: int = 0
    """Added once to the time of the next part of video."""

    def __post_init__(self) -> None:
        self._changed = asyncio.Condition()
        self._running = asyncio.Event()
        self._running.set()
        self._next_ticks = {"video": 0, "audio": 0}
        self._breaks = False
        self._init = 0
        self._next_s = time.time() - self.history_s
        """When the next part is there."""

    # As the studio

    async def publish(self) -> None:
        """Until cancelled."""
        while True:
            self._next_s += PART_S
            await asyncio.sleep(max(self._next_s - time.time(), 0.0))
            if not self._running.is_set():
                await self._running.wait()
                self._next_s = time.time()
            async with self._changed:
                self._add_part()
                self._changed.notify_all()

    def _add_part(self) -> None:
        if not self.segments or self.segments[-1].is_complete:
            msn = self.segments[-1].msn + 1 if self.segments else 0
            self._init += self._breaks
            self.segments.append(StubSegment(msn, self._next_s - PART_S, self._init, self._breaks))
            self._breaks = False
            del self.segments[: -self.window]
        segment = self.segments[-1]
        self._next_ticks["video"] += self.gap_ticks
        self.gap_ticks = 0
        stamped = media.stamped_sample(self._next_s - PART_S)
        frames = [(_TICKS["video"] // FRAMES_A_PART, stamped)] * FRAMES_A_PART
        for kind, samples in {"video": frames, "audio": [(_TICKS["audio"], b"sound")]}.items():
            segment.parts[kind].append(media.fragment(self._next_ticks[kind], samples))
            self._next_ticks[kind] += _TICKS[kind]
        segment.is_complete = len(segment.parts["video"]) == PARTS_A_SEGMENT

    def pause(self) -> None:
        """No part comes."""
        self._running.clear()

    def go_on(self) -> None:
        """As if nothing had been."""
        self._running.set()

    def break_timeline(self) -> None:
        """At the next segment: EXT-X-DISCONTINUITY, another init section, another time."""
        self._breaks = True
        self._next_ticks = {kind: ticks + 1_000_000 for kind, ticks in self._next_ticks.items()}

    async def end(self) -> None:
        """The stream is over."""
        self._running.clear()
        self.has_ended = True
        async with self._changed:
            self._changed.notify_all()

    def restart(self) -> None:
        """Another generation; the old one is forgotten."""
        self.generation = f"g{int(self.generation[1:]) + 1}"
        del self.segments[:-1]

    # As the server

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any GET."""
        self.asked.append(request.path_qs)
        peer = request.transport.get_extra_info("peername") if request.transport is not None else ("", 0)
        self.connections[peer] += 1
        refused = self.refuse(request)
        if refused is not None:
            return refused
        generation, _, name = request.path.removeprefix(f"/hls/{STREAM}/").partition("/")
        if generation == "index.m3u8":
            return await self._multivariant(request)
        if generation != self.generation:
            raise web.HTTPNotFound(text="Another generation.")
        if name.endswith(".m3u8"):
            return await self._playlist(request, name.removesuffix(".m3u8"))
        kind, _, file = name.partition("/")
        if file.startswith("init-"):
            return await self._late(body=_INIT[kind])
        return await self._media(kind, file.removesuffix(".m4s"))

    async def _late(self, body: bytes, **headers: str) -> web.Response:
        await asyncio.sleep(self.late_s)
        return web.Response(body=body, headers=headers)

    async def _multivariant(self, request: web.Request) -> web.Response:
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized(text="No token.")
        lines = (
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",DEFAULT=YES,URI="{self.generation}/audio.m3u8"',
            '#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.42e01f,mp4a.40.2",AUDIO="audio"',
            f"{self.generation}/video.m3u8",
        )
        return await self._late("\n".join(lines).encode())

    async def _playlist(self, request: web.Request, kind: str) -> web.Response:
        if "_HLS_msn" in request.query:
            wanted = (int(request.query["_HLS_msn"]), int(request.query.get("_HLS_part", 0)))
            await self._wait_for(lambda: self._next_position > wanted or self.has_ended)
        text = self.spoil(self.playlist(kind, request.query.get("_HLS_skip") == "YES"))
        return await self._late(gzip.compress(text.encode(), mtime=0), **{"Content-Encoding": "gzip"})

    async def _wait_for(self, is_there: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(is_there)

    @property
    def _next_position(self) -> tuple[int, int]:
        last = self.segments[-1]
        return (last.msn + 1, 0) if last.is_complete else (last.msn, len(last.parts["video"]))

    async def _media(self, kind: str, name: str) -> web.Response:
        msn, part = (int(number) for number in name.split("."))
        if (msn, part) == self._next_position:
            await self._wait_for(lambda: self._next_position > (msn, part))
        found = next((segment for segment in self.segments if segment.msn == msn), None)
        if found is None or part >= len(found.parts[kind]):
            raise web.HTTPNotFound(text="Gone.")
        return await self._late(found.parts[kind][part])

    def playlist(self, kind: str, skips: bool = False) -> str:
        """As it is now."""
        skipped = max(len(self.segments) - round(6 * TARGET_S / SEGMENT_S) - 1, 0) if skips else 0
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{TARGET_S}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK_S},CAN-SKIP-UNTIL={6 * TARGET_S}",
            f"#EXT-X-PART-INF:PART-TARGET={PART_S}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.segments[0].msn}",
            *([f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"] if skipped else []),
        ]
        init = None
        for number, segment in enumerate(self.segments[skipped:], skipped):
            lines += [] if not segment.is_discontinuous else ["#EXT-X-DISCONTINUITY"]
            lines += (
                [f'#EXT-X-MAP:URI="{kind}/init-{segment.init}.mp4"'] if segment.init != init and not skipped else []
            )
            lines += _segment_lines(kind, segment, len(self.segments) - number <= PARTS_KEPT_SEGMENTS)
            init = segment.init
        if self.has_ended:
            return "\n".join([*lines, "#EXT-X-ENDLIST"])
        msn, part = self._next_position
        hint = [f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{kind}/{msn}.{part}.m4s"'] if self.hints else []
        return "\n".join([*lines, *hint])


def _segment_lines(kind: str, segment: StubSegment, has_parts: bool) -> list[str]:
    date = datetime.fromtimestamp(segment.begin_unix_s, UTC).isoformat(timespec="milliseconds")
    lines = [f"#EXT-X-PROGRAM-DATE-TIME:{date}"]
    if has_parts:
        for number in range(len(segment.parts[kind])):
            independent = ",INDEPENDENT=YES" if number == 0 or kind == "audio" else ""
            lines.append(f'#EXT-X-PART:DURATION={PART_S},URI="{kind}/{segment.msn}.{number}.m4s"{independent}')
    return [*lines, f"#EXTINF:{SEGMENT_S},", f"{kind}/{segment.msn}.m4s"] if segment.is_complete else lines


_INIT = {
    "video": media.init_section(media.VIDEO_TIMESCALE, b"vide"),
    "audio": media.init_section(media.AUDIO_TIMESCALE, b"soun"),
}


@contextlib.asynccontextmanager
async def serving(stub: Stub) -> AsyncIterator[str]:
    """The address of its multivariant playlist. The stream has its history, and goes on."""
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", stub.answer)])
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    publishing = asyncio.create_task(stub.publish())
    await asyncio.sleep(0.05)  # for the history
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/hls/{STREAM}/index.m3u8"
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        await runner.cleanup()
