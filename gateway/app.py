"""Builds the gateway, starts everything from one list, and stops it in reverse."""

import asyncio
import random
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry

from gateway.building import (
    audit_trail,
    drain_file,
    listening,
    media_port,
    register_collectors,
    round_ledger,
    stream_settings,
    tuned_node,
    webhook_upstream,
)
from gateway.clock import WallClock, monotonic_s
from gateway.clockwork import Clockwork
from gateway.config import HostPort, Settings
from gateway.http.access import Access
from gateway.http.malformed import Malformed
from gateway.http.server import HttpServer, application
from gateway.hub.collector import GatewayCollector
from gateway.hub.drain import TICK_S as DRAIN_TICK_S
from gateway.hub.drain import Order
from gateway.hub.drain_file import LOOK_INTERVAL_S as DRAIN_LOOK_INTERVAL_S
from gateway.hub.hub import Hub
from gateway.metrics import Histograms
from gateway.node.node import LOOK_INTERVAL_S
from gateway.quality.operations import Operations
from gateway.quality.process import Process
from gateway.quality.sampler import TICK_S as QUALITY_TICK_S
from gateway.quality.sampler import Quality
from gateway.signals.signals import TICK_S as SIGNAL_TICK_S
from gateway.stream.registry import Registry
from gateway.tracing import Tracing
from gateway.turns import Turns
from gateway.watchdog.sample import SAMPLE_INTERVAL_S
from gateway.watchdog.watchdog import Watchdog

log = structlog.get_logger()

PUBLISHER_TICK_S = 0.05
"""Transport-wide feedback; what is missing is asked for at once, after the batch that showed it."""
VIEWER_TICK_S = 0.2
STREAM_TICK_S = 0.25
SWEEP_TICK_S = 1.0
SHARE_FOR_BETS = 0.6
"""Of the shutdown timeout: for bets that are still to be handed on."""
LEAST_FOR_TRACES_S = 0.2


class Gateway:
    """One process: one HTTP port, one media port, and the tickers that keep them going."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        clock = WallClock.anchored()
        audit = audit_trail(settings, clock)
        self.port = media_port(settings)
        self.registry = Registry(
            self.port.socket, stream_settings(settings), settings.limits.streams, random.SystemRandom()
        )
        self.metrics = CollectorRegistry()
        self.histograms = Histograms(self.metrics)
        self.tracing = Tracing(settings.tracing)
        self.upstream = webhook_upstream(settings, clock, self.tracing)
        self.node = tuned_node(settings)
        self.hub = Hub(settings, self.port, self.registry, clock, self.histograms, self.upstream, audit, self.node)
        self.drain_file = drain_file(settings, self.hub)
        self.ledger = round_ledger(settings, clock)
        if self.ledger is not None:
            self.hub.play.tables.record = self.ledger.append
        self.access = Access(settings, audit)
        self.malformed = Malformed()
        self.process = Process(monotonic_s())
        self.quality = Quality(self.hub, self.process, clock)
        operating = Operations(self.hub, self.quality, self.process, self._register_collectors().process_samples, clock)
        serving = application(settings, self.hub, self.metrics, self.access, operating, self.tracing)
        self._http = HttpServer(serving, settings.http, self.malformed)
        self._clockwork = Clockwork(self._on_lag)
        self._watchdog = Watchdog(settings.rounds.aborts, self.hub, self._clockwork)
        self._turns = Turns(self.hub)

    @property
    def _periodic(self) -> list[tuple[float, Callable[[float], None]]]:
        """Everything that runs for the life of the process: (seconds between calls, what to call with the time)."""
        return [
            (PUBLISHER_TICK_S, self.hub.tick_publishers),
            (VIEWER_TICK_S, self.hub.tick_viewers),
            (STREAM_TICK_S, self.hub.tick_streams),
            (SIGNAL_TICK_S, self.hub.play.signals.tick),
            (SAMPLE_INTERVAL_S, self._watchdog.tick),
            (DRAIN_TICK_S, self.hub.tick_drain),
            (SWEEP_TICK_S, self.port.end_silent_sessions),
            (QUALITY_TICK_S, self.quality.tick),
        ]

    @property
    def _read_at_the_start(self) -> list[tuple[float, Callable[[float], None]]]:
        """Files and URLs that are read again each so many seconds; `start` itself reads them for the first time."""
        node = [(LOOK_INTERVAL_S, self.node.tick)] if self.node is not None else []
        file = [(DRAIN_LOOK_INTERVAL_S, self.drain_file.tick)] if self.drain_file is not None else []
        return [*self.access.periodic, *node, *file]

    async def start(self) -> HostPort:
        """Begin; the HTTP address. OSError when its port is taken, ConfigError without keys for tokens: `stop` then
        gives the media port back."""
        await self.access.start()
        if self.node is not None:
            await self.node.start()
        if self.drain_file is not None:
            await self.drain_file.start()
        self._turns.start()
        self.hub.play.signals.on_rtt = self.quality.note_round_trip
        self.port.attach(asyncio.get_running_loop())
        if self.upstream is not None:
            self.upstream.start()
        with listening("HTTP", self.settings.http):
            bound = await self._http.start()
        for period_s, call in self._periodic:
            self._clockwork.every(period_s, call)
        for period_s, call in self._read_at_the_start:
            self._clockwork.again_every(period_s, call)
        log.info("ready", http=str(bound), udp=self.port.socket.port, buffers=self.port.socket.buffers._asdict())
        return bound

    def leave(self, on_end: Callable[[], None]) -> bool:
        """SIGTERM: drain, then call `on_end`. False where that was said before: who says it again wants the end now."""
        self.hub.draining.on_leave = on_end
        return self.hub.draining.order(Order.SIGNAL, monotonic_s())

    async def stop(self) -> None:
        """Whether it has drained or not: admit nobody, tell all sessions, close. Bounded by the shutdown timeout."""
        log.info("stopping", sessions=len(self.port))
        end_s = monotonic_s() + self.settings.timeouts.shutdown_s
        self.hub.draining.end()
        if self.upstream is not None:
            # Before players are sent away: they are told what became of their bets.
            await self.upstream.stop(self.settings.timeouts.shutdown_s * SHARE_FOR_BETS)
        self.hub.drain()
        try:
            async with asyncio.timeout(end_s - monotonic_s()):
                await self._http.stop()
        except TimeoutError:
            log.warning("some requests did not end in time")
        self._clockwork.stop()
        await self.access.stop()
        if self.node is not None:
            await self.node.stop()
        if self.drain_file is not None:
            await self.drain_file.stop()
        self._turns.stop()
        self.port.detach(asyncio.get_running_loop())
        if self.ledger is not None:
            await asyncio.to_thread(self.ledger.close)
        await asyncio.to_thread(self.hub.audit.close)
        await self.tracing.stop(max(end_s - monotonic_s(), LEAST_FOR_TRACES_S))
        log.info("stopped")

    def _on_lag(self, seconds: float) -> None:
        self.histograms.event_loop_lag_seconds.observe(seconds)
        self.process.note_lag(seconds)

    def _register_collectors(self) -> GatewayCollector:
        of_process = [
            each.samples
            for each in (
                self.access,
                self.malformed,
                self.tracing,
                self.upstream,
                self.ledger,
                self.node,
                self.hub.draining,
            )
            if each is not None
        ]
        of_streams = [self.hub.play.samples, self.quality.samples, self.hub.drain_samples]
        return register_collectors(self.metrics, self.hub, of_streams, of_process)
