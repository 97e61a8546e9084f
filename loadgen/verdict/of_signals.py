"""Thresholds about bet signals and rounds."""

from loadgen import shares
from loadgen.verdict import readings
from loadgen.verdict.metric import Metric
from loadgen.verdict.units import Dimension

_NO_BET = "nobody bet"
_NO_SIGNALS = "nobody had signals"
_NO_ROUND = "no studio of the scenario opened a round"

OF_SIGNALS = (
    Metric(
        "bets",
        Dimension.COUNT,
        "bets that players sent, each counted once",
        readings.signals_count(lambda signals: signals.bets, lambda signals: signals.connections),
        _NO_SIGNALS,
    ),
    Metric(
        "bets_unanswered",
        Dimension.COUNT,
        "bets without any answer",
        readings.signals_count(lambda signals: signals.bets_unanswered, lambda signals: signals.bets),
        _NO_BET,
    ),
    Metric(
        "bets_accepted", Dimension.SHARE, "accepted bets, of all", readings.signals_share(shares.bets_accepted), _NO_BET
    ),
    Metric(
        "bets_late",
        Dimension.COUNT,
        "bets whose answer is that they came too late",
        readings.signals_count(lambda signals: signals.late, lambda signals: signals.bets),
        _NO_BET,
    ),
    Metric(
        "bets_refused",
        Dimension.COUNT,
        "bets that were not taken, for another cause than that they were late",
        readings.signals_count(shares.bets_refused, lambda signals: signals.bets),
        _NO_BET,
    ),
    Metric(
        "bets_undelivered",
        Dimension.COUNT,
        "accepted bets that do not count, as their players were told",
        readings.signals_count(lambda signals: signals.undelivered, lambda signals: signals.accepted),
        "no bet was accepted",
    ),
    Metric(
        "broken_signal_rules",
        Dimension.COUNT,
        "rules of signals that the server broke: two answers to a bet, states out of order ...",
        readings.signals_count(lambda signals: signals.rules_broken, lambda signals: signals.messages),
        _NO_SIGNALS,
    ),
    Metric(
        "signal_failures",
        Dimension.COUNT,
        "connections for signals that did not come up, or that the server ended",
        readings.signal_failures,
        _NO_SIGNALS,
    ),
    Metric(
        "signal_pings",
        Dimension.COUNT,
        "pings of the server that players answered",
        readings.signals_count(lambda signals: signals.pings, lambda signals: signals.connections),
        _NO_SIGNALS,
    ),
    Metric(
        "rounds_seen",
        Dimension.COUNT,
        "rounds that players saw open for bets, each by each",
        readings.signals_count(lambda signals: signals.rounds, lambda signals: signals.connections),
        _NO_SIGNALS,
    ),
    Metric(
        "rounds_settled",
        Dimension.COUNT,
        "rounds that studios drove to their end",
        readings.rounds_count(lambda studios: studios.rounds_settled),
        _NO_ROUND,
    ),
    Metric(
        "rounds_aborted",
        Dimension.COUNT,
        "rounds that the server had ended when their studio moved them on",
        readings.rounds_count(lambda studios: studios.rounds_aborted),
        _NO_ROUND,
    ),
    Metric(
        "round_failures",
        Dimension.COUNT,
        "requests of studios about rounds that were refused",
        readings.round_failures,
        _NO_ROUND,
    ),
)
