"""Looks after the rounds that need a picture, and aborts those whose picture has failed.

Ten times a second. The process is sampled always, which costs a system call: what it suffered just before a round began
may be what fails it. A stream is sampled only while one of its rounds needs the picture.
"""

import math

import structlog

from gateway.clockwork import Clockwork
from gateway.config import AbortSettings
from gateway.hub.hub import Hub
from gateway.rounds.round import Round
from gateway.rounds.states import PICTURE_MATTERS
from gateway.watchdog.evidence import evidence_of
from gateway.watchdog.judgement import cause_of, is_suspect
from gateway.watchdog.reading import read_process, read_stream
from gateway.watchdog.sample import ProcessSample, StreamSample, Window

log = structlog.get_logger()


class Watchdog:
    """`tick` every `sample.SAMPLE_INTERVAL_S`. Listens to the hub's rounds from the moment that it is made."""

    def __init__(self, settings: AbortSettings, hub: Hub, clockwork: Clockwork) -> None:
        self._settings = settings
        self._hub = hub
        self._clockwork = clockwork
        self._process: Window[ProcessSample] = Window(settings.window_s)
        self._streams: dict[str, Window[StreamSample]] = {}
        self._suspected_s: dict[str, float] = {}
        """Stream -> when it was suspect last: evidence is put together only then, and for a window after it."""
        hub.play.rounds.listeners.append(self.on_round)

    def on_round(self, changed: Round, now_s: float) -> None:
        """Begin to count where a round begins to need its picture: what follows may be a stall of this process."""
        if changed.state in PICTURE_MATTERS and changed.stream not in self._streams:
            self._sample(changed.stream, now_s)

    def tick(self, now_s: float) -> None:
        """Look at the process and at the streams whose rounds need it, and judge."""
        self._process.add(read_process(self._clockwork, self._hub.port, now_s))
        needing = self._needing()
        for name in self._streams.keys() - needing.keys():
            del self._streams[name]
            self._suspected_s.pop(name, None)
        for name, rounds in needing.items():
            self._look_at(name, rounds, now_s)

    def _needing(self) -> dict[str, list[Round]]:
        """The rounds whose players need the picture now, by stream."""
        rounds = self._hub.play.rounds
        needing = {
            name: [each for each in rounds.open_rounds(name) if each.state in PICTURE_MATTERS]
            for name in rounds.streams()
        }
        return {name: needed for name, needed in needing.items() if needed}

    def _look_at(self, name: str, rounds: list[Round], now_s: float) -> None:
        process = self._process.newest
        window = self._sample(name, now_s, process.loop_lag_s)
        if is_suspect(process, window, self._settings):
            self._suspected_s[name] = now_s
        if now_s - self._suspected_s.get(name, -math.inf) <= self._settings.window_s:
            self._judge(name, rounds, window, now_s)

    def _judge(self, name: str, rounds: list[Round], window: Window[StreamSample], now_s: float) -> None:
        for each in rounds:
            evidence = evidence_of(self._process, window, needed_since_s(each))
            cause = cause_of(evidence, self._settings)
            if cause is not None:
                figures = evidence.as_json()
                log.warning("picture failed", stream=name, round_id=each.round_id, cause=cause.value, **figures)
                self._hub.play.rounds.abort(name, each.round_id, cause, figures, now_s)

    def _sample(self, name: str, now_s: float, loop_lag_s: float = 0.0) -> Window[StreamSample]:
        window = self._streams.setdefault(name, Window(self._settings.window_s))
        window.add(read_stream(self._hub, name, window.newest if window else None, now_s, loop_lag_s))
        return window


def needed_since_s(each: Round) -> float:
    """Since when a round needs its picture that does so now."""
    return next(step.at_s for step in each.steps if step.state in PICTURE_MATTERS)
