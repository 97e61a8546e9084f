"""The results about the node for people: tables in Markdown, and what is expected of them, met or missed."""

from collections.abc import Iterable, Iterator, Sequence

from tests.bench.node.burst import RATE_PPS, TUNED_BYTES, Burst
from tests.bench.node.results import MAX_OTHERS_SHARE, Cost, NodeResults
from tests.bench.node.sending import LOADS, OUT_MANY, OUT_ONE, OUT_RUNS
from tests.bench.node.variants import BY_BPF, BY_NFT, BY_NFT_ONE, BYPASSED, TRACKED, UNTRACKED, VARIANTS

_BURSTS = ("rmem_max", "socket granted", "reader stands still", "datagrams in", "lost", "share")
_PROTOTYPE = {
    (TRACKED, OUT_MANY): 1.45,
    (TRACKED, OUT_ONE): 1.39,
    (TRACKED, OUT_RUNS): 1.30,
    (BYPASSED, OUT_MANY): 1.26,
    (BYPASSED, OUT_ONE): 1.27,
    (BYPASSED, OUT_RUNS): 1.26,
    (BY_NFT_ONE, OUT_MANY): 1.09,
    (BY_BPF, OUT_MANY): 1.05,
}
"""Ratios that a throw-away prototype had."""


def render(results: NodeResults) -> str:
    """The whole report."""
    lines = [f"- {sentence}" for sentence in results.without]
    if results.costs:
        lines += _table(("", *LOADS), _rows(results.costs))
    if results.bursts:
        lines += _table(_BURSTS, map(_burst, results.bursts))
    lines += [*(f"- {sentence}" for sentence in _notes(results)), ""]
    return "\n".join([*lines, *(f"- {verdict}" for verdict in verdicts(results))]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [*(f"| {' | '.join(cells)} |" for cells in (head, ["--:"] * len(head), *rows)), ""]


def _rows(costs: Sequence[Cost]) -> Iterator[list[str]]:
    by_place = {(each.variant, each.load): each for each in costs}
    for variant in VARIANTS:
        yield [variant.name, *(_cost(by_place[variant.name, load]) for load in LOADS)]


def _cost(each: Cost) -> str:
    absolute = f"{each.cpu_ns:,.0f} ns, {each.packets_a_second / 1e3:,.0f} k/s"
    if each.variant == UNTRACKED:
        return absolute
    known = _PROTOTYPE.get((each.variant, each.load))
    return f"{absolute}: {each.ratio:.2f} ± {each.spread:.2f}" + (f" ({known:.2f})" if known else "")


def _burst(each: Burst) -> list[str]:
    return [
        f"{each.rmem_max_bytes:,}",
        f"{each.granted_bytes:,}",
        f"{each.stall_s * 1e3:.0f} ms",
        f"{each.sent:,}",
        f"{each.dropped:,}",
        f"{each.dropped_share:.0%}",
    ]


def _notes(results: NodeResults) -> Iterator[str]:
    if results.costs:
        rounds = max(each.rounds for each in results.costs)
        others = max(each.others_share for each in results.costs)
        yield (
            "CPU a packet of 1100 B at both ends of a veth, on one core, up to a socket that nobody reads; packets a "
            "second on that core; and the CPU's ratio to no connection tracking in the same round: medians of "
            f"{rounds} rounds, ± half of what the middle half differs by, and in brackets what a prototype had. The "
            "node is one end: nothing is tracked or marked at the other."
        )
        tracked = {
            name: max(each.tracked for each in results.costs if each.variant == name) for name in (TRACKED, BYPASSED)
        }
        yield (
            f"Connection tracking gained {tracked[TRACKED]:,} entries in a window with it, {tracked[BYPASSED]:,} with "
            "its bypass."
        )
        if others > MAX_OTHERS_SHARE:
            yield f"Other processes had up to {others:.0%} of the core in a window; that is not in the figures."
    if results.bursts:
        yield f"In bursts {RATE_PPS:,} datagrams a second come in; the socket asks for {TUNED_BYTES:,} bytes each time."
    yield f"Load average before: {results.load_average:.2f}."


def verdicts(results: NodeResults) -> Iterator[str]:
    """A line for each thing that tuning is for."""
    if results.costs:
        tracked, bypassed = (_of(results.costs, name) for name in (TRACKED, BYPASSED))
        measured = f"{bypassed.ratio:.2f} against {tracked.ratio:.2f}"
        yield _verdict(f"the bypass is cheaper than tracking, {OUT_MANY}", bypassed.ratio < tracked.ratio, measured)
        gained = max(each.tracked for each in results.costs if each.variant == BYPASSED)
        yield _verdict("nothing is tracked with the bypass", gained == 0, f"{gained:,} entries")
        by_bpf, by_nft = (_of(results.costs, name) for name in (BY_BPF, BY_NFT))
        measured = f"{by_bpf.ratio:.2f} against {by_nft.ratio:.2f}"
        yield _verdict(f"marks by eBPF are cheaper than by nft, {OUT_MANY}", by_bpf.ratio < by_nft.ratio, measured)
    for each in results.bursts:
        if each.rmem_max_bytes == TUNED_BYTES:
            what = f"nothing is lost when the reader stands still for {each.stall_s * 1e3:.0f} ms, tuned"
            yield _verdict(what, each.dropped == 0, f"{each.dropped:,} of {each.sent:,}")


def _of(costs: Sequence[Cost], variant: str) -> Cost:
    return next(each for each in costs if (each.variant, each.load) == (variant, OUT_MANY))


def _verdict(what: str, is_met: bool, measured: str) -> str:
    return f"{'met' if is_met else 'missed'}: {what}: {measured}"
