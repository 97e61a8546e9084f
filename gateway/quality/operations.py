"""What the operators' page shows, in one answer: tables, plots, and the process. Its shape: `gateway.http.qos.ops`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.clock import WallClock
from gateway.hub.hub import Hub
from gateway.hub.report import stream_report
from gateway.metrics import Sample
from gateway.quality.process import Process
from gateway.quality.report import edge_windows
from gateway.quality.sampler import Quality
from gateway.quality.tables import Tables
from gateway.rounds.description import unix_ms
from gateway.rounds.round import Round

LAST_ROUNDS = 20
"""Rounds of a stream that are over and still shown."""

MAX_PLOTS = 8
"""Streams whose plots one answer has: all of them would keep the event loop for a tenth of a second."""


class Operations:
    """See the module. `samples` are those of a scrape."""

    def __init__(
        self,
        hub: Hub,
        quality: Quality,
        process: Process,
        samples: Callable[[], Iterable[Sample]],
        clock: WallClock,
    ) -> None:
        self._hub = hub
        self._rounds = hub.rounds
        self.quality = quality
        self._process = process
        self._samples = samples
        self._clock = clock

    def report(self, now_s: float, plots: Iterable[str] = (), since_unix_s: float = 0.0) -> dict[str, Any]:
        """JSON-ready. `plots` names the streams whose history is wanted, MAX_PLOTS at most; without any, those with
        most viewers. `since_unix_s`: only points that are newer."""
        tables = Tables(self._samples())
        return {
            "at_unix_s": round(self._clock.unix_s(now_s), 3),
            "gateway": self._gateway(tables, now_s),
            "qos": {"edge": {"windows": edge_windows(self.quality.streams)}},
            "bets": tables.by_label("railbird_bets_total", "state"),
            "upstream": _upstream(tables),
            "aborts": tables.by_label("railbird_round_aborts_total", "cause"),
            "frames_dropped": tables.nested("railbird_frames_dropped_total", "leg", "reason"),
            "streams": [self._stream(name, tables, now_s) for name in self._names()],
            "history": self._history(list(plots), since_unix_s),
        }

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
            "signals": tables.by_label("railbird_signal_connections", "carrier"),
            "datagrams_dropped": tables.by_label("railbird_datagrams_dropped_total", "cause"),
            "kernel_drops": tables.value("railbird_socket_kernel_drops_total"),
            "socket_buffer_bytes": tables.nested("railbird_socket_buffer_bytes", "direction", "state"),
            "gso": hub.port.socket.segmentation,
            "ledger_failures": tables.value("railbird_ledger_failures_total"),
        }

    def _stream(self, name: str, tables: Tables, now_s: float) -> dict[str, Any]:
        stream, windows = self._hub.registry.stream(name), self.quality.windows(name)
        rounds = list(self._rounds.of_stream(name))
        over = [each for each in rounds if each.is_over]
        base = stream_report(self._hub, stream, now_s) if stream is not None else _gone(name)
        return base | {
            "viewers_by_protocol": tables.by_label("railbird_viewers", "protocol", stream=name),
            "qos": {"windows": windows} if windows is not None else None,
            "frames_dropped": tables.nested("railbird_frames_dropped_total", "leg", "reason", stream=name),
            "rounds": {
                "open": [_row(each) for each in rounds if not each.is_over],
                "last": [_row(each) for each in reversed(over[-LAST_ROUNDS:])],
            },
            "rounds_ended": tables.by_label("railbird_rounds_total", "outcome", stream=name),
            "aborts": tables.by_label("railbird_round_aborts_total", "cause", stream=name),
            "signals": tables.by_label("railbird_signal_connections", "carrier", stream=name),
            "pings_unanswered": tables.value("railbird_signal_pings_unanswered_total", stream=name),
            "reports": tables.by_label("railbird_player_reports_total", "state", stream=name),
            "bets": tables.by_label("railbird_bets_total", "state", stream=name),
        }

    def _history(self, plots: list[str], since_unix_s: float) -> dict[str, Any]:
        streams = self.quality.streams
        named = [name for name in plots if name in streams] if plots else self._most_watched()
        return {
            "edge": self.quality.history.report(since_unix_s),
            "streams": {name: streams[name].history.report(since_unix_s) for name in named[:MAX_PLOTS]},
        }

    def _most_watched(self) -> list[str]:
        streams = self.quality.streams
        return sorted(streams, key=lambda name: (-streams[name].total("1m").viewers, name))


def _upstream(tables: Tables) -> dict[str, Any]:
    return {
        "waiting": tables.value("railbird_bets_upstream_waiting"),
        "retries": tables.value("railbird_bets_upstream_retries_total"),
        "outcomes": tables.by_label("railbird_bets_upstream_total", "outcome"),
    }


def _gone(name: str) -> dict[str, Any]:
    """A stream that is no more, but has rounds: the keys of `stream_report`."""
    return {
        "stream": name,
        "state": "gone",
        "viewers": 0,
        "since_s": None,
        "bitrate_bps": 0,
        "publisher": None,
        "tracks": [],
    }


def _row(of: Round) -> Mapping[str, Any]:
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
