"""What the operators' page shows, in one answer: a row a table, details of a few, plots, and the process.

Its shape: `gateway.http.qos.ops`. The event loop that writes it carries the media, too: what all streams have is read
once a second at most, however many ask; what costs is for the streams that were asked for, and media have their turn
between them.
"""

import asyncio
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gateway.bets.bet import BetState
from gateway.clock import WallClock
from gateway.hub.collector import stream_samples
from gateway.hub.hub import Hub
from gateway.hub.report import stream_report
from gateway.metrics import Sample
from gateway.quality.process import Process
from gateway.quality.sampler import Quality
from gateway.quality.tables import Tables
from gateway.rounds.causes import AbortCause
from gateway.rounds.description import unix_ms
from gateway.rounds.round import Round
from gateway.stream.stream import Stream

LAST_ROUNDS = 20
"""Rounds of a stream that are over and still shown."""

MAX_DETAILS = 8
"""Streams of which one answer has details and plots: each has up to 30 kB."""

KEPT_S = 1.0
"""How long what was read is told again: nothing of it changes faster than somebody looks."""


@dataclass(slots=True)
class _Kept:
    """What was read at `at_s`, as JSON."""

    at_s: float = -math.inf
    names: frozenset[str] = frozenset()
    """Streams that there are."""
    report: dict[str, str] = field(default_factory=dict)
    """By key of the answer."""
    details: dict[str, str] = field(default_factory=dict)
    """By stream, of those that somebody asked for."""
    carriers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Operations:
    """See the module. `samples` are those of a scrape that are of no stream."""

    def __init__(
        self,
        hub: Hub,
        quality: Quality,
        process: Process,
        samples: Callable[[], Iterable[Sample]],
        clock: WallClock,
    ) -> None:
        self._hub = hub
        self._rounds = hub.play.rounds
        self.quality = quality
        self._process = process
        self._samples = samples
        self._clock = clock
        self._kept = _Kept()

    async def report_text(self, now_s: float, names: Iterable[str] = (), since_unix_s: float = 0.0) -> str:
        """JSON. `names`: the streams whose details and plots are wanted, the first MAX_DETAILS of those there are.
        `since_unix_s`: only points that are newer."""
        if now_s - self._kept.at_s >= KEPT_S:
            self._kept = self._read(now_s)
        kept, plots = self._kept, {}
        asked = list(islice((name for name in dict.fromkeys(names) if name in kept.names), MAX_DETAILS))
        for name in asked:
            await asyncio.sleep(0)
            if name not in kept.details:
                kept.details[name] = json.dumps(self._detail(name, kept, now_s))
            if name in self.quality.streams:
                plots[name] = json.dumps(self.quality.streams[name].history.report(since_unix_s))
        edge = json.dumps(self.quality.history.report(since_unix_s))
        details = _object({name: kept.details[name] for name in asked})
        return _object(
            kept.report | {"details": details, "history": _object({"edge": edge, "streams": _object(plots)})}
        )

    # Of all

    def _read(self, now_s: float) -> _Kept:
        hub, tables, carriers = self._hub, Tables(self._samples()), self._hub.play.signals.carriers()
        names = self._names()
        report = {
            "at_unix_s": round(self._clock.unix_s(now_s), 3),
            "gateway": self._gateway(tables, now_s) | {"signals": _sums(each.items() for each in carriers.values())},
            "edge": self.quality.edge,
            "bets": _sums([((state, count) for (_, state), count in hub.play.desk.answers.items())]),
            "upstream": _upstream(tables),
            "aborts": _sums([((cause, count) for (_, cause), count in hub.play.rounds.aborts.items())]),
            "streams": [self._row(name, now_s) for name in names],
        }
        texts = {key: json.dumps(value) for key, value in report.items()}
        return _Kept(now_s, frozenset(names), texts, carriers=carriers)

    def _names(self) -> list[str]:
        return sorted({stream.name for stream in self._hub.registry} | set(self._rounds.streams()))

    def _gateway(self, tables: Tables, now_s: float) -> dict[str, Any]:
        hub = self._hub
        return self._process.report(now_s) | {
            "is_draining": hub.admission.is_draining,
            "sessions": tables.by_label("railbird_sessions", "leg"),
            "half_open_sessions": hub.port.half_open,
            "sessions_ended": tables.nested("railbird_sessions_ended_total", "leg", "cause"),
            "sessions_refused": tables.nested("railbird_sessions_refused_total", "leg", "cause"),
            "token_refusals": tables.by_label("railbird_token_refusals_total", "cause"),
            "datagrams_dropped": tables.by_label("railbird_datagrams_dropped_total", "cause"),
            "kernel_drops": tables.value("railbird_socket_kernel_drops_total"),
            "socket_buffer_bytes": tables.nested("railbird_socket_buffer_bytes", "direction", "state"),
            "gso": hub.port.socket.segmentation,
            "ledger_failures": tables.value("railbird_ledger_failures_total"),
        }

    def _row(self, name: str, now_s: float) -> dict[str, Any]:
        """Flat: there may be many."""
        stream, rounds = self._hub.registry.stream(name), self._rounds.open_rounds(name)
        watching = self.quality.watching(stream) if stream is not None else None
        return {
            "stream": name,
            "state": self._state(stream, now_s),
            **self.quality.glance(name),
            "viewers_webrtc": watching.webrtc if watching is not None else 0,
            "viewers_hls": watching.hls if watching is not None else 0,
            "bitrate_bps": round(watching.bitrate_bps) if watching is not None else 0,
            "round": rounds[0].state.value if rounds else None,
            "rounds_aborted": self._rounds.outcomes[name, "aborted"],
        }

    def _state(self, stream: Stream | None, now_s: float) -> str:
        if stream is None:
            return "gone"
        return "live" if self._hub.is_live(stream, now_s) else "waiting"

    # Of those that were asked for

    def _detail(self, name: str, kept: _Kept, now_s: float) -> dict[str, Any]:
        hub, rounds, stream = self._hub, self._rounds, self._hub.registry.stream(name)
        windows = self.quality.windows(name)
        told = stream_report(hub, stream, now_s) if stream is not None else {}
        return {
            "since_s": told.get("since_s"),
            "publisher": told.get("publisher"),
            "tracks": told.get("tracks", []),
            "qos": {"windows": windows} if windows is not None else None,
            "frames_dropped": self._frames_dropped(stream) if stream is not None else {},
            "rounds": self._rounds_of(name),
            "rounds_ended": {outcome: rounds.outcomes[name, outcome] for outcome in ("settled", "aborted")},
            "aborts": {cause.value: rounds.aborts[name, cause.value] for cause in AbortCause},
            "signals": dict(kept.carriers.get(name, {})),
            "pings_unanswered": hub.play.signals.figures.unanswered[name],
            "reports": {state: count for (of, state), count in hub.play.signals.reports.states.items() if of == name},
            "bets": {state.value: hub.play.desk.answers[name, state.value] for state in BetState},
        }

    def _frames_dropped(self, stream: Stream) -> dict[str, Any]:
        tables = Tables(stream_samples(self._hub, stream))
        of_browsers = self._hub.play.signals.reports.frames_dropped(stream.name)
        by_leg = tables.nested("railbird_frames_dropped_total", "leg", "reason")
        return by_leg | {"player": {"browser": of_browsers}}

    def _rounds_of(self, name: str) -> dict[str, Any]:
        newest_first = reversed(list(self._rounds.of_stream(name)))
        return {
            "open": [_told(each) for each in self._rounds.open_rounds(name)],
            "last": [_told(each) for each in islice((each for each in newest_first if each.is_over), LAST_ROUNDS)],
        }


