"""What happens at the tables, told where it belongs: on the media's timeline, in the ledger, in the log.

Listens to `Rounds`. Signals listen for themselves: what players are told must not wait for any of this.
"""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from gateway.clock import WallClock
from gateway.hls.clock_text import date_time
from gateway.hls.date_ranges import DateRange
from gateway.hls.presentations import Presentations
from gateway.rounds.description import describe_in_full
from gateway.rounds.round import Round
from gateway.rounds.states import RoundState
from gateway.stream.registry import Registry

log = structlog.get_logger()

ROUND_CLASS = "railbird.round"
"""CLASS of the date ranges: what pages look for."""

Record = Callable[[str, Mapping[str, Any], float], None]
"""`Ledger.append`: what it is, what is to be kept, the time."""


class Tables:
    """See the module."""

    def __init__(self, presentations: Presentations, record: Record | None = None) -> None:
        self._presentations = presentations
        self.record = record
        """None: rounds are only logged."""

    def on_round(self, told: Round, now_s: float) -> None:
        """Implements `rounds.Listener`."""
        cause = {"cause": told.cause.value, "evidence": dict(told.evidence)} if told.cause is not None else {}
        log.info("round", stream=told.stream, round_id=told.round_id, state=told.state.value, **cause)
        if told.is_over and self.record is not None:
            self.record("round", describe_in_full(told), now_s)
        self._presentations.mark(told.stream, date_range(told), now_s)


def date_range(told: Round) -> DateRange:
    """The newest step of a round. It has no duration: it is an instant, and what follows is a range of its own."""
    newest = told.steps[-1]
    attributes: dict[str, str | float] = {"X-ROUND-ID": told.round_id, "X-STATE": newest.state.value}
    if newest.state is RoundState.BETTING_OPEN and told.closes_at_unix_s is not None:
        attributes["X-CLOSES-AT"] = date_time(told.closes_at_unix_s)
    if told.cause is not None:
        attributes["X-CAUSE"] = told.cause.value
    return DateRange(f"{told.round_id}/{newest.state.value}", ROUND_CLASS, newest.at_unix_s, attributes=attributes)


def video_timestamps(registry: Registry, clock: WallClock) -> Callable[[str, float], int | None]:
    """Implements `rounds.RtpTimestampAt`: what players receive of a stream's video at a time."""

    def rtp_timestamp_at(name: str, at_s: float) -> int | None:
        stream = registry.stream(name)
        video = stream.tracks.get("video") if stream is not None else None
        return video.clock.timestamp_at(clock.ntp(at_s)) if video is not None else None

    return rtp_timestamp_at
