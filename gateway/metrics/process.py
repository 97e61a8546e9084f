"""The process: its sessions, its port, its readiness."""

from gateway.metrics.family import Family

FAMILIES = (
    Family("railbird_sessions", "gauge", ("leg",), "Sessions, half-open ones included."),
    Family("railbird_half_open_sessions", "gauge", (), "Sessions that have not finished the DTLS handshake."),
    Family("railbird_sessions_ended_total", "counter", ("leg", "cause"), "Sessions that ended."),
    Family("railbird_sessions_refused_total", "counter", ("leg", "cause"), "Offers that were refused."),
    Family("railbird_publisher_takeovers_total", "counter", (), "Publishers that replaced a live one."),
    Family("railbird_datagrams_total", "counter", ("kind",), "Datagrams received on the media port."),
    Family("railbird_datagrams_dropped_total", "counter", ("cause",), "Datagrams of the media port that were refused."),
    Family(
        "railbird_socket_buffer_bytes",
        "gauge",
        ("direction", "state"),
        "Buffers of the media port: asked, granted.",
    ),
    Family("railbird_socket_kernel_drops_total", "counter", (), "Datagrams lost to a full receive buffer."),
    Family("railbird_gso_enabled", "gauge", (), "1 while sends use UDP segmentation offload."),
    Family("railbird_trace_spans_dropped_total", "counter", (), "Spans that did not get to the OTLP endpoint."),
    Family("railbird_dscp", "gauge", ("class",), "DSCP that packets of a class leave with; none: they are not marked."),
    Family("railbird_ready", "gauge", (), "1 while /readyz says so: new sessions are taken, and the node is fit."),
)