def _object(values: Mapping[str, str]) -> str:
    """A JSON object of values that are JSON already."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in values.items()) + "}"


def _sums(tables: Iterable[Iterable[tuple[str, int]]]) -> dict[str, int]:
    """Label -> sum."""
    sums: Counter[str] = Counter()
    for table in tables:
        for label, count in table:
            sums[label] += count
    return dict(sums)


def _upstream(tables: Tables) -> dict[str, Any]:
    return {
        "waiting": tables.value("railbird_bets_upstream_waiting"),
        "retries": tables.value("railbird_bets_upstream_retries_total"),
        "outcomes": tables.by_label("railbird_bets_upstream_total", "outcome"),
    }


def _told(of: Round) -> Mapping[str, Any]:
    first, newest = of.steps[0], of.steps[-1]
    return {
        "round_id": of.round_id,
        "state": newest.state.value,
        "began_unix_ms": unix_ms(first.at_unix_s),
        "at_unix_ms": unix_ms(newest.at_unix_s),
        "closes_at_unix_ms": unix_ms(of.closes_at_unix_s) if of.closes_at_unix_s is not None else None,
        "result": of.result,
        "cause": of.cause.value if of.cause is not None else None,
        "evidence": dict(of.evidence),
        "bets": of.bets,
    }
