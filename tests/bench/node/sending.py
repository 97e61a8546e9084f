"""Windows of sends on one core, in a namespace that stands for the node: for each load, one for each variant."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import netns  # type: ignore[import-untyped]

from node_tuner.machine.counters import conntrack
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from tests.bench.node.cost import CoreClock, Reading
from tests.bench.node.load import Batch, Way
from tests.bench.node.variants import MEDIA_PORT, VARIANTS, VIDEO, Variant, in_force
from tests.bench.placement import MEASURED_NICE, place

FLOWS = 10_000
SEGMENTS = 16
PLAYERS_NET = "10.200.0.0/16"
"""All of it is the far namespace's own."""

PLAYERS_PORT = 40_000
_WARM_S = 0.01
_UDP_GRO = 104

ONE_FLOW = [Way("10.200.0.1", PLAYERS_PORT)] * 250
MANY_FLOWS = [Way(f"10.200.{host >> 8}.{host & 255}", PLAYERS_PORT) for host in range(1, FLOWS + 1)]

OUT_MANY, OUT_ONE, OUT_RUNS = "10 k flows out", "1 flow out", f"1 flow out, GSO x{SEGMENTS}"
IN_MANY = "10 k flows in"
LOADS = (OUT_MANY, OUT_ONE, OUT_RUNS, IN_MANY)


@dataclass(frozen=True, slots=True)
class Window:
    """What one cost."""

    load: str
    variant: str
    packets: int
    wall_ns: int
    cpu_ns: int
    others_ns: int
    """That other processes had of the core."""
    tracked: int
    """Entries of connection tracking that the window added."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is done."""

    near: str
    """The node's namespace, in which we are."""
    near_ipv4: str
    far: str
    interface: str


def measure_round(site: Site, core: int, window_s: float, is_reversed: bool) -> list[Window]:
    """Each load with each variant, the variants side by side, in this process: it is the core's alone from now on.
    Every other round goes backwards, so that a machine that slows down does not make the last variant the dearest."""
    place(frozenset([core]), MEASURED_NICE)
    link, clock = Link(site.interface, socket.if_nametoindex(site.interface)), CoreClock(core)
    variants = VARIANTS[::-1] if is_reversed else VARIANTS
    windows = []
    with _roads(site) as roads:
        for load in LOADS:
            for variant in variants:
                with in_force(variant, link):
                    windows.append(_window(load, variant, roads[load], clock, window_s))
    return windows


Send = Callable[[], int]


def _window(load: str, variant: Variant, send: Send, clock: CoreClock, window_s: float) -> Window:
    before = _tracked()
    _send_for(send, _WARM_S)
    packets, began, ended = _timed(send, clock, window_s)
    return Window(
        load=load,
        variant=variant.name,
        packets=packets,
        wall_ns=ended.wall_ns - began.wall_ns,
        cpu_ns=ended.cpu_ns_since(began),
        others_ns=ended.others_ns_since(began),
        tracked=max(_tracked() - before, 0),
    )


def _timed(send: Send, clock: CoreClock, window_s: float) -> tuple[int, Reading, Reading]:
    began = clock.read()
    packets = _send_for(send, window_s)
    return packets, began, clock.read()


def _send_for(send: Send, seconds: float) -> int:
    packets, end_ns = 0, time.perf_counter_ns() + int(seconds * 1e9)
    while time.perf_counter_ns() < end_ns:
        packets += send()
    return packets


def _tracked() -> int:
    found = conntrack(Roots())
    return found.entries if found is not None else 0


@contextmanager
def _roads(site: Site) -> Iterator[Mapping[str, Send]]:
    """What sends the next datagrams of each load. Nobody reads them: they end at a full socket."""
    with ExitStack() as stack:
        near = stack.enter_context(_socket(MEDIA_PORT))
        with inside(site.far):
            far = stack.enter_context(_socket(PLAYERS_PORT))
        incoming = [Way(site.near_ipv4, MEDIA_PORT, way.destination) for way in MANY_FLOWS]
        sends = (_sending(near, MANY_FLOWS), _sending(near, ONE_FLOW), _sending(near, ONE_FLOW, SEGMENTS))
        yield dict(zip(LOADS, (*sends, _sending(far, incoming)), strict=True))


def _sending(sender: socket.socket, ways: Sequence[Way], segments: int = 1) -> Send:
    batch = Batch(ways, VIDEO, segments)
    return lambda: batch.send(sender)


def _socket(port: int) -> socket.socket:
    """It takes runs of segments whole, as the far end's network card would."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
    made.bind(("0.0.0.0", port))
    return made


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that are made meanwhile are of that network namespace, for as long as they live."""
    here = os.open(Path("/proc/thread-self/ns/net"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        netns.setns(namespace)
        yield
    finally:
        netns.setns(here)
        os.close(here)
