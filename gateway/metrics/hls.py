"""What packaging for LL-HLS does."""

from gateway.metrics.family import Family

_STREAM = ("stream",)

FAMILIES = (
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
)
