"""Cutting a batch into runs of equal size, one UDP_SEGMENT send each; only a run's last may be shorter (udp(7))."""

from collections.abc import Iterable

from gateway.transport.marking import Ancillary
from gateway.transport.socket import MAX_RUN_BYTES, MAX_SEGMENTS
from gateway.transport.srtp import Run, Sealable


def cut_runs(
    packets: Iterable[Sealable], overhead_bytes: int, max_segments: int = MAX_SEGMENTS, mark: Ancillary = ()
) -> list[Run]:
    """`packets` in order, as few runs as that allows, all with `mark`. `overhead_bytes` is what sealing adds to
    each."""
    runs: list[list[Sealable]] = []
    segment_bytes = 0
    is_open = False
    for packet in packets:
        size = len(packet[0]) + len(packet[1]) + overhead_bytes
        if is_open and size <= segment_bytes and not _is_full(len(runs[-1]), segment_bytes, max_segments):
            runs[-1].append(packet)
            is_open = size == segment_bytes
            continue
        runs.append([packet])
        segment_bytes, is_open = size, True
    return [Run(run, overhead_bytes, mark) for run in runs]


def _is_full(count: int, segment_bytes: int, max_segments: int) -> bool:
    return count >= max_segments or (count + 1) * segment_bytes > MAX_RUN_BYTES
