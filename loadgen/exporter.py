"""The load generator's own /metrics: the gateway's names and labels for the same leg seen from its other end, and
role="loadgen". A dashboard of the gateway then shows both, and their difference.

What players see that a gateway cannot is called railbird_loadgen_*.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.metrics import FAMILIES, Family, Histograms
from loadgen.counts import BET_STATES
from loadgen.distribution import Distribution
from loadgen.errors import ScenarioError
from loadgen.figures import Interval, MediaCounts, StudioCounts
from loadgen.result import Totals

ROLE = "loadgen"

NOT_TOLD_APART = ""
"""A label of the gateway's that is not known at this end; to Prometheus an empty label is none."""

_STREAM = ("stream",)
_BET_RTT = "From sending a bet to its first answer."
_MOVE = ("railbird_loadgen_move_seconds", "Of players told to move: from the last frame here to the first there.")

OWN_FAMILIES = {
    family.name: family
    for family in (
        Family("railbird_loadgen_complete_frames_total", "counter", _STREAM, "Video frames that could be shown."),
        Family("railbird_loadgen_late_frames_total", "counter", _STREAM, "Of those: later than late_after."),
        Family("railbird_loadgen_freezes_total", "counter", _STREAM, "Freezes of players, by libwebrtc's rule."),
        Family("railbird_loadgen_frozen_seconds_total", "counter", _STREAM, "Time that players were frozen."),
        Family("railbird_loadgen_watched_seconds_total", "counter", _STREAM, "Time that players watched."),
        Family("railbird_loadgen_packets_recovered_total", "counter", _STREAM, "Lost packets that came after all."),
        Family("railbird_loadgen_impaired_packets_total", "counter", _STREAM, "Packets that the scenario dropped."),
        Family("railbird_loadgen_hls_parts_total", "counter", _STREAM, "LL-HLS parts that players downloaded."),
        Family("railbird_loadgen_hls_stalls_total", "counter", _STREAM, "Stalls of players by LL-HLS."),
        Family("railbird_loadgen_hls_failures_total", "counter", ("cause",), "LL-HLS requests that failed."),
        Family("railbird_loadgen_hls_broken_rules_total", "counter", ("rule",), "Rules that LL-HLS playlists broke."),
        Family("railbird_loadgen_bets_total", "counter", _STREAM, "Bets that players sent, each once."),
        Family("railbird_loadgen_bets_resent_total", "counter", _STREAM, "Times that a bet was sent again."),
        Family("railbird_loadgen_bets_unanswered_total", "counter", _STREAM, "Bets without an answer."),
        Family("railbird_loadgen_moved_total", "counter", _STREAM, "Players that were told to move, and did."),
        Family("railbird_loadgen_moves_refused_total", "counter", ("cause",), "Edges that nobody may be sent to."),
        Family("railbird_loadgen_signal_failures_total", "counter", ("cause",), "Connections that did not come up."),
        Family("railbird_loadgen_signal_broken_rules_total", "counter", ("rule",), "Rules of signals, broken."),
        Family("railbird_loadgen_round_failures_total", "counter", ("cause",), "Studios' requests, refused."),
        Family("railbird_loadgen_cpu_seconds_total", "counter", (), "CPU of the players' processes."),
        Family("railbird_loadgen_busiest_share", "gauge", (), "CPU of the busiest process; 1 is a full core."),
    )
}

Sample = tuple[str, tuple[str, ...], float]
"""(family's name, label values without the role, value)."""


@dataclass(frozen=True, slots=True)
class _Histogram:
    name: str
    meaning: str
    labels: dict[str, str]
    distribution: str
    """Its name in `Totals`."""
    bounds: tuple[float, ...]


class Exporter:
    """Serves what `update` was given last."""

    def __init__(self, host: str, port: int) -> None:
        """`port` 0 takes any. ScenarioError when the address cannot be had."""
        self._figures = _Figures()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self._figures)
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except (OSError, OverflowError) as error:
            raise ScenarioError(f"The load generator's metrics cannot be served at {host}:{port}: {error}.") from error
        self.port: int = self._server.server_port

    def update(self, interval: Interval, totals: Totals) -> None:
        """The latest interval, and the sums of the run so far; neither is kept."""
        self._figures.take(interval, totals)

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Figures(Collector):
    """What the next scrape gets. Scrapes come on threads of the server's: they only ever see a finished list."""

    def __init__(self) -> None:
        self._metrics: tuple[Metric, ...] = ()
        self._histograms = _histograms()

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        return self._metrics

    def take(self, interval: Interval, totals: Totals) -> None:
        """Make the samples, here and now."""
        families = {name: _with_role(family) for name, family in (FAMILIES | OWN_FAMILIES).items()}
        for name, labels, value in _samples(interval, totals):
            families[name].add_metric((ROLE, *labels), value)
        counted = [family for family in families.values() if family.samples]
        spread = [_family(each, totals.distributions[each.distribution]) for each in self._histograms]
        self._metrics = (*counted, *spread)


