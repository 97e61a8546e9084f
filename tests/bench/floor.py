"""The floor: what header, encryption and send cost alone, in Python, for the very sends that a viewer got.

As many keys and destinations as there are viewers, the same packets a send, the same sizes; the header is packed once a
packet for all of them. Nothing is received, decided, counted or kept.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.bench.remote import Service

_UDP_SEGMENT = 103
_HEADER = struct.Struct("!BBHII")
_EXTENSIONS = bytes.fromhex("bede000290304200000000") + bytes(1)
HEADER_BYTES = _HEADER.size + len(_EXTENSIONS)
TAG_BYTES = 16
_BATCH_NS = 300_000
"""Sends to one viewer that are closer than this belong to one batch of the gateway."""

_PAUSE_S = 0.02
"""Between passes, for those who drain."""

Run = list[bytes]
"""The payloads of one send."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A key, a salt and a destination."""

    encrypt: Callable[[bytes, bytes, bytes], bytes]
    salt: int
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class FloorFigures:
    """CPU time and packets of the bare loop."""

    cpu_ns: int
    packets: int
    sends: int

    @property
    def us_a_packet(self) -> float:
        """Microseconds of CPU a packet."""
        return self.cpu_ns / 1000 / self.packets


class Floor(Service):
    """Runs on the gateway's core, while the gateway has nothing to do."""

    async def run(
        self, trace: list[tuple[int, int, int]], addresses: list[tuple[str, int]], cpu_s: float, wall_s: float
    ) -> FloorFigures:
        """Send `trace` (see `ProbeFigures.runs`) to all `addresses`, again until `cpu_s` or `wall_s` are used up."""
        batches = batches_of(trace)
        viewers = [_viewer(order, address) for order, address in enumerate(addresses)]
        cpu_ns = packets = sends = 0
        deadline_s = time.monotonic() + wall_s
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((addresses[0][0], 0))
            while cpu_ns < cpu_s * 1e9 and time.monotonic() < deadline_s:
                index = packets + 1
                started_ns = time.process_time_ns()
                for batch in batches:
                    index = _send_batch(sender.sendmsg, batch, viewers, index)
                cpu_ns += time.process_time_ns() - started_ns
                packets += len(viewers) * sum(len(run) for batch in batches for run in batch)
                sends += len(viewers) * sum(map(len, batches))
                await asyncio.sleep(_PAUSE_S)
        return FloorFigures(cpu_ns, packets, sends)

    async def close(self) -> None:
        """Nothing to close."""


def _send_batch(sendmsg: Callable[..., int], batch: Sequence[Run], viewers: Sequence[Viewer], index: int) -> int:
    """The bare loop. Returns the next packet's index."""
    runs = []
    for payloads in batch:
        packets = []
        for payload in payloads:
            header = _HEADER.pack(0x90, 108, index & 0xFFFF, index, 1) + _EXTENSIONS
            packets.append((header, payload, 1 << 48 | index))
            index += 1
        segment_bytes = HEADER_BYTES + len(payloads[0]) + TAG_BYTES
        runs.append((packets, [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", segment_bytes))]))
    for viewer in viewers:
        encrypt, salt, address = viewer.encrypt, viewer.salt, viewer.address
        for packets, ancillary in runs:
            buffers = []
            for header, payload, iv in packets:
                buffers.append(header)
                buffers.append(encrypt((salt ^ iv).to_bytes(12, "big"), payload, header))
            sendmsg(buffers, ancillary if len(packets) > 1 else (), 0, address)
    return index


def _viewer(order: int, address: tuple[str, int]) -> Viewer:
    return Viewer(AESGCM(order.to_bytes(16, "big")).encrypt, order << 16, address)


def batches_of(trace: list[tuple[int, int, int]]) -> list[list[Run]]:
    """The runs of a trace with payloads of their sizes, those of one batch together."""
    batches: list[list[Run]] = []
    newest_ns = 0
    for arrival_ns, segment_bytes, run_bytes in trace:
        if not batches or arrival_ns - newest_ns > _BATCH_NS:
            batches.append([])
        newest_ns = arrival_ns
        batches[-1].append(_run(segment_bytes, run_bytes))
    return batches


def _run(segment_bytes: int, run_bytes: int) -> Run:
    sizes = [segment_bytes] * (run_bytes // segment_bytes)
    rest = run_bytes % segment_bytes
    return [bytes(size - HEADER_BYTES - TAG_BYTES) for size in ([*sizes, rest] if rest else sizes)]
