"""What is measured: one record a session when it ends, one a second of all of them together.

Workers fill these and send them; verdict, report, live view and metrics only read them. Times are seconds; instants are
seconds since the run began.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from loadgen.counts import Counts, HlsCounts, MediaCounts, SignalCounts, StudioCounts
from loadgen.distribution import Distribution

__all__ = [
    "DISTRIBUTIONS",
    "HLS_DISTRIBUTIONS",
    "Counts",
    "GatewaySample",
    "Generator",
    "HlsCounts",
    "Interval",
    "MediaCounts",
    "SessionFigures",
    "SignalCounts",
    "StudioCounts",
]


@dataclass(slots=True)
class SessionFigures:
    """One player's session, complete once it has ended."""

    stream: str
    group: str
    """The group of players in the scenario."""
    started_s: float
    """When the offer was posted."""
    ended_s: float = 0.0
    end: str = ""
    """Why it ended: goodbye, tab_close, hop, moved, run_end, interrupted; closed_by_server; or the cause of a failed
    join: http_503, answer, ice_timeout, dtls_failed, ...; internal_error is a fault of ours."""
    join_s: float | None = None
    """From the POST to the SRTP keys; None when it failed."""
    first_frame_s: float | None = None
    """From the POST to the last packet of the first complete keyframe; None when there was none."""
    media: MediaCounts = field(default_factory=MediaCounts)
    jitter_s: float | None = None
    """Of video, by RFC 3550 section 6.4.1, at the end."""
    rtt_s: float | None = None
    """Mean of the ICE checks."""
    rtcp_rtt_s: float | None = None
    """Mean, by receiver reference time and DLRR; None when the server answers none."""
    longest_gap_s: float = 0.0
    """Between two video frames in a row that could be shown."""
    delay_p50_s: float | None = None
    """From the studio's stamp to the frame's last packet; None for who was not sampled, or saw no stamp."""
    delay_p99_s: float | None = None
    ice_restarts: int = 0
    is_sampled: bool = False
    """Whether every packet was decrypted, every sample looked at."""
    protocol: str = "whep"
    """Or hls. Then `started_s` is the request of the multivariant playlist, `join_s` from there to the first part that
    can be decoded, `first_frame_s` from there to when a player would show the picture, and delays are to when it shows
    the frame. Or none, of a player by signals alone: `join_s` is from asking for them to the welcome."""
    hls: HlsCounts | None = None
    """Of hls alone."""
    latency_p50_s: float | None = None
    """Of hls: what is shown is so old, by PROGRAM-DATE-TIME."""
    latency_p95_s: float | None = None
    signals: SignalCounts | None = None
    """None without signals."""
    bet_rtt_p50_s: float | None = None
    """From sending a bet to its first answer."""
    bet_rtt_p95_s: float | None = None
    edge: str = ""
    """Base URL of the edge that it was opened at: the run's target, or where players were sent on."""
    left_s: float | None = None
    """Of a session with which a visit goes on: the last frame of the one before it, or its end where there was none."""
    was_told: bool = False
    """Whether the player had been told there to go on elsewhere."""
    moved: bool = False
    """Whether its player goes on elsewhere, as it was told: at its time, or because the server closed it before."""
    move_s: float | None = None
    """From `left_s` to the first frame (of signals alone: the welcome), of who `was_told`."""
    back_s: float | None = None
    """The same of who was not, but closed by the server, wherever it came again."""

    def on_picture(self, at_s: float, interval: "Interval") -> None:
        """The first frame, or of signals alone the welcome, was there; seconds since the run began."""
        if self.left_s is None:
            return
        away_s = max(at_s - self.left_s, 0.0)
        if self.was_told:
            self.move_s = away_s
            interval.move_s.add(away_s)
        else:
            self.back_s = away_s
            interval.back_s.add(away_s)

    @property
    def bitrate_bps(self) -> float:
        """Mean, from the keys to the end."""
        seconds = self.ended_s - self.started_s - (self.join_s or 0.0)
        return self.media.bytes * 8 / seconds if seconds > 0 else 0.0


