"""Scores as JSON: `GET /api/v1/qos` and the operators' page. Numbers are in the unit that their name or `unit` says."""

from collections.abc import Mapping
from typing import Any

from gateway.quality.stream_quality import StreamQuality, milliseconds
from qos.measurement import Measurement
from qos.score import EdgeScore, Score, TermScore, edge_score
from qos.windows import SPANS


def stream_window(name: str, quality: StreamQuality) -> dict[str, Any]:
    """A window of a stream: score, terms, and what was measured."""
    return _window(quality.score(name), quality.total(name))


def glance(quality: StreamQuality) -> dict[str, float | str | None]:
    """The last minute in a few figures: null where there is no data. Shares are of the leg's frames."""
    of, measured = quality.score("1m"), quality.total("1m")
    p50_s, p95_s, p99_s = measured.rtt.quantiles((0.5, 0.95, 0.99))
    return {
        "score": _rounded(of.points, 1),
        "worst_term": of.worst.term.name if of.worst is not None else None,
        "rtt_p50_ms": milliseconds(p50_s),
        "rtt_p95_ms": milliseconds(p95_s),
        "rtt_p99_ms": milliseconds(p99_s),
        **{f"dropped_{leg}_share": _rounded(share, 5) for leg, share in measured.dropped_by_leg.items()},
    }


def edge_scores(streams: Mapping[str, StreamQuality]) -> dict[str, EdgeScore]:
    """Window -> the score of all streams together."""
    return {span.name: _edge_score(span.name, streams) for span in SPANS}


def edge_windows(streams: Mapping[str, StreamQuality]) -> dict[str, Any]:
    """Window -> `edge_window`."""
    return {span.name: edge_window(span.name, streams) for span in SPANS}


def edge_window(name: str, streams: Mapping[str, StreamQuality]) -> dict[str, Any]:
    """Score of the edge in a window, its worst stream, and what each term cost on average."""
    edge = _edge_score(name, streams)
    worst = streams[edge.worst_stream].score(name).points if edge.worst_stream is not None else None
    return {
        "score": _rounded(edge.points, 1),
        "worst_stream": edge.worst_stream,
        "worst_score": _rounded(worst, 1),
        "viewers": round(sum(each.total(name).viewers for each in streams.values()), 1),
        "terms": [{"term": term, "lost": round(lost, 2)} for term, lost in edge.lost.items()],
    }


def _edge_score(window: str, streams: Mapping[str, StreamQuality]) -> EdgeScore:
    return edge_score({name: (each.score(window), each.total(window).viewers) for name, each in streams.items()})


def _window(of: Score, measured: Measurement) -> dict[str, Any]:
    return {
        "score": _rounded(of.points, 1),
        "worst_term": of.worst.term.name if of.worst is not None else None,
        "seconds": round(measured.window_ms / 1000, 1),
        "viewers": round(measured.viewers, 1),
        "terms": [_term(each) for each in of.terms],
        "measured": _measured(measured),
    }


def _term(of: TermScore) -> dict[str, Any]:
    return {
        "term": of.term.name,
        "value": _rounded(of.value, 5),
        "unit": of.term.unit,
        "lost": round(of.lost, 2),
        "begins_at": of.term.begins_at,
        "all_at": of.term.all_at,
        "points": of.term.points,
    }


def _measured(measured: Measurement) -> dict[str, Any]:
    shares = measured.dropped_by_leg
    p50_s, p95_s, p99_s = measured.rtt.quantiles((0.5, 0.95, 0.99))
    return {
        "rtt": {
            "pings": measured.rtt.count,
            "p50_ms": milliseconds(p50_s),
            "p95_ms": milliseconds(p95_s),
            "p99_ms": milliseconds(p99_s),
        },
        "frames": {
            leg: {
                "frames": getattr(measured, f"{leg}_frames"),
                "dropped": getattr(measured, f"{leg}_dropped"),
                "dropped_share": _rounded(share, 5),
            }
            for leg, share in shares.items()
        },
        "packets": {
            leg: {"packets": getattr(measured, f"{leg}_packets"), "lost": getattr(measured, f"{leg}_lost")}
            for leg in ("ingest", "egress")
        },
        "freezes": {
            "freezes": measured.freezes,
            "frozen_s": measured.frozen_ms / 1000,
            "watched_s": measured.watched_ms / 1000,
            "dropped_s": measured.player_dropped_ms / 1000,
            "still_s": measured.still_ms / 1000,
            "attended_s": measured.attended_ms / 1000,
        },
        "rounds": {
            "ended": measured.rounds,
            "aborted": measured.aborts,
            "aborted_by_network": measured.network_aborts,
        },
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return round(value, digits) if value is not None else None


NOTHING_SEEN = glance(StreamQuality({}, 0.0))
"""`glance` of a stream that was not measured yet."""
