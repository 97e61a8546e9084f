"""Builds the gateway, starts everything from one list, and stops it in reverse."""

import asyncio
import contextlib
import random
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.gc_collector import GCCollector

from gateway.clock import WallClock, monotonic_s
from gateway.config import HostPort, Settings
from gateway.http.server import HttpServer, application
from gateway.hub.collector import GatewayCollector
from gateway.hub.hub import Hub
from gateway.metrics import Histograms
from gateway.stream.catch_up import Pacing
from gateway.stream.registry import Registry
from gateway.stream.stream import StreamSettings
from gateway.transport.port import MediaPort
from gateway.transport.socket import MediaSocket

log = structlog.get_logger()

PUBLISHER_TICK_S = 0.01
PACER_TICK_S = 0.005
VIEWER_TICK_S = 0.1
STREAM_TICK_S = 0.25
SWEEP_TICK_S = 1.0
LAG_TICK_S = 0.1


class Gateway:
    """One process: one HTTP port, one media port, and the tickers that keep them going."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        buffers, timeouts = settings.socket_buffers, settings.timeouts
        media_socket = MediaSocket(settings.udp.host, settings.udp.port, buffers.receive_bytes, buffers.send_bytes)
        self.port = MediaPort(media_socket, timeouts.idle_s, timeouts.handshake_s)
        self.registry = Registry(
            media_socket, _stream_settings(settings), settings.limits.streams, random.SystemRandom()
        )
        self.metrics = CollectorRegistry()
        self.histograms = Histograms(self.metrics)
        self.hub = Hub(settings, self.port, self.registry, WallClock.anchored(), self.histograms)
        self._register_collectors()
        self._http = HttpServer(application(settings, self.hub, self.metrics), settings.http)
        self._tasks: list[asyncio.Task[None]] = []
        self._flush_timer: asyncio.TimerHandle | None = None

    @property
    def _tickers(self) -> list[tuple[float, Callable[[float], None]]]:
        """Everything that runs for the life of the process: (seconds between calls, what to call with the time)."""
        return [
            (PUBLISHER_TICK_S, self.hub.tick_publishers),
            (PACER_TICK_S, self._pace),
            (VIEWER_TICK_S, self.hub.tick_viewers),
            (STREAM_TICK_S, self.hub.tick_streams),
            (SWEEP_TICK_S, self.port.end_silent_sessions),
        ]

    async def start(self) -> HostPort:
        """Bind both ports and begin; the HTTP address. OSError when a port is taken."""
        loop = asyncio.get_running_loop()
        self.port.after_batch = self._flush
        self.port.attach(loop)
        bound = await self._http.start()
        self._tasks = [asyncio.create_task(_every(period_s, call)) for period_s, call in self._tickers]
        self._tasks.append(asyncio.create_task(self._watch_lag()))
        log.info("ready", http=str(bound), udp=self.port.socket.port, buffers=self.port.socket.buffers._asdict())
        return bound

    async def stop(self) -> None:
        """Admit nobody, tell all sessions, close. Bounded by the shutdown timeout."""
        log.info("stopping", sessions=len(self.port))
        self.hub.drain()
        try:
            async with asyncio.timeout(self.settings.timeouts.shutdown_s):
                await self._http.stop()
        except TimeoutError:
            log.warning("some requests did not end in time")
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.port.detach(asyncio.get_running_loop())
        log.info("stopped")

    # The batch

    def _flush(self, now_s: float) -> None:
        """After the socket was read empty: send what is due, and come back for what may wait."""
        next_s: float | None = None
        for stream in self.registry:
            wait_s = stream.wait_s(now_s)
            if wait_s is None:
                continue
            if wait_s <= 0:
                stream.flush(now_s)
            else:
                next_s = wait_s if next_s is None else min(next_s, wait_s)
        if next_s is not None and self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(next_s, self._on_flush_timer)

    def _on_flush_timer(self) -> None:
        self._flush_timer = None
        self._flush(monotonic_s())

    def _pace(self, now_s: float) -> None:
        for stream in self.registry:
            if stream.catch_up.outlets and stream.catch_up.is_pacing:
                stream.pace(now_s)

    async def _watch_lag(self) -> None:
        observe = self.histograms.event_loop_lag_seconds.observe
        while True:
            due_s = monotonic_s() + LAG_TICK_S
            await asyncio.sleep(LAG_TICK_S)
            observe(max(monotonic_s() - due_s, 0.0))

    def _register_collectors(self) -> None:
        self.metrics.register(GatewayCollector(self.hub))
        ProcessCollector(registry=self.metrics)
        PlatformCollector(registry=self.metrics)
        GCCollector(registry=self.metrics)


async def _every(period_s: float, call: Callable[[float], None]) -> None:
    while True:
        try:
            call(monotonic_s())
        except Exception:
            # A bug must not stop the clockwork for everybody else; it is loud in the log.
            log.exception("ticker failed", ticker=getattr(call, "__qualname__", str(call)))
        await asyncio.sleep(period_s)


def _stream_settings(settings: Settings) -> StreamSettings:
    fanout = settings.fanout
    return StreamSettings(
        pacing=Pacing(floor_bps=fanout.instant_start_bps),
        hold_s=fanout.hold_ms / 1000,
        hold_from_viewers=fanout.hold_from_viewers,
        keyframe_age_s=fanout.keyframe_age_s,
    )