@dataclass(slots=True)
class Generator:
    """What the load generator itself had to do in an interval: the sum over its processes, except where it says
    otherwise."""

    cpu_s: float = 0.0
    """Of the players' processes."""
    busiest_share: float = 0.0
    """CPU of the busiest process over the interval: 1.0 is a full core."""
    received_packets: int = 0
    """All RTP packets read, the ones of retransmissions included."""
    kernel_drops: int = 0
    """Reads that players' sockets lost because we were too slow: media that the gateway sent and we did not see."""
    lateness_s: float = 0.0
    """How late the latest round of reading was: the largest of all."""
    hls_requests: int = 0
    """All that LL-HLS players sent and that ended."""
    websocket_messages: int = 0
    """All that players with signals over a WebSocket got: no kernel stamps them."""

    def merge(self, other: "Generator") -> None:
        """Take in another process's."""
        self.cpu_s += other.cpu_s
        self.busiest_share = max(self.busiest_share, other.busiest_share)
        self.received_packets += other.received_packets
        self.hls_requests += other.hls_requests
        self.websocket_messages += other.websocket_messages
        self.kernel_drops += other.kernel_drops
        self.lateness_s = max(self.lateness_s, other.lateness_s)


@dataclass(slots=True)
class GatewaySample:
    """The gateway's process at the end of an interval; None where no source was given, or it did not answer."""

    cpu_share: float | None = None
    """Over the interval: 1.0 is a full core."""
    rss_bytes: int | None = None

    @classmethod
    def highest(cls, samples: "Iterable[GatewaySample]") -> "GatewaySample":
        """Of each figure the highest; None where no sample has it."""
        known = list(samples)
        return cls(
            cpu_share=max((sample.cpu_share for sample in known if sample.cpu_share is not None), default=None),
            rss_bytes=max((sample.rss_bytes for sample in known if sample.rss_bytes is not None), default=None),
        )