def _with_role(family: Family) -> CounterMetricFamily | GaugeMetricFamily:
    return replace(family, labels=("role", *family.labels)).empty()


def _samples(interval: Interval, totals: Totals) -> Iterator[Sample]:
    for stream, media in totals.media.items():
        yield from _media_samples(stream, media)
    for stream, studio in totals.studios.items():
        yield from _studio_samples(stream, studio)
    yield from _hls_samples(interval, totals)
    yield from _signal_samples(totals)
    yield from _move_samples(totals)
    by_webrtc = interval.viewers - interval.hls_viewers - interval.signal_players
    yield "railbird_viewers", (NOT_TOLD_APART, "webrtc"), by_webrtc
    yield "railbird_sessions", ("egress",), by_webrtc + interval.joining
    yield "railbird_half_open_sessions", (), interval.joining
    for cause, count in totals.ended.items():
        yield "railbird_sessions_ended_total", ("egress", cause), count
    for cause, count in totals.join_failures.items():
        yield "railbird_sessions_refused_total", ("egress", cause), count
    yield "railbird_datagrams_total", ("media",), totals.generator.received_packets
    yield "railbird_socket_kernel_drops_total", (), totals.generator.kernel_drops
    yield "railbird_loadgen_cpu_seconds_total", (), totals.generator.cpu_s
    yield "railbird_loadgen_busiest_share", (), interval.generator.busiest_share


def _media_samples(stream: str, media: MediaCounts) -> Iterator[Sample]:
    # Without retransmissions, which the gateway counts for themselves, too.
    yield "railbird_packets_total", (stream, "egress"), media.packets - media.recovered
    yield "railbird_retransmissions_total", (stream, NOT_TOLD_APART), media.retransmissions
    yield "railbird_bytes_total", (stream, "egress"), media.bytes
    yield "railbird_packets_lost_total", (stream, "egress"), media.lost
    yield "railbird_nacked_packets_total", (stream, "egress"), media.nacked
    yield "railbird_keyframe_requests_total", (stream, "egress"), media.plis
    yield "railbird_frames_dropped_total", (stream, "player", "incomplete"), media.frames_incomplete
    yield "railbird_frames_dropped_total", (stream, "player", "undecodable"), media.frames_undecodable
    yield "railbird_loadgen_complete_frames_total", (stream,), media.frames_complete
    yield "railbird_loadgen_late_frames_total", (stream,), media.frames_late
    yield "railbird_loadgen_freezes_total", (stream,), media.freezes
    yield "railbird_loadgen_frozen_seconds_total", (stream,), media.frozen_s
    yield "railbird_loadgen_watched_seconds_total", (stream,), media.watched_s
    yield "railbird_loadgen_packets_recovered_total", (stream,), media.recovered
    yield "railbird_loadgen_impaired_packets_total", (stream,), media.impaired


def _hls_samples(interval: Interval, totals: Totals) -> Iterator[Sample]:
    if totals.hls:
        yield "railbird_viewers", (NOT_TOLD_APART, "hls"), interval.hls_viewers
    for stream, hls in totals.hls.items():
        yield "railbird_loadgen_hls_parts_total", (stream,), hls.parts
        yield "railbird_loadgen_hls_stalls_total", (stream,), hls.stalls
    for cause, count in totals.hls_failures.items():
        yield "railbird_loadgen_hls_failures_total", (cause,), count
    for rule, count in totals.broken_rules.items():
        yield "railbird_loadgen_hls_broken_rules_total", (rule,), count


