"""The results about bet signals for people: tables in Markdown, and the issue's targets, met or missed."""

from collections.abc import Iterable, Iterator, Sequence

from tests.bench.signals.results import EchoFloor, Outage, RoundTrip, SignalResults, Signals

_HEAD = (
    "signals by",
    "clients",
    "pings/s",
    "CPU a ping",
    "echo, bare aiohttp",
    "ratio",
    "ping RTT p50 / p99",
    "bets/s",
    "CPU a bet",
    "bet RTT p50 / p99",
    "core for both",
    "unanswered",
)
_OUTAGE = ("upstream down", "bets", "waited", "drained in", "lost", "out of order", "memory a bet", "bet RTT p50 / p99")

MAX_BYTES_A_BET = 8_192
"""Of a bet that waits: with 20,000 of them that is 160 MB, which a node has."""


def render(results: SignalResults) -> str:
    """The whole report."""
    lines = _table(_HEAD, (_cells(each, results.echo) for each in results.signals))
    if results.outage is not None:
        lines += _table(_OUTAGE, [_outage(results.outage)])
    lines += [*(f"- {sentence}" for sentence in _notes(results)), ""]
    return "\n".join([*lines, *(f"- {verdict}" for verdict in verdicts(results))]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [*(f"| {' | '.join(cells)} |" for cells in (head, ["--:"] * len(head), *rows)), ""]


def _cells(each: Signals, echo: EchoFloor | None) -> list[str]:
    floor = echo if each.carrier == "websocket" else None
    return [
        each.carrier.replace("_", " ") + (", bets handed on" if each.has_upstream else ""),
        f"{each.clients:,}",
        f"{each.pings / each.ping_seconds:.0f}",
        f"{each.ping_us:.0f} µs",
        f"{floor.echo_us:.0f} µs" if floor is not None else "",
        f"{each.ping_us / floor.echo_us:.2f}" if floor is not None else "",
        _round_trip(each.ping_rtt),
        f"{each.bets / each.bet_seconds:.0f}",
        f"{each.bet_us:.0f} µs",
        _round_trip(each.bet_rtt),
        f"{each.core_share:.1%}",
        f"{each.unanswered}",
    ]


def _outage(outage: Outage) -> list[str]:
    return [
        f"{outage.down_s:.0f} s",
        f"{outage.bets:,}",
        f"{outage.waiting_most:,}",
        f"{outage.drained_s:.1f} s",
        f"{outage.lost}",
        f"{outage.upstream['out_of_order']}",
        f"{outage.bytes_a_bet / 1000:.1f} kB",
        _round_trip(outage.bet_rtt),
    ]


def _round_trip(rtt: RoundTrip | None) -> str:
    return f"{rtt.p50_ms:.2f} / {rtt.p99_ms:.2f} ms" if rtt is not None else ""


def _notes(results: SignalResults) -> Iterator[str]:
    yield (
        "CPU of a ping is what the gateway uses more than without signals, over the round trips: its timers and the "
        "rest of the connection are in it. CPU of a bet is what it uses more than with pings alone."
    )
    yield (
        "Round trips of pings are the gateway's own, of bets those of players; both have the way through the load "
        "generator's process in them."
    )
    if any(each.carrier == "data_channel" for each in results.signals):
        yield "Data channels are compared with as many players by WHEP that have none; the studio is silent."
    for each in results.signals:
        for remark in each.remarks:
            yield f"{each.carrier}: {remark}."
    if results.outage is not None:
        outage = results.outage
        yield (
            f"Memory of the gateway: {outage.resident_before_bytes / 1e6:.0f} MB before the upstream went down, "
            f"{outage.resident_down_bytes / 1e6:.0f} MB when it came back, {outage.resident_after_bytes / 1e6:.0f} MB "
            f"when all was handed on; the upstream was sent {outage.upstream['repeated']} bets again."
        )


def verdicts(results: SignalResults) -> Iterator[str]:
    """A line for each target."""
    for each in results.signals:
        wrong = {**each.broken_rules, **({"unanswered": each.unanswered} if each.unanswered else {})}
        yield _verdict(f"each bet answered once by {each.carrier.replace('_', ' ')}", not wrong, f"{wrong or 'all'}")
    if results.outage is not None:
        outage = results.outage
        yield _verdict(
            f"nothing lost, order kept with the upstream down for {outage.down_s:.0f} s",
            not outage.faults,
            f"{outage.faults or f'{outage.accepted:,} bets'}",
        )
        yield _verdict(
            "memory of a bet that waits",
            outage.bytes_a_bet <= MAX_BYTES_A_BET,
            f"{outage.bytes_a_bet / 1000:.1f} kB (target: at most {MAX_BYTES_A_BET / 1000:.1f})",
        )


def _verdict(what: str, is_met: bool, measured: str) -> str:
    return f"{'met' if is_met else 'missed'}: {what}: {measured}"