@dataclass(slots=True)
class Interval:
    """What happened in one second (or a bit more) of the run, in all players together."""

    at_s: float
    """Its end."""
    seconds: float
    viewers: int = 0
    """Players that watch, at its end."""
    hls_viewers: int = 0
    """Of them, those by LL-HLS."""
    signal_players: int = 0
    """Of them, those by signals alone."""
    joining: int = 0
    """Players between their POST and their keys, at its end."""
    joins: int = 0
    join_failures: Counter[str] = field(default_factory=Counter)
    """By cause."""
    ended: Counter[str] = field(default_factory=Counter)
    """Sessions that ended, by cause."""
    ice_restarts: int = 0
    ice_restart_failures: Counter[str] = field(default_factory=Counter)
    """By cause: `http_405` is a server that cannot."""
    goodbye_failures: int = 0
    """Sessions whose DELETE the server did not take: it may keep them."""
    joins_at: Counter[str] = field(default_factory=Counter)
    """Joins by the base URL of the edge: the run's target, and where players were sent on."""
    moved: Counter[str] = field(default_factory=Counter)
    """By stream: sessions whose players went on elsewhere, as the server had told them."""
    closed_untold: int = 0
    """Sessions that the server closed without having told their players to go on elsewhere."""
    moves_refused: Counter[str] = field(default_factory=Counter)
    """By cause: not_permitted ... Edges that players were told of, by signals or by a Link, and did not go to."""
    media: dict[str, MediaCounts] = field(default_factory=dict)
    """By stream."""
    hls: dict[str, HlsCounts] = field(default_factory=dict)
    """By stream; only of streams that LL-HLS players watch."""
    hls_failures: Counter[str] = field(default_factory=Counter)
    """Requests that failed, by cause: http_404, http_timeout ..."""
    broken_rules: Counter[str] = field(default_factory=Counter)
    """By rule."""
    signals: dict[str, SignalCounts] = field(default_factory=dict)
    """By stream; only of streams that players have signals of."""
    signal_failures: Counter[str] = field(default_factory=Counter)
    """Connections for signals that did not come up, by cause: http_401, channel_timeout ..."""
    broken_signal_rules: Counter[str] = field(default_factory=Counter)
    """By rule."""
    round_aborts: Counter[str] = field(default_factory=Counter)
    """Rounds of the scenario's studios that were aborted, by the cause that the server gives."""
    round_failures: Counter[str] = field(default_factory=Counter)
    """The studios' requests about rounds that were refused, by cause: http_404 ..."""
    studios: dict[str, StudioCounts] = field(default_factory=dict)
    """By stream."""
    join_s: Distribution = field(default_factory=Distribution)
    first_frame_s: Distribution = field(default_factory=Distribution)
    delay_s: Distribution = field(default_factory=Distribution)
    """Of sampled players' frames, from the studio's stamp to the last packet."""
    rtt_s: Distribution = field(default_factory=Distribution)
    jitter_s: Distribution = field(default_factory=Distribution)
    """One value a player."""
    gap_s: Distribution = field(default_factory=Distribution)
    """The longest gap between two frames in this interval, one value a player."""
    hls_join_s: Distribution = field(default_factory=Distribution)
    hls_first_frame_s: Distribution = field(default_factory=Distribution)
    hls_request_s: Distribution = field(default_factory=Distribution)
    """Of requests for what is there already, from sending to the last byte."""
    hls_lateness_s: Distribution = field(default_factory=Distribution)
    """Of requests for the next part (blocked reloads, hints): from its end by PROGRAM-DATE-TIME to the last byte."""
    hls_latency_s: Distribution = field(default_factory=Distribution)
    """How old what is shown is, by PROGRAM-DATE-TIME: one value a player and interval."""
    hls_delay_s: Distribution = field(default_factory=Distribution)
    """Of sampled players' frames, from the studio's stamp to when a player shows them."""
    bet_rtt_s: Distribution = field(default_factory=Distribution)
    """From sending a bet to its first answer; by data channel, to when the kernel had it."""
    signal_rtt_s: Distribution = field(default_factory=Distribution)
    """Of the server's pings, as it tells their players."""
    signal_join_s: Distribution = field(default_factory=Distribution)
    """Of players by signals alone, from asking for them to the welcome."""
    move_s: Distribution = field(default_factory=Distribution)
    """Of players that were told to move, from the last frame at the one edge (or leaving it) to the first at the other;
    of signals alone, to the welcome."""
    back_s: Distribution = field(default_factory=Distribution)
    """The same of players that the server closed, until they were back, at the same edge or at another one."""
    generator: Generator = field(default_factory=Generator)
    gateway: GatewaySample = field(default_factory=GatewaySample)

    def merge(self, other: "Interval") -> None:
        """Take in another process's interval of the same time."""
        self.viewers += other.viewers
        self.hls_viewers += other.hls_viewers
        self.signal_players += other.signal_players
        self.joining += other.joining
        self.joins += other.joins
        self.join_failures.update(other.join_failures)
        self.ended.update(other.ended)
        self.ice_restarts += other.ice_restarts
        self.ice_restart_failures.update(other.ice_restart_failures)
        self.goodbye_failures += other.goodbye_failures
        self.joins_at.update(other.joins_at)
        self.moved.update(other.moved)
        self.closed_untold += other.closed_untold
        self.moves_refused.update(other.moves_refused)
        for stream, counts in other.media.items():
            self.media.setdefault(stream, MediaCounts()).add(counts)
        for stream, hls in other.hls.items():
            self.hls.setdefault(stream, HlsCounts()).add(hls)
        self.hls_failures.update(other.hls_failures)
        self.broken_rules.update(other.broken_rules)
        for stream, signals in other.signals.items():
            self.signals.setdefault(stream, SignalCounts()).add(signals)
        self.signal_failures.update(other.signal_failures)
        self.broken_signal_rules.update(other.broken_signal_rules)
        self.round_aborts.update(other.round_aborts)
        self.round_failures.update(other.round_failures)
        for stream, studio in other.studios.items():
            self.studios.setdefault(stream, StudioCounts()).add(studio)
        for name in DISTRIBUTIONS:
            getattr(self, name).merge(getattr(other, name))
        self.generator.merge(other.generator)

    @property
    def all_media(self) -> MediaCounts:
        """The sum over all streams."""
        total = MediaCounts()
        for counts in self.media.values():
            total.add(counts)
        return total

    @property
    def all_hls(self) -> HlsCounts:
        """The sum over all streams."""
        total = HlsCounts()
        for counts in self.hls.values():
            total.add(counts)
        return total


HLS_DISTRIBUTIONS = (
    "hls_join_s",
    "hls_first_frame_s",
    "hls_request_s",
    "hls_lateness_s",
    "hls_latency_s",
    "hls_delay_s",
)
"""Those that only LL-HLS players have."""

SIGNAL_DISTRIBUTIONS = ("bet_rtt_s", "signal_rtt_s", "signal_join_s")
"""Those that only players with signals have."""

MOVE_DISTRIBUTIONS = ("move_s", "back_s")
"""Those of players that had to go on elsewhere, or came again."""

DISTRIBUTIONS = (
    *("join_s", "first_frame_s", "delay_s", "rtt_s", "jitter_s", "gap_s"),
    *HLS_DISTRIBUTIONS,
    *SIGNAL_DISTRIBUTIONS,
    *MOVE_DISTRIBUTIONS,
)
"""Names of the distributions of an `Interval`."""
