"""Scores as JSON: `GET /api/v1/qos` and the operators' page. Numbers are in the unit that their name or `unit` says."""

from collections.abc import Mapping
from typing import Any

from gateway.quality.stream_quality import StreamQuality, milliseconds
from qos.measurement import Measurement
from qos.score import EdgeScore, Score, TermScore, edge_score
from qos.windows import SPANS


def stream_windows(quality: StreamQuality) -> dict[str, Any]:
    """Window -> score, terms, and what was measured."""
    return {span.name: _window(quality.score(span.name), quality.total(span.name)) for span in SPANS}


def edge_scores(streams: Mapping[str, StreamQuality]) -> dict[str, EdgeScore]:
    """Window -> the score of all streams together."""
    return {
        span.name: edge_score(
            {name: (each.score(span.name), each.total(span.name).viewers) for name, each in streams.items()}
        )
        for span in SPANS
    }


def edge_windows(streams: Mapping[str, StreamQuality]) -> dict[str, Any]:
    """Window -> score of the edge, its worst stream, and what each term cost on average."""
    return {name: _edge_window(name, each, streams) for name, each in edge_scores(streams).items()}


def _edge_window(name: str, edge: EdgeScore, streams: Mapping[str, StreamQuality]) -> dict[str, Any]:
    worst = streams[edge.worst_stream].score(name).points if edge.worst_stream is not None else None
    return {
        "score": _rounded(edge.points, 1),
        "worst_stream": edge.worst_stream,
        "worst_score": _rounded(worst, 1),
        "viewers": round(sum(each.total(name).viewers for each in streams.values()), 1),
        "terms": [{"term": term, "lost": round(lost, 2)} for term, lost in edge.lost.items()],
    }


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
    return {
        "rtt": {
            "pings": measured.rtt.count,
            "p50_ms": milliseconds(measured.rtt.quantile(0.5)),
            "p95_ms": milliseconds(measured.rtt.quantile(0.95)),
            "p99_ms": milliseconds(measured.rtt.quantile(0.99)),
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
