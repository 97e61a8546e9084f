"""Cutting a batch into runs of equal size, one UDP_SEGMENT send each; only a run's last packet may be shorter
(udp(7))."""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.transport.socket import MAX_RUN_BYTES, MAX_SEGMENTS
from gateway.transport.srtp import Sealable


class Run(NamedTuple):
    """Packets for one send: `segment_bytes` is the size on the wire of each but, perhaps, the last."""

    packets: list[Sealable]
    segment_bytes: int


def cut_runs(packets: Iterable[Sealable], overhead_bytes: int) -> list[Run]:
    """`packets` in order, as few runs as that allows. `overhead_bytes` is what sealing adds to each."""
    runs: list[Run] = []
    open_run: Run | None = None
    for packet in packets:
        size = len(packet[0]) + len(packet[1]) + overhead_bytes
        if open_run is None or size > open_run.segment_bytes or _is_full(open_run):
            open_run = Run([packet], size)
            runs.append(open_run)
            continue
        open_run.packets.append(packet)
        if size < open_run.segment_bytes:
            open_run = None
    return runs


def _is_full(run: Run) -> bool:
    count = len(run.packets)
    return count >= MAX_SEGMENTS or (count + 1) * run.segment_bytes > MAX_RUN_BYTES
