"""A round as everybody is told of it: players (docs/signals.md), the API, the ledger. JSON-ready. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from gateway.rounds.round import Evidence, Round


def describe(told: Round) -> dict[str, Any]:
    """What players get: no evidence, no number of bets."""
    newest = told.steps[-1]
    return {
        "roundId": told.round_id,
        "stream": told.stream,
        "state": told.state.value,
        "steps": [{"state": step.state.value, "atUnixMs": unix_ms(step.at_unix_s)} for step in told.steps],
        "at": {"unixMs": unix_ms(newest.at_unix_s), "rtpTimestamp": newest.rtp_timestamp},
        "closesAtUnixMs": unix_ms(told.closes_at_unix_s) if told.closes_at_unix_s is not None else None,
        "result": told.result,
        "cause": told.cause.value if told.cause is not None else None,
    }


def describe_in_full(told: Round) -> dict[str, Any]:
    """What the API and the ledger have."""
    return describe(told) | {"evidence": _finite(told.evidence), "bets": told.bets}


def unix_ms(unix_s: float) -> int:
    """Unix time in whole milliseconds, cut off as playlists cut it: a date range and a message name one instant."""
    return round(unix_s * 1_000_000) // 1000


def _finite(evidence: Evidence) -> Mapping[str, float | int | str | None]:
    """What JSON can say: a ratio of nothing is null, not NaN."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in evidence.items()
    }
