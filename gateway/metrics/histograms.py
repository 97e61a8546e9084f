"""What has a distribution, observed as it happens."""

from prometheus_client import CollectorRegistry, Histogram

_SETUP_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
_RTT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)
_DELAY_BUCKETS_S = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_UPSTREAM_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
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
        self.bet_signal_rtt_seconds = Histogram(
            "railbird_bet_signal_rtt_seconds",
            "Round-trip time of a ping to a player's page and its answer, by data channel or WebSocket.",
            ["stream", "carrier"],
            buckets=_RTT_BUCKETS_S,
            registry=registry,
        )
        self.player_rtt_seconds = Histogram(
            "railbird_player_rtt_seconds",
            "Round-trip time of the media path as browsers report it.",
            ["stream", "protocol"],
            buckets=_RTT_BUCKETS_S,
            registry=registry,
        )
        self.player_delay_seconds = Histogram(
            "railbird_player_delay_seconds",
            "How old the picture is when it is shown, as browsers report it.",
            ["stream", "protocol"],
            buckets=_DELAY_BUCKETS_S,
            registry=registry,
        )
        self.player_jitter_buffer_seconds = Histogram(
            "railbird_player_jitter_buffer_seconds",
            "Mean time of a frame in the jitter buffer, as browsers report it.",
            ["stream"],
            buckets=_RTT_BUCKETS_S,
            registry=registry,
        )
        self.bet_upstream_seconds = Histogram(
            "railbird_bet_upstream_seconds",
            "From a bet's acceptance to its upstream's yes.",
            buckets=_UPSTREAM_BUCKETS_S,
            registry=registry,
        )

    def forget_stream(self, stream: str) -> None:
        """Drop what is kept by that stream's name: names come and go, and each costs some 50 series."""
        self.player_jitter_buffer_seconds.remove_by_labels({"stream": stream})
        for histogram in (self.bet_signal_rtt_seconds, self.player_rtt_seconds, self.player_delay_seconds):
            histogram.remove_by_labels({"stream": stream})
