"""The results for people: a table in Markdown, and the issue's targets, met or missed."""

from collections.abc import Iterator

from tests.bench.results import Level, Results

MAX_CPU_US = 3.0
MAX_RATIO = 2.0
MAX_SPREAD = 0.15
MAX_JOIN_MS = 3.0
MAX_VIEWER_BYTES = 130_000
MAX_DELAY_MS = 5.0

_HEAD = (
    "viewers",
    "packets/s",
    "packets a send",
    "CPU a packet",
    "floor",
    "ratio",
    "core",
    "viewers a core",
    "memory a viewer",
    "added delay p50 / p99",
    "lost",
)


def render(results: Results) -> str:
    """The whole report."""
    lines = [_row(_HEAD), _row("--:" for _ in _HEAD), *(_row(_cells(level)) for level in results.levels), ""]
    lines += [f"- {sentence}" for sentence in _notes(results)]
    lines += ["", *(f"- {verdict}" for verdict in verdicts(results))]
    return "\n".join(lines) + "\n"


def _row(cells: "Iterator[str] | tuple[str, ...] | list[str]") -> str:
    return f"| {' | '.join(cells)} |"


def _cells(level: Level) -> list[str]:
    return [
        f"{level.viewers}",
        f"{level.packets / level.seconds:,.0f}",
        f"{level.packets_a_send:.2f}",
        f"{level.cpu_us:.2f} µs",
        f"{level.floor_us:.2f} µs",
        f"{level.ratio:.2f}",
        f"{level.core_share:.1%}",
        f"{level.viewers_a_core:,.0f}",
        f"{level.memory_bytes / 1000:.0f} kB" if level.viewers > 1 else "",
        f"{level.delay.p50_ms:.2f} / {level.delay.p99_ms:.2f} ms",
        f"{level.lost}",
    ]


def _notes(results: Results) -> Iterator[str]:
    joins, baseline = results.joins, results.baseline
    yield (
        f"Without a viewer the gateway uses {baseline.core_share:.1%} of its core, for the studio's packets and its "
        f"own timers: what is spread over few packets at 1 viewer, over many at 500."
    )
    if joins is not None:
        yield f"CPU a join: {joins.cpu_ms:.2f} ms, over {joins.joins} joins (HTTP, SDP, ICE, DTLS)."
    yield (
        f"Added delay is from the studio's send to the player's queue; without a gateway between it is "
        f"{baseline.loopback.p50_ms:.3f} / {baseline.loopback.p99_ms:.3f} ms."
    )
    yield ", ".join(f"{name} {value}" for name, value in results.machine.items()) + "."
    for level in results.levels:
        for remark in level.remarks:
            yield f"{level.viewers} viewers: {remark}."


def verdicts(results: Results) -> Iterator[str]:
    """A line for each target that this run measured."""
    full, middle = results.level(500), results.level(200)
    if full is not None:
        yield _verdict("CPU a packet at 500 viewers", full.cpu_us, MAX_CPU_US, "µs")
        yield _verdict("CPU over the floor at 500 viewers", full.ratio, MAX_RATIO, "times")
        yield _verdict("memory a viewer at 500", full.memory_bytes / 1000, MAX_VIEWER_BYTES / 1000, "kB")
    many = [level.cpu_us for level in results.levels if level.viewers >= 50]
    if full is not None and len(many) > 1:
        spread = (max(many) / min(many) - 1) * 100
        yield _verdict("spread of the CPU a packet from 50 to 500 viewers", spread, MAX_SPREAD * 100, "%")
    if results.joins is not None:
        yield _verdict("CPU a join", results.joins.cpu_ms, MAX_JOIN_MS, "ms")
    if middle is not None:
        yield _verdict("added delay p99 at 200 viewers", middle.delay.p99_ms, MAX_DELAY_MS, "ms")


def _verdict(what: str, measured: float, at_most: float, unit: str) -> str:
    word = "met" if measured <= at_most else "missed"
    return f"{word}: {what}: {measured:.2f} {unit} (target: at most {at_most:g})"
