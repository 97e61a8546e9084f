"""What is played at the tables: rounds, the bets on them, and the signals that tell players of both."""

from collections.abc import Iterator

from gateway.bets.desk import BettingDesk
from gateway.bets.upstream import WebhookUpstream
from gateway.clock import WallClock
from gateway.config import Settings
from gateway.errors import SignallingError
from gateway.hls.presentations import Presentations
from gateway.hub.admission import Admission
from gateway.hub.table import Tables, video_timestamps
from gateway.metrics import Histograms, Sample
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Evidence, Round
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import FIRST_STATES, RoundState
from gateway.signals.signals import Signals
from gateway.stream.registry import Registry, check_name
from gateway.stream.stream import Stream

_SCHEDULED = RoundState.SCHEDULED


class Play:
    """See the module."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        admission: Admission,
        presentations: Presentations,
        clock: WallClock,
        histograms: Histograms,
        upstream: WebhookUpstream | None,
    ) -> None:
        """`upstream` is where accepted bets go; its owner starts and stops it."""
        self.rounds = Rounds(settings.rounds, clock, video_timestamps(registry, clock))
        self.tables = Tables(presentations)
        self.desk = BettingDesk(settings.bets, self.rounds, upstream)
        self.signals = Signals(settings.signals, self.rounds, self.desk, histograms, clock, self._is_known)
        if upstream is not None:
            upstream.on_outcome = self.signals.tell_delivery
            upstream.on_delivered = histograms.bet_upstream_seconds.observe
        self.rounds.listeners += [self.signals.broadcast, self.tables.on_round]
        self._upstream = upstream
        self._registry = registry
        self._admission = admission

    def command_round(self, name: str, command: Command, now_s: float) -> Round:
        """See `Rounds.command`; a round opens only at a stream that there is. What is open may end without a studio."""
        check_name(name)
        known = self.rounds.find(name, command.round_id) if command.round_id is not None else None
        is_new = command.state in FIRST_STATES and known is None
        opens_scheduled = command.state is RoundState.BETTING_OPEN and known is not None and known.state is _SCHEDULED
        if is_new or opens_scheduled:
            self._admission.refuse_if_draining()
        if is_new and self._registry.stream(name) is None:
            raise SignallingError(404, "There is no such stream now.")
        return self.rounds.command(name, command, now_s)

    def rounds_in_play(self, name: str) -> list[Round]:
        """The open rounds of a stream that have begun: those that are only announced can be played elsewhere."""
        return [each for each in self.rounds.open_rounds(name) if each.state is not _SCHEDULED]

    def bets_waiting(self, name: str) -> int:
        """Accepted bets of a stream of which it is not known yet whether they count: their players are to be told."""
        return self._upstream.waiting_of(name) if self._upstream is not None else 0

    @property
    def has_bets_waiting(self) -> bool:
        """Whether any stream has such bets."""
        return self._upstream is not None and self._upstream.waiting > 0

    def forget(self, stream: Stream, now_s: float) -> None:
        """The studio does not come back: end what is open, and keep nothing of the stream."""
        gone = {"studioGoneMs": round((now_s - (stream.source_lost_s or now_s)) * 1000)}
        self.abort_all(stream.name, AbortCause.STUDIO_DISCONNECTED, gone, now_s)
        self.rounds.forget(stream.name)
        self.signals.forget(stream.name)

    def samples(self) -> Iterator[Sample]:
        """What a scrape reads of it, for each stream that there is."""
        yield from self.rounds.samples()
        yield from self.desk.samples(stream.name for stream in self._registry)
        yield from self.signals.samples(stream.name for stream in self._registry)

    def drain(self, now_s: float) -> None:
        """End every round, and tell players so as the last word."""
        for name in self.rounds.streams():
            self.abort_all(name, AbortCause.POLICY, {"rule": "shutdown"}, now_s)
        self.signals.close()

    def abort_all(self, name: str, cause: AbortCause, evidence: Evidence, now_s: float) -> None:
        """Leave no round open by what ends now."""
        for each in self.rounds.open_rounds(name):
            self.rounds.abort(name, each.round_id, cause, evidence, now_s)

    def _is_known(self, name: str) -> bool:
        """Whether there is such a stream, or rounds of one."""
        return self._registry.stream(name) is not None or name in self.rounds.streams()
