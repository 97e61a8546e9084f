"""What is played: bet signals, bets, rounds."""

from gateway.metrics.family import Family

_STREAM = ("stream",)

FAMILIES = (
    Family("railbird_signal_connections", "gauge", ("stream", "carrier"), "Players with bet signals."),
    Family("railbird_signal_messages_total", "counter", ("stream", "kind"), "Messages of players, by type."),
    Family("railbird_signal_messages_dropped_total", "counter", ("cause",), "Messages of players that were refused."),
    Family(
        "railbird_signal_messages_unsent_total", "counter", ("carrier",), "Messages that a player was too slow for."
    ),
    Family("railbird_signal_pings_unanswered_total", "counter", _STREAM, "Pings without a pong in time."),
    Family("railbird_bets_total", "counter", ("stream", "state"), "Bets answered, by the state of the answer."),
    Family("railbird_bets_upstream_total", "counter", ("outcome",), "Accepted bets: delivered upstream, or not."),
    Family("railbird_bets_upstream_retries_total", "counter", (), "Attempts that the upstream did not answer well."),
    Family("railbird_bets_upstream_waiting", "gauge", (), "Accepted bets that the upstream does not have yet."),
    Family("railbird_rounds_open", "gauge", _STREAM, "Rounds that are neither settled nor aborted."),
    Family("railbird_rounds_total", "counter", ("stream", "outcome"), "Rounds that ended: settled or aborted."),
    Family("railbird_round_aborts_total", "counter", ("stream", "cause"), "Rounds that were aborted, by cause."),
    Family("railbird_ledger_lines_total", "counter", (), "Lines written to the ledger of rounds."),
    Family(
        "railbird_ledger_failures_total", "counter", (), "Writes to the ledger that failed, and records that were lost."
    ),
)
