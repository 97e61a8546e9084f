"""What one player's signals amount to, until somebody takes it."""

from collections import Counter

from loadgen.counts import SignalCounts
from loadgen.distribution import Distribution
from loadgen.figures import Interval, SessionFigures

MAX_VALUES = 10_000
"""Round trips between two times that they are taken, a second apart: no server may make us keep more."""


class Tally:
    """Filled by the player's client."""

    def __init__(self) -> None:
        self.counts = SignalCounts()
        self.failures: Counter[str] = Counter()
        """Connections that did not come up, by cause."""
        self.broken_rules: Counter[str] = Counter()
        """By rule; their sum is in `counts`, too."""
        self._bet_rtts_s: list[float] = []
        self._ping_rtts_s: list[float] = []
        self._all_bet_rtts_s = Distribution()

    def on_bet_rtt(self, rtt_s: float) -> None:
        """A bet got its first answer."""
        self._all_bet_rtts_s.add(rtt_s)
        if len(self._bet_rtts_s) < MAX_VALUES:
            self._bet_rtts_s.append(rtt_s)

    def on_ping_rtt(self, rtt_s: float) -> None:
        """The server told what its last ping measured."""
        if len(self._ping_rtts_s) < MAX_VALUES:
            self._ping_rtts_s.append(rtt_s)

    def on_broken_rule(self, rule: str) -> None:
        """The server broke it."""
        self.counts.rules_broken += 1
        self.broken_rules[rule] += 1

    def take(self, interval: Interval, figures: SessionFigures, is_stamped: bool) -> None:
        """Add what happened since the last call to both. `is_stamped`: messages came with the kernel's time."""
        counts = self.counts.take()
        interval.generator.websocket_messages += 0 if is_stamped else counts.messages
        interval.signals.setdefault(figures.stream, SignalCounts()).add(counts)
        figures.signals = figures.signals or SignalCounts()
        figures.signals.add(counts)
        for kept, taken in (
            (self.failures, interval.signal_failures),
            (self.broken_rules, interval.broken_signal_rules),
        ):
            taken.update(kept)
            kept.clear()
        for values_s, distribution in (
            (self._bet_rtts_s, interval.bet_rtt_s),
            (self._ping_rtts_s, interval.signal_rtt_s),
        ):
            for value_s in values_s:
                distribution.add(value_s)
            values_s.clear()
        figures.bet_rtt_p50_s = self._all_bet_rtts_s.quantile(0.5)
        figures.bet_rtt_p95_s = self._all_bet_rtts_s.quantile(0.95)
