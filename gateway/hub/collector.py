"""Reads the plain counters at scrape time, into the families of `gateway.metrics`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.clock import unix_s
from gateway.hls.presentations import Presentations
from gateway.hub.hub import Hub
from gateway.hub.viewing import Viewing
from gateway.metrics import FAMILIES, Sample
from gateway.stream.fanout import DROP_REASONS
from gateway.stream.figures import IngestFigures
from gateway.stream.stream import Stream


class GatewayCollector(Collector):
    """One scrape reads everything once."""

    def __init__(
        self,
        hub: Hub,
        others: Iterable[Callable[[], Iterable[Sample]]] = (),
        of_process: Iterable[Callable[[], Iterable[Sample]]] = (),
    ) -> None:
        """Both tell what the hub does not know, each at every scrape; `of_process` what has no label `stream`."""
        self._hub = hub
        self._others = tuple(others)
        self._of_process = tuple(of_process)

    def describe(self) -> Iterable[Metric]:
        """What there is, without reading it."""
        return [family.empty() for family in FAMILIES.values()]

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        families = {name: family.empty() for name, family in FAMILIES.items()}
        for name, labels, value in self.samples():
            families[name].add_metric(labels, value)
        return families.values()

    def samples(self) -> Iterator[Sample]:
        """All of them, as they stand now."""
        for stream in self._hub.registry:
            yield from stream_samples(self._hub, stream)
        for labels, count in self._hub.presentations.requests.items():
            yield "railbird_hls_requests_total", labels, count
        for samples in (self.process_samples, *self._others):
            yield from samples()

    def process_samples(self) -> Iterator[Sample]:
        """Those of no stream: few, however many streams there are."""
        yield from self._session_samples()
        yield from self._port_samples()
        for samples in self._of_process:
            yield from samples()

    def _session_samples(self) -> Iterator[Sample]:
        hub = self._hub
        by_leg = {"ingest": 0, "egress": 0}
        for session in hub.port.sessions():
            by_leg[session.leg.value] += 1
        for leg, count in by_leg.items():
            yield "railbird_sessions", (leg,), count
        yield "railbird_half_open_sessions", (), hub.port.half_open
        for labels, count in hub.sessions.ended.items():
            yield "railbird_sessions_ended_total", labels, count
        for labels, count in hub.admission.refused.items():
            yield "railbird_sessions_refused_total", labels, count
        yield "railbird_publisher_takeovers_total", (), hub.studios.takeovers
        yield "railbird_ready", (), float(hub.readiness.answer(unix_s()).is_ready)

    def _port_samples(self) -> Iterator[Sample]:
        port = self._hub.port
        for kind, count in port.received.items():
            yield "railbird_datagrams_total", (kind.value,), count
        for cause, count in port.dropped.items():
            yield "railbird_datagrams_dropped_total", (cause,), count
        buffers = port.socket.buffers
        yield "railbird_socket_buffer_bytes", ("receive", "asked"), buffers.receive_asked_bytes
        yield "railbird_socket_buffer_bytes", ("receive", "granted"), buffers.receive_granted_bytes
        yield "railbird_socket_buffer_bytes", ("send", "asked"), buffers.send_asked_bytes
        yield "railbird_socket_buffer_bytes", ("send", "granted"), buffers.send_granted_bytes
        yield "railbird_socket_kernel_drops_total", (), port.socket.kernel_receive_drops()
        yield "railbird_gso_enabled", (), float(port.socket.segmentation)
        if port.socket.codepoints is not None:
            for traffic_class, dscp in asdict(port.socket.codepoints).items():
                yield "railbird_dscp", (traffic_class,), dscp


def stream_samples(hub: Hub, stream: Stream) -> Iterator[Sample]:
    """What the hub knows of one stream."""
    yield from _media_samples(stream)
    yield from _egress_samples(stream, hub.viewing_of(stream))
    publisher = hub.studios.publishers.get(stream.source.session_id) if stream.source is not None else None
    now = publisher.figures if publisher is not None else IngestFigures()
    yield from _ingest_samples(stream.name, stream.ingest_before + now)
    yield from _hls_samples(stream.name, hub.presentations)


def _media_samples(stream: Stream) -> Iterator[Sample]:
    name, tracks = stream.name, stream.tracks.values()
    yield "railbird_stream_live", (name,), float(stream.source is not None)
    yield "railbird_packets_total", (name, "ingest"), sum(track.figures.packets for track in tracks)
    yield "railbird_bytes_total", (name, "ingest"), sum(track.figures.bytes for track in tracks)
    yield "railbird_keyframes_total", (name,), sum(track.figures.keyframes for track in tracks)
    for track in tracks:
        yield "railbird_frames_total", (name, track.kind), track.figures.frames
        if track.is_video:
            undecodable = track.figures.awaiting_keyframe_frames
            yield "railbird_frames_dropped_total", (name, "ingest", "awaiting_keyframe"), undecodable
    yield "railbird_keyframe_requests_total", (name, "ingest"), stream.keyframe_requests_sent


def _ingest_samples(name: str, figures: IngestFigures) -> Iterator[Sample]:
    yield "railbird_packets_lost_total", (name, "ingest"), figures.packets_lost
    yield "railbird_packets_recovered_total", (name,), figures.packets_recovered
    yield "railbird_nacked_packets_total", (name, "ingest"), figures.packets_nacked
    yield "railbird_frames_dropped_total", (name, "ingest", "lost"), figures.frames_lost
    yield "railbird_frames_dropped_total", (name, "ingest", "oversized"), figures.frames_oversized
    yield "railbird_packets_dropped_total", (name, "ingest", "oversized"), figures.oversized


def _egress_samples(stream: Stream, viewing: Viewing) -> Iterator[Sample]:
    name, figures, again = stream.name, stream.figures, viewing.retransmissions
    yield "railbird_viewers", (name, "webrtc"), stream.viewers
    yield "railbird_packets_total", (name, "egress"), figures.packets
    yield "railbird_bytes_total", (name, "egress"), figures.bytes
    yield "railbird_sends_total", (name,), figures.sends
    yield "railbird_failed_sends_total", (name,), figures.failed_sends
    for reason, frames in (dict.fromkeys(DROP_REASONS, 0) | figures.frames_dropped).items():
        yield "railbird_frames_dropped_total", (name, "egress", reason), frames
    yield "railbird_packets_dropped_total", (name, "egress", "audio_overload"), figures.audio_dropped
    yield "railbird_packets_lost_total", (name, "egress"), viewing.figures.packets_lost
    yield "railbird_nacked_packets_total", (name, "egress"), viewing.figures.nacked_packets
    yield "railbird_keyframe_requests_total", (name, "egress"), viewing.figures.keyframe_requests
    yield "railbird_retransmissions_total", (name, "rtx"), again.by_rtx
    yield "railbird_retransmissions_total", (name, "identical"), again.identical
    for reason in ("unknown", "too_soon", "over_budget"):
        yield "railbird_retransmissions_refused_total", (name, reason), getattr(again, reason)


def _hls_samples(name: str, presentations: Presentations) -> Iterator[Sample]:
    figures, presentation = presentations.figures(name), presentations.current(name)
    yield "railbird_viewers", (name, "hls"), presentation.players if presentation is not None else 0
    yield "railbird_hls_parts_total", (name, "video"), figures.video_parts
    yield "railbird_hls_parts_total", (name, "audio"), figures.audio_parts
    yield "railbird_hls_discontinuities_total", (name,), figures.discontinuities
    yield "railbird_hls_segments_without_keyframe_total", (name,), figures.segments_without_keyframe
    yield "railbird_hls_parts_over_target_total", (name,), figures.parts_over_target
    yield "railbird_hls_concealed_seconds_total", (name,), figures.concealed_seconds
    yield "railbird_hls_stored_bytes", (name,), presentation.stored_bytes if presentation is not None else 0
    yield "railbird_hls_waiting_requests", (name,), presentations.waiting(name)
    for reason in ("incomplete", "undecodable", "reordered"):
        yield "railbird_frames_dropped_total", (name, "egress", f"hls_{reason}"), getattr(figures, f"frames_{reason}")
