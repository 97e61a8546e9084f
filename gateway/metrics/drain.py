"""How far a gateway that is told to leave has come. All 0 while it serves."""

from gateway.metrics.family import Family

FAMILIES = (
    Family("railbird_draining", "gauge", (), "1 while the gateway drains: it takes nobody new."),
    Family("railbird_drain_orders", "gauge", ("order",), "1 at each order to drain that stands: signal, file, api."),
    Family("railbird_drain_rounds_remaining", "gauge", (), "Open rounds that a drain waits for."),
    Family(
        "railbird_drain_sessions_remaining",
        "gauge",
        ("leg",),
        "Who is still here of a drain: ingest, studios; egress, players by WebRTC and WebSockets of signals.",
    ),
    Family("railbird_players_moved_total", "counter", ("stream",), "Players who were told to go on elsewhere."),
)
