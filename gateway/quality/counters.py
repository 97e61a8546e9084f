"""What a stream has counted so far, by the names that `qos.measurement.Measurement` has for it."""

from collections.abc import Iterable, Mapping

from gateway.hub.hub import Hub
from gateway.metrics import Sample
from gateway.rounds.causes import AbortCause
from gateway.stream.figures import IngestFigures
from gateway.stream.stream import Stream

Counters = dict[str, int]

NETWORK_CAUSES = frozenset(
    {
        AbortCause.STUDIO_DISCONNECTED,
        AbortCause.INGEST_LOSS,
        AbortCause.INGEST_FREEZE,
        AbortCause.GATEWAY_OVERLOAD,
        AbortCause.HOST_RECEIVE_DROPS,
        AbortCause.UNKNOWN,
    }
)
"""Aborts that count against the network and this edge: not the studio's own (encoder_stalled: its sound still came),
nor a decision (studio_request, policy). What nobody can explain is ours until somebody can."""

_OF_REPORTS: dict[str, tuple[str, int]] = {
    "railbird_player_frames_total": ("player_frames", 1),
    "railbird_player_freezes_total": ("freezes", 1),
    "railbird_player_frozen_seconds_total": ("frozen_ms", 1000),
    "railbird_player_watched_seconds_total": ("watched_ms", 1000),
}
"""Sample of the players' reports -> (field, how many of its units there are in one of the sample's)."""


def reported(samples: Iterable[Sample]) -> dict[str, Counters]:
    """Stream -> what players' browsers have reported of it, from the samples of bet signals."""
    found: dict[str, Counters] = {}
    for name, labels, value in samples:
        field, scale = _OF_REPORTS.get(name, ("", 1))
        if name == "railbird_frames_dropped_total" and labels[1] == "player":
            field = "player_dropped"
        if field:
            counters = found.setdefault(labels[0], {})
            counters[field] = counters.get(field, 0) + round(value * scale)
    return found


def counters_of(stream: Stream, hub: Hub, reports: Mapping[str, Counters]) -> Counters:
    """All that is counted of a stream, since it began."""
    name, tracks, rounds = stream.name, stream.tracks.values(), hub.play.rounds
    publisher = hub.studios.publishers.get(stream.source.session_id) if stream.source is not None else None
    ingest = stream.ingest_before + (publisher.figures if publisher is not None else IngestFigures())
    packaging = hub.presentations.figures(name)
    ended = {outcome: rounds.outcomes[name, outcome] for outcome in ("settled", "aborted")}
    return {
        "ingest_frames": sum(track.figures.frames for track in tracks if track.is_video),
        "ingest_dropped": ingest.frames_lost
        + ingest.frames_oversized
        + sum(track.figures.awaiting_keyframe_frames for track in tracks if track.is_video),
        "egress_dropped": sum(stream.figures.frames_dropped.values())
        + packaging.frames_incomplete
        + packaging.frames_undecodable
        + packaging.frames_reordered,
        "ingest_packets": sum(track.figures.packets for track in tracks),
        "ingest_lost": ingest.packets_lost,
        "egress_packets": stream.figures.packets,
        "egress_lost": hub.viewing_of(stream).figures.packets_lost,
        "rounds": sum(ended.values()),
        "aborts": ended["aborted"],
        "network_aborts": sum(rounds.aborts[name, cause.value] for cause in NETWORK_CAUSES),
        "player_dropped_ms": round(hub.play.signals.reports.dropped_s(name) * 1000),
        **reports.get(name, {}),
    }
