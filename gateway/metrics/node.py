"""What the node tuner says of the node; only where `node.result` is set."""

from gateway.metrics.family import Family

FAMILIES = (
    Family(
        "railbird_node_overall",
        "gauge",
        ("state",),
        "1 at what the gateway makes of the tuner's result: tuned, degraded, failed, missing, unreadable or stale.",
    ),
    Family("railbird_node_tuned", "gauge", ("knob", "state"), "1 at the state of each knob of the node."),
    Family("railbird_node_result_age_seconds", "gauge", (), "Since the tuner wrote its result."),
)
