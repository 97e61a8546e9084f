"""Measurements for tests: any that could be, one that has everything, and ways to make one worse."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from qos.measurement import Measurement
from qos.sketch import Sketch

COUNTS = st.integers(0, 10_000)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    """Any: with or without data of each kind, no part greater than its whole."""

    def part(whole: int) -> int:
        return draw(st.integers(0, whole))

    window_ms = draw(st.integers(1, 3_600_000))
    watched_ms, attended_ms = draw(COUNTS) * 100, part(window_ms)
    egress_frames, player_frames, egress_packets = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    rounds = draw(st.integers(0, 100))
    aborts = part(rounds)
    return Measurement(
        window_ms=window_ms,
        viewer_ms=draw(COUNTS) * 1000,
        rtt=Sketch(draw(st.lists(st.floats(0.0005, 5.0), max_size=20))),
        ingest_frames=draw(COUNTS),
        ingest_dropped=draw(COUNTS),
        egress_frames=egress_frames,
        egress_dropped=part(egress_frames),
        player_frames=player_frames,
        player_dropped=draw(COUNTS),
        player_dropped_ms=part(watched_ms),
        freezes=draw(st.integers(0, 100)) if watched_ms else 0,
        frozen_ms=part(watched_ms),
        watched_ms=watched_ms,
        attended_ms=attended_ms,
        still_ms=part(attended_ms),
        ingest_packets=draw(COUNTS),
        ingest_lost=draw(COUNTS),
        egress_packets=egress_packets,
        egress_lost=part(egress_packets),
        rounds=rounds,
        aborts=aborts,
        network_aborts=part(aborts),
    )


def good() -> Measurement:
    """A minute of ten viewers with data of everything, and nothing wrong."""
    return Measurement(
        window_ms=60_000,
        viewer_ms=600_000,
        rtt=Sketch([0.03] * 300),
        ingest_frames=1800,
        egress_frames=18_000,
        player_frames=18_000,
        watched_ms=600_000,
        attended_ms=60_000,
        ingest_packets=20_000,
        egress_packets=200_000,
        rounds=2,
    )


def _slower(measured: Measurement, amount: int) -> Measurement:
    slower = replace(measured, rtt=Sketch())
    slower.rtt.merge(measured.rtt)
    # As many again, all of them slow, so that the percentile moves whatever it was.
    for _ in range(max(measured.rtt.count * 20, amount)):
        slower.rtt.add(6.0)
    return slower


def _grown(*fields: str) -> Callable[[Measurement, int], Measurement]:
    def worse(measured: Measurement, amount: int) -> Measurement:
        return replace(measured, **{field: getattr(measured, field) + amount for field in fields})

    return worse


WORSE: dict[str, Callable[[Measurement, int], Measurement]] = {
    "slower pings": _slower,
    "frames lost on the way in": _grown("ingest_dropped"),
    "frames dropped on the way out": _grown("egress_dropped"),
    "frames not shown": _grown("player_dropped", "player_dropped_ms"),
    "freezes": _grown("freezes"),
    "longer freezes": _grown("frozen_ms"),
    "no frames of the studio": _grown("still_ms"),
    "packets lost on the way in": _grown("ingest_lost"),
    "packets lost on the way out": _grown("egress_lost"),
    "rounds aborted by the network": _grown("aborts", "network_aborts"),
}
"""What makes a measurement worse by an amount, all else being equal."""
