"""What the gateway is made of, opened as the settings say. Who owns it, starts it and stops it is in `app.py`."""

import contextlib
from collections.abc import Callable, Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.gc_collector import GCCollector

from gateway.auth.audit import NAME, Audit
from gateway.bets.upstream import WebhookUpstream
from gateway.clock import WallClock
from gateway.config import DscpSettings, HostPort, Settings
from gateway.hub.collector import GatewayCollector
from gateway.hub.drain_file import DrainFile
from gateway.hub.hub import Hub
from gateway.ledger.ledger import Ledger
from gateway.log import PlayerHash
from gateway.metrics import Sample
from gateway.node.node import Node
from gateway.stream.catch_up import Pacing
from gateway.stream.stream import StreamSettings
from gateway.tracing import Tracing
from gateway.transport.marking import Codepoints
from gateway.transport.port import MediaPort
from gateway.transport.socket import MediaSocket

log = structlog.get_logger()


@contextlib.contextmanager
def listening(what: str, where: HostPort) -> Iterator[tuple[str, int]]:
    """Host and port; an OSError in the block says which of the two ports it was."""
    try:
        yield where.host, where.port
    except OSError as error:
        raise OSError(error.errno, f"{what} at {where}: {error.strerror or error}") from error


def media_port(settings: Settings) -> MediaPort:
    """Bound. OSError when it cannot be."""
    buffers, timeouts = settings.socket_buffers, settings.timeouts
    with listening("media", settings.udp) as (host, port):
        media_socket = MediaSocket(host, port, buffers.receive_bytes, buffers.send_bytes, codepoints_of(settings.dscp))
    return MediaPort(media_socket, timeouts.idle_s, timeouts.handshake_s)


def codepoints_of(settings: DscpSettings) -> Codepoints | None:
    """Which class of packets gets which DSCP; None: they are not marked."""
    if not settings.enabled:
        return None
    return Codepoints(settings.bet_signals, settings.audio, settings.video, settings.retransmission)


def tuned_node(settings: Settings) -> Node | None:
    """What the tuner says of this node, if it says anything. A gateway for others that does not ask it says so."""
    node = settings.node
    if node.result is not None:
        return Node(node.result, node.max_age_s)
    if settings.reached_by is not None:
        log.warning(
            "nobody looks at the node",
            setting="node.result",
            consequence="an untuned node is ready, and drops datagrams",
        )
    return None


def drain_file(settings: Settings, hub: Hub) -> DrainFile | None:
    """What looks for the file that orders a drain, if there may be one."""
    return DrainFile(settings.drain.file, hub.draining) if settings.drain.file is not None else None


def stream_settings(settings: Settings) -> StreamSettings:
    """How streams hold, pace and refresh."""
    fanout = settings.fanout
    return StreamSettings(
        pacing=Pacing(floor_bps=fanout.instant_start_bps),
        hold_s=fanout.hold_ms / 1000,
        hold_from_viewers=fanout.hold_from_viewers,
        keyframe_age_s=fanout.keyframe_age_s,
    )


def webhook_upstream(settings: Settings, clock: WallClock, tracing: Tracing) -> WebhookUpstream | None:
    """Where accepted bets go, if they go anywhere."""
    upstream = settings.bets.upstream
    return WebhookUpstream(upstream, clock, tracing) if upstream.url is not None else None


def round_ledger(settings: Settings, clock: WallClock) -> Ledger | None:
    """ConfigError when it cannot be written: rounds without the record that was asked for are not to begin."""
    rounds = settings.rounds
    if rounds.ledger is None:
        return None
    return Ledger(rounds.ledger, "ledger", rounds.ledger_file_bytes, clock)


def audit_trail(settings: Settings, clock: WallClock) -> Audit:
    """ConfigError when it cannot be written."""
    trail = None
    if settings.audit.directory is not None:
        trail = Ledger(settings.audit.directory, NAME, settings.rounds.ledger_file_bytes, clock)
    key = settings.player_hash_key
    return Audit(PlayerHash(key.get_secret_value().encode() if key is not None else None), trail)


Samples = Callable[[], Iterable[Sample]]


def register_collectors(
    metrics: CollectorRegistry, hub: Hub, of_streams: Iterable[Samples], of_process: Iterable[Samples]
) -> GatewayCollector:
    """Let `metrics` tell of the gateway and of its process; see `GatewayCollector`."""
    collector = GatewayCollector(hub, of_streams, of_process)
    metrics.register(collector)
    ProcessCollector(registry=metrics)
    PlatformCollector(registry=metrics)
    GCCollector(registry=metrics)
    return collector
