"""The report as JSON. Its schema is docs/loadgen-report.md: stable within a version, which is `schema`."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadgen import shares
from loadgen.distribution import Distribution
from loadgen.figures import Generator, HlsCounts, MediaCounts, SessionFigures, SignalCounts
from loadgen.report.headline import headline
from loadgen.report.steps import Step, steps
from loadgen.result import Group, RunResult, ServerCounts, Totals

SCHEMA = "railbird-loadgen-report/1"

MAX_STEPS = 3600
"""One a second of an hour; of a longer run each step is some seconds, so that a soak's report can still be opened."""

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

Json = dict[str, Any]


def document(result: RunResult) -> Json:
    """The whole report: only dicts, lists, strings, finite numbers, booleans and None."""
    words = headline(result)
    report = {
        "schema": SCHEMA,
        "outcome": result.outcome.value,
        "exit_status": result.outcome.exit_status,
        "headline": words.words,
        "explanation": words.sentence,
        "remarks": result.remarks,
        "scenario": {"name": result.scenario_name, "summary": result.summary, "settings": result.settings},
        "target": result.target,
        "started": started(result).isoformat(timespec="milliseconds"),
        "started_unix_s": result.started_unix_s,
        "seconds": result.seconds,
        "machine": result.machine,
        "thresholds": [asdict(threshold) for threshold in result.thresholds],
        "totals": _totals(result.totals),
        "streams": _streams(result.totals),
        "groups": {name: _group(group) for name, group in sorted(result.totals.groups.items())},
        "comparison": [_comparison(counts) for counts in result.comparison],
        "steps": [_step(step) for step in steps(result.intervals, MAX_STEPS)],
        "sessions": [_session(session) for session in result.sessions],
    }
    finite: Json = _finite(report)
    return finite


def write_json(result: RunResult, path: Path) -> None:
    """Write the report; OSError when it cannot be written."""
    text = json.dumps(document(result), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def started(result: RunResult) -> datetime:
    """When the run began, in UTC."""
    return datetime.fromtimestamp(result.started_unix_s, UTC)


def _totals(totals: Totals) -> Json:
    return {
        "peak_viewers": totals.peak_viewers,
        "joins": totals.joins,
        "join_failures": dict(totals.join_failures),
        "ended": dict(totals.ended),
        "ice_restarts": totals.ice_restarts,
        "ice_restart_failures": dict(totals.ice_restart_failures),
        "goodbye_failures": totals.goodbye_failures,
        "joins_at": dict(totals.joins_at),
        "moved": totals.moved.total(),
        "closed_untold": totals.closed_untold,
        "back_lost": totals.back_lost,
        "moves_refused": dict(totals.moves_refused),
        "media": _media(totals.all_media),
        "hls": _hls(totals.all_hls) if totals.hls else None,
        "hls_failures": dict(totals.hls_failures),
        "broken_rules": dict(totals.broken_rules),
        "signals": _signals(totals.all_signals) if totals.signals else None,
        "signal_failures": dict(totals.signal_failures),
        "broken_signal_rules": dict(totals.broken_signal_rules),
        "round_aborts": dict(totals.round_aborts),
        "round_failures": dict(totals.round_failures),
        "generator": _generator(totals.generator),
        "distributions": _distributions(totals.distributions),
    }


def _streams(totals: Totals) -> Json:
    return {
        stream: {
            "media": _media(totals.media.get(stream, MediaCounts())),
            "hls": _hls(totals.hls[stream]) if stream in totals.hls else None,
            "signals": _signals(totals.signals[stream]) if stream in totals.signals else None,
            "studio": asdict(totals.studios[stream]) if stream in totals.studios else None,
            "moved": totals.moved[stream],
        }
        for stream in sorted(totals.media.keys() | totals.studios.keys() | totals.signals.keys())
    }


def _group(group: Group) -> Json:
    return {
        "sessions": group.sessions,
        "join_failures": dict(group.join_failures),
        "moved": group.moved,
        "media": _media(group.media),
        "hls": _hls(group.hls) if group.hls is not None else None,
        "signals": _signals(group.signals) if group.signals is not None else None,
        "distributions": _distributions(group.distributions),
    }


def _media(media: MediaCounts) -> Json:
    return asdict(media) | {
        "loss": shares.loss(media),
        "residual_loss": shares.residual_loss(media),
        "freeze_ratio": shares.freeze_ratio(media),
    }


def _hls(counts: HlsCounts) -> Json:
    return asdict(counts) | {"stall_ratio": shares.stall_ratio(counts)}


def _signals(counts: SignalCounts) -> Json:
    return asdict(counts) | {"bets_accepted": shares.bets_accepted(counts)}


def _generator(generator: Generator) -> Json:
    return asdict(generator) | {
        "cpu_a_packet_s": shares.cpu_a_packet_s(generator),
        "cpu_a_request_s": shares.cpu_a_request_s(generator),
    }


def _distributions(distributions: Mapping[str, Distribution]) -> Json:
    return {name: _distribution(values) for name, values in distributions.items()}


def _distribution(values: Distribution) -> Json:
    return {
        "count": values.count,
        "mean": values.mean,
        **{name: values.quantile(at) for name, at in PERCENTILES.items()},
        "max": values.largest if values.count else None,
    }


def _comparison(counts: ServerCounts) -> Json:
    return asdict(counts) | {"difference": counts.client - counts.server}


def _step(step: Step) -> Json:
    return {
        "at_s": step.at_s,
        "seconds": step.seconds,
        "viewers": step.viewers,
        "hls_viewers": step.hls_viewers,
        "signal_players": step.signal_players,
        "joining": step.joining,
        "joins": step.joins,
        "join_failures": dict(step.join_failures),
        "ended": dict(step.ended),
        "ice_restarts": step.ice_restarts,
        "moved": step.moved,
        "media": _media(step.media),
        "hls": _hls(step.hls),
        "signals": _signals(step.signals),
        "studios": asdict(step.studios),
        "generator": _generator(step.generator),
        "gateway": asdict(step.gateway),
        "distributions": _distributions(step.distributions),
    }


def _session(session: SessionFigures) -> Json:
    return asdict(session) | {"bitrate_bps": session.bitrate_bps}


def _finite(value: Any) -> Any:
    """JSON knows no infinity, and settings may hold what only Python knows: a path, a tuple."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
