"""What players see, as their browsers report it, and the score that is made of everything."""

from gateway.metrics.family import Family

_STREAM_PROTOCOL = ("stream", "protocol")

FAMILIES = (
    Family("railbird_player_reports_total", "counter", ("stream", "state"), "Reports of players' pages."),
    Family("railbird_player_frames_total", "counter", _STREAM_PROTOCOL, "Frames that browsers decoded."),
    Family("railbird_player_freezes_total", "counter", _STREAM_PROTOCOL, "Freezes that browsers counted."),
    Family("railbird_player_frozen_seconds_total", "counter", _STREAM_PROTOCOL, "How long pictures stood still."),
    Family("railbird_player_watched_seconds_total", "counter", _STREAM_PROTOCOL, "Time that reports cover."),
    Family(
        "railbird_frames_due_total",
        "counter",
        ("stream", "leg"),
        "Video frames that a leg had to pass on: what railbird_frames_dropped_total is a part of.",
    ),
    Family("railbird_qos_score", "gauge", ("stream", "window"), "Quality of a stream, 0 to 100."),
    Family("railbird_qos_points_lost", "gauge", ("stream", "window", "term"), "What the score lost, by term."),
    Family("railbird_qos_edge_score", "gauge", ("window",), "Quality of this gateway's streams together, 0 to 100."),
)