def _signal_samples(totals: Totals) -> Iterator[Sample]:
    for stream, signals in totals.signals.items():
        for state in BET_STATES:
            yield "railbird_bets_total", (stream, state), getattr(signals, state)
        yield "railbird_loadgen_bets_total", (stream,), signals.bets
        yield "railbird_loadgen_bets_resent_total", (stream,), signals.resends
        yield "railbird_loadgen_bets_unanswered_total", (stream,), signals.bets_unanswered
    for cause, count in totals.signal_failures.items():
        yield "railbird_loadgen_signal_failures_total", (cause,), count
    for rule, count in totals.broken_signal_rules.items():
        yield "railbird_loadgen_signal_broken_rules_total", (rule,), count
    for cause, count in totals.round_failures.items():
        yield "railbird_loadgen_round_failures_total", (cause,), count
    for stream, studio in totals.studios.items():
        if studio.rounds_opened:
            yield "railbird_rounds_total", (stream, "settled"), studio.rounds_settled
            yield "railbird_rounds_total", (stream, "aborted"), studio.rounds_aborted
    for cause, count in totals.round_aborts.items():
        yield "railbird_round_aborts_total", (NOT_TOLD_APART, cause), count


def _move_samples(totals: Totals) -> Iterator[Sample]:
    for stream, count in totals.moved.items():
        yield "railbird_loadgen_moved_total", (stream,), count
    for cause, count in totals.moves_refused.items():
        yield "railbird_loadgen_moves_refused_total", (cause,), count


def _studio_samples(stream: str, studio: StudioCounts) -> Iterator[Sample]:
    yield "railbird_packets_total", (stream, "ingest"), studio.packets
    yield "railbird_bytes_total", (stream, "ingest"), studio.bytes
    yield "railbird_nacked_packets_total", (stream, "ingest"), studio.nacks_received
    yield "railbird_keyframe_requests_total", (stream, "ingest"), studio.plis_received
    yield "railbird_keyframes_total", (stream,), studio.keyframes
    yield "railbird_frames_total", (stream, "video"), studio.frames


def _histograms() -> list[_Histogram]:
    """With the gateway's own buckets: histograms with others could not be set side by side."""
    gateways = Histograms(CollectorRegistry())
    delay = Histogram("railbird_loadgen_delay_seconds", "From a studio to a player, a frame.", registry=None)
    ping = _like(gateways.bet_signal_rtt_seconds.labels("", "").collect(), {}, "signal_rtt_s")
    of_hls = [
        ("railbird_loadgen_hls_request_seconds", "Of LL-HLS requests for what is there.", "hls_request_s"),
        ("railbird_loadgen_hls_lateness_seconds", "Of LL-HLS requests that wait, past the part.", "hls_lateness_s"),
        ("railbird_loadgen_hls_latency_seconds", "How old what LL-HLS players show is.", "hls_latency_s"),
        ("railbird_loadgen_hls_delay_seconds", "From a studio to an LL-HLS picture, a frame.", "hls_delay_s"),
    ]
    return [
        _like(delay.collect(), {}, "delay_s"),
        *(_like(Histogram(name, text, registry=None).collect(), {}, values) for name, text, values in of_hls),
        ping,
        _like(Histogram(*_MOVE, registry=None).collect(), {}, "move_s"),
        replace(ping, name="railbird_loadgen_bet_rtt_seconds", meaning=_BET_RTT, distribution="bet_rtt_s"),
        _like(gateways.join_seconds.labels("webrtc").collect(), {"protocol": "webrtc"}, "join_s"),
        _like(gateways.first_frame_seconds.labels("webrtc").collect(), {"protocol": "webrtc"}, "first_frame_s"),
        _like(gateways.media_rtt_seconds.labels("egress").collect(), {"leg": "egress"}, "rtt_s"),
    ]


def _like(collected: Iterable[Metric], labels: dict[str, str], distribution: str) -> _Histogram:
    (family,) = collected
    bounds = [float(sample.labels["le"]) for sample in family.samples if sample.name.endswith("_bucket")]
    return _Histogram(family.name, family.documentation, labels, distribution, tuple(bounds[:-1]))


def _family(histogram: _Histogram, values: Distribution) -> HistogramMetricFamily:
    family = HistogramMetricFamily(histogram.name, histogram.meaning, labels=("role", *histogram.labels))
    counts = values.counts_up_to(histogram.bounds)
    buckets = [(str(bound), float(count)) for bound, count in zip(histogram.bounds, counts, strict=True)]
    total_s = (values.mean or 0.0) * values.count
    family.add_metric((ROLE, *histogram.labels.values()), [*buckets, ("+Inf", float(values.count))], total_s)
    return family
