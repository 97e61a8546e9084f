"""Every metric of the gateway: name, type, labels, buckets, meaning. Labels are bounded: never a viewer, never an
address.

What is counted on the way of a packet is a plain integer on its object, read at scrape time through `FAMILIES`; what
has a distribution is a histogram here.
"""

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

_SETUP_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
_RTT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)
_LAG_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


class Histograms:
    """Distributions, observed as they happen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.join_seconds = Histogram(
            "railbird_join_seconds",
            "From a player's POST to its SRTP keys.",
            ["protocol"],
            buckets=_SETUP_BUCKETS_S,
            registry=registry,
        )
        self.first_frame_seconds = Histogram(
            "railbird_first_frame_seconds",
            "From a player's POST to the last packet of its first keyframe.",
            ["protocol"],
            buckets=_SETUP_BUCKETS_S,
            registry=registry,
        )
        self.media_rtt_seconds = Histogram(
            "railbird_media_rtt_seconds",
            "Round-trip time of the media path, by RTCP.",
            ["leg"],
            buckets=_RTT_BUCKETS_S,
            registry=registry,
        )
        self.event_loop_lag_seconds = Histogram(
            "railbird_event_loop_lag_seconds",
            "How late the event loop calls a timer.",
            buckets=_LAG_BUCKETS_S,
            registry=registry,
        )


@dataclass(frozen=True, slots=True)
class Family:
    """A metric that is read at scrape time."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    meaning: str

    def empty(self) -> CounterMetricFamily | GaugeMetricFamily:
        """A family to add samples to."""
        make = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return make(self.name, self.meaning, labels=self.labels)


_STREAM = ("stream",)
_STREAM_LEG = ("stream", "leg")

FAMILIES = {
    family.name: family
    for family in (
        Family(
            "railbird_viewers",
            "gauge",
            ("stream", "protocol"),
            "Players that watch; of hls those whose requests come here, and not to a cache in front.",
        ),
        Family("railbird_stream_live", "gauge", _STREAM, "1 while a studio publishes the stream."),
        Family("railbird_sessions", "gauge", ("leg",), "Sessions, half-open ones included."),
        Family("railbird_half_open_sessions", "gauge", (), "Sessions that have not finished the DTLS handshake."),
        Family("railbird_packets_total", "counter", _STREAM_LEG, "RTP packets received (ingest) or sent (egress)."),
        Family(
            "railbird_bytes_total", "counter", _STREAM_LEG, "Bytes: ingest of payload, egress of whole SRTP packets."
        ),
        Family(
            "railbird_sends_total",
            "counter",
            _STREAM,
            "System calls that sent media; packets a send is the batch size.",
        ),
        Family("railbird_failed_sends_total", "counter", _STREAM, "Sends that the kernel refused for one destination."),
        Family(
            "railbird_packets_lost_total",
            "counter",
            _STREAM_LEG,
            "Packets that never came: to us, or as players report.",
        ),
        Family(
            "railbird_packets_recovered_total", "counter", _STREAM, "Packets of the studio recovered by retransmission."
        ),
        Family("railbird_nacked_packets_total", "counter", _STREAM_LEG, "Packets asked for again: by us, by players."),
        Family("railbird_retransmissions_total", "counter", ("stream", "kind"), "Packets sent to players again."),
        Family("railbird_retransmissions_refused_total", "counter", ("stream", "reason"), "Packets not sent again."),
        Family(
            "railbird_keyframe_requests_total", "counter", _STREAM_LEG, "PLI and FIR: by players, and sent to studios."
        ),
        Family("railbird_keyframes_total", "counter", _STREAM, "Keyframes received."),
        Family("railbird_frames_total", "counter", ("stream", "track"), "Frames received."),
        Family(
            "railbird_frames_dropped_total",
            "counter",
            ("stream", "leg", "reason"),
            "Video frames that were not passed on.",
        ),
        Family(
            "railbird_packets_dropped_total",
            "counter",
            ("stream", "leg", "reason"),
            "Packets: of the studio, oversized; of sound to players, audio_overload (the socket was full).",
        ),
        Family("railbird_hls_parts_total", "counter", ("stream", "track"), "LL-HLS parts made."),
        Family("railbird_hls_discontinuities_total", "counter", _STREAM, "Breaks of the LL-HLS timeline."),
        Family(
            "railbird_hls_segments_without_keyframe_total",
            "counter",
            _STREAM,
            "LL-HLS segments that had to begin without a keyframe: the studio's come too rarely.",
        ),
        Family(
            "railbird_hls_concealed_seconds_total",
            "counter",
            _STREAM,
            "Silence in the place of LL-HLS sound that did not come.",
        ),
        Family(
            "railbird_hls_parts_over_target_total",
            "counter",
            _STREAM,
            "LL-HLS parts longer than announced: of one picture that stood for long.",
        ),
        Family("railbird_hls_stored_bytes", "gauge", _STREAM, "LL-HLS parts in memory."),
        Family("railbird_hls_waiting_requests", "gauge", _STREAM, "LL-HLS requests that wait for media."),
        Family("railbird_hls_requests_total", "counter", ("kind", "state"), "LL-HLS requests, by HTTP status."),
        Family("railbird_sessions_ended_total", "counter", ("leg", "cause"), "Sessions that ended."),
        Family("railbird_sessions_refused_total", "counter", ("leg", "cause"), "Offers that were refused."),
        Family("railbird_publisher_takeovers_total", "counter", (), "Publishers that replaced a live one."),
        Family("railbird_datagrams_total", "counter", ("kind",), "Datagrams received on the media port."),
        Family(
            "railbird_datagrams_dropped_total", "counter", ("cause",), "Datagrams of the media port that were refused."
        ),
        Family(
            "railbird_socket_buffer_bytes",
            "gauge",
            ("direction", "state"),
            "Buffers of the media port: asked, granted.",
        ),
        Family("railbird_socket_kernel_drops_total", "counter", (), "Datagrams lost to a full receive buffer."),
        Family("railbird_gso_enabled", "gauge", (), "1 while sends use UDP segmentation offload."),
        Family("railbird_ready", "gauge", (), "1 while new sessions are taken."),
    )
}
