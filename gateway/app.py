"""Builds the gateway, starts everything from one list, and stops it in reverse."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator

import structlog
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.gc_collector import GCCollector

from gateway.auth.audit import NAME, Audit
from gateway.bets.upstream import WebhookUpstream
from gateway.clock import WallClock, monotonic_s
from gateway.clockwork import Alarm, Clockwork, isolated
from gateway.config import HostPort, Settings
from gateway.http.access import Access
from gateway.http.server import HttpServer, application
from gateway.hub.collector import GatewayCollector
from gateway.hub.hub import Hub
from gateway.ledger.ledger import Ledger
from gateway.log import PlayerHash
from gateway.metrics import Histograms
from gateway.quality.operations import Operations
from gateway.quality.process import Process
from gateway.quality.sampler import TICK_S as QUALITY_TICK_S
from gateway.quality.sampler import Quality
from gateway.signals.signals import TICK_S as SIGNAL_TICK_S
from gateway.stream.catch_up import Pacing
from gateway.stream.registry import Registry
from gateway.stream.stream import StreamSettings
from gateway.tracing import Tracing
from gateway.transport.port import MediaPort
from gateway.transport.socket import MediaSocket
from gateway.watchdog.sample import SAMPLE_INTERVAL_S
from gateway.watchdog.watchdog import Watchdog

log = structlog.get_logger()

PUBLISHER_TICK_S = 0.05
"""Transport-wide feedback; what is missing is asked for at once, after the batch that showed it."""
VIEWER_TICK_S = 0.2
STREAM_TICK_S = 0.25
SWEEP_TICK_S = 1.0
MAX_LATENESS_S = 0.5
"""How long a datagram may wait in the kernel before video is shed: the delay that a player can bet with."""
PACER_TICK_S = 0.005
"""While a viewer is on its way to the live end; else the pacer sleeps."""
SHARE_FOR_BETS = 0.6
"""Of the shutdown timeout: for bets that are still to be handed on."""
LEAST_FOR_TRACES_S = 0.2
SIGNAL_TURN_S = 0.001
"""Between two turns of telling many players something: media goes first."""


class Gateway:
    """One process: one HTTP port, one media port, and the tickers that keep them going."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        buffers, timeouts = settings.socket_buffers, settings.timeouts
        clock = WallClock.anchored()
        audit = self._opened_audit(clock)
        with _listening("media", settings.udp) as (host, port):
            media_socket = MediaSocket(host, port, buffers.receive_bytes, buffers.send_bytes)
        self.port = MediaPort(media_socket, timeouts.idle_s, timeouts.handshake_s)
        self.registry = Registry(
            media_socket, _stream_settings(settings), settings.limits.streams, random.SystemRandom()
        )
        self.metrics = CollectorRegistry()
        self.histograms = Histograms(self.metrics)
        self.tracing = Tracing(settings.tracing)
        self.upstream = _upstream(settings, clock, self.tracing)
        self.hub = Hub(settings, self.port, self.registry, clock, self.histograms, self.upstream)
        self.ledger = self._opened_ledger(clock)
        self.hub.audit = audit
        self.access = Access(settings, audit)
        self.process = Process(monotonic_s())
        self.quality = Quality(self.hub, self.process, clock)
        operating = Operations(self.hub, self.quality, self.process, self._register_collectors().samples, clock)
        serving = application(settings, self.hub, self.metrics, self.access, operating, self.tracing)
        self._http = HttpServer(serving, settings.http)
        self._clockwork = Clockwork(self._on_lag)
        self._watchdog = Watchdog(settings.rounds.aborts, self.hub, self._clockwork)
        self._flush_alarm = Alarm(self._after_batch)
        self._pacer_alarm = Alarm(self._pace)
        self._window_alarm = Alarm(self._close_windows)
        self._signal_alarm = Alarm(self.hub.play.signals.pump)

    @property
    def _periodic(self) -> list[tuple[float, Callable[[float], None]]]:
        """Everything that runs for the life of the process: (seconds between calls, what to call with the time)."""
        return [
            (PUBLISHER_TICK_S, self.hub.tick_publishers),
            (VIEWER_TICK_S, self.hub.tick_viewers),
            (STREAM_TICK_S, self.hub.tick_streams),
            (SIGNAL_TICK_S, self.hub.play.signals.tick),
            (SAMPLE_INTERVAL_S, self._watchdog.tick),
            (SWEEP_TICK_S, self.port.end_silent_sessions),
            (QUALITY_TICK_S, self.quality.tick),
        ]

    async def start(self) -> HostPort:
        """Begin; the HTTP address. OSError when its port is taken, ConfigError without keys for tokens: `stop` then
        gives the media port back."""
        await self.access.start()
        self.port.after_batch = self._after_batch
        self.hub.on_joined = lambda: self._pacer_alarm.set(PACER_TICK_S, monotonic_s())
        self.hub.play.signals.on_rtt = self.quality.note_round_trip
        self.hub.play.rounds.listeners.append(lambda _round, now_s: self._await_window(now_s))
        self.hub.play.signals.on_backlog = lambda: self._signal_alarm.set(SIGNAL_TURN_S, monotonic_s())
        self.port.attach(asyncio.get_running_loop())
        if self.upstream is not None:
            self.upstream.start()
        with _listening("HTTP", self.settings.http):
            bound = await self._http.start()
        for period_s, call in [*self._periodic, *self.access.periodic]:
            self._clockwork.every(period_s, call)
        log.info("ready", http=str(bound), udp=self.port.socket.port, buffers=self.port.socket.buffers._asdict())
        return bound

    async def stop(self) -> None:
        """Admit nobody, tell all sessions, close. Bounded by the shutdown timeout."""
        log.info("stopping", sessions=len(self.port))
        end_s = monotonic_s() + self.settings.timeouts.shutdown_s
        self.hub.admission.is_draining = True
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
        self._flush_alarm.clear()
        self._pacer_alarm.clear()
        self._window_alarm.clear()
        self._signal_alarm.clear()
        self.port.detach(asyncio.get_running_loop())
        if self.ledger is not None:
            await asyncio.to_thread(self.ledger.close)
        await asyncio.to_thread(self.hub.audit.close)
        await self.tracing.stop(max(end_s - monotonic_s(), LEAST_FOR_TRACES_S))
        log.info("stopped")

    # After each batch of datagrams

    def _after_batch(self, now_s: float) -> None:
        """Ask studios for what is missing; send what is due, and come back for what may wait."""
        if self.port.lateness_s > MAX_LATENESS_S:
            for stream in self.registry:
                isolated(stream.shed_video, now_s, stream=stream.name)
        isolated(self.hub.ask_for_missing, now_s)
        next_s: float | None = None
        for stream in self.registry:
            wait_s = stream.wait_s(now_s)
            if wait_s is None:
                continue
            if wait_s <= 0:
                isolated(stream.flush, now_s, stream=stream.name)
            else:
                next_s = wait_s if next_s is None else min(next_s, wait_s)
            if stream.catch_up.is_pacing:
                self._pacer_alarm.set(PACER_TICK_S, now_s)
        if next_s is None:
            self._flush_alarm.clear()
        else:
            self._flush_alarm.set(next_s, now_s)
        isolated(self.hub.presentations.pump, now_s)

    def _pace(self, now_s: float) -> None:
        for stream in self.registry:
            if stream.catch_up.is_pacing:
                isolated(stream.pace, now_s, stream=stream.name)
            if stream.catch_up.is_pacing:
                self._pacer_alarm.set(PACER_TICK_S, now_s)

    def _close_windows(self, now_s: float) -> None:
        self.hub.play.rounds.tick(now_s)
        self._await_window(now_s)

    def _await_window(self, now_s: float) -> None:
        """Bets close by themselves to the millisecond: a clock that ticks would tell players too late."""
        closes_s = self.hub.play.rounds.next_close_s
        if closes_s is not None:
            self._window_alarm.set(max(closes_s - now_s, 0.0), now_s)

    def _on_lag(self, seconds: float) -> None:
        self.histograms.event_loop_lag_seconds.observe(seconds)
        self.process.note_lag(seconds)

    def _opened_ledger(self, clock: WallClock) -> Ledger | None:
        """ConfigError when it cannot be written: rounds without the record that was asked for are not to begin."""
        settings = self.settings.rounds
        if settings.ledger is None:
            return None
        ledger = Ledger(settings.ledger, "ledger", settings.ledger_file_bytes, clock)
        self.hub.play.tables.record = ledger.append
        return ledger

    def _opened_audit(self, clock: WallClock) -> Audit:
        """ConfigError when its trail cannot be written."""
        settings = self.settings
        trail = None
        if settings.audit.directory is not None:
            trail = Ledger(settings.audit.directory, NAME, settings.rounds.ledger_file_bytes, clock)
        key = settings.player_hash_key
        return Audit(PlayerHash(key.get_secret_value().encode() if key is not None else None), trail)

    def _register_collectors(self) -> GatewayCollector:
        hub = self.hub
        of_streams = [
            hub.play.rounds.samples,
            lambda: hub.play.desk.samples(each.name for each in self.registry),
            lambda: hub.play.signals.samples(each.name for each in self.registry),
            self.quality.samples,
        ]
        of_process = [self.access.samples, self.tracing.samples]
        if self.upstream is not None:
            of_process.append(self.upstream.samples)
        if self.ledger is not None:
            of_process.append(self.ledger.samples)
        collector = GatewayCollector(hub, of_streams, of_process)
        self.metrics.register(collector)
        ProcessCollector(registry=self.metrics)
        PlatformCollector(registry=self.metrics)
        GCCollector(registry=self.metrics)
        return collector


@contextlib.contextmanager
def _listening(what: str, where: HostPort) -> Iterator[tuple[str, int]]:
    """Host and port; an OSError in the block says which of the two ports it was."""
    try:
        yield where.host, where.port
    except OSError as error:
        raise OSError(error.errno, f"{what} at {where}: {error.strerror or error}") from error


def _upstream(settings: Settings, clock: WallClock, tracing: Tracing) -> WebhookUpstream | None:
    upstream = settings.bets.upstream
    return WebhookUpstream(upstream, clock, tracing) if upstream.url is not None else None


def _stream_settings(settings: Settings) -> StreamSettings:
    fanout = settings.fanout
    return StreamSettings(
        pacing=Pacing(floor_bps=fanout.instant_start_bps),
        hold_s=fanout.hold_ms / 1000,
        hold_from_viewers=fanout.hold_from_viewers,
        keyframe_age_s=fanout.keyframe_age_s,
    )
