"""The course of the bench: which processes there are, and what is read when."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.crowd import Crowd, CrowdFigures
from tests.bench.floor import Floor, FloorFigures
from tests.bench.gateway_process import HOST, STREAM, GatewayProcess, running_gateway, wait_until
from tests.bench.pictures import Studio
from tests.bench.placement import CROWD_NICE, MEASURED_NICE, Cores
from tests.bench.probe import Probe, ProbeFigures
from tests.bench.progress import say
from tests.bench.remote import Remote, remote
from tests.bench.results import Baseline, Delay, Joins, Level

SAMPLED_EVERY = 20
"""One player in so many checks and times its packets; they are spread over the order of joining, so of being served."""

SETTLE_S = 2.0
"""Until those who joined are live: a join is paced, and a keyframe is a second away at most."""

IDLE_S = 2.0
WARM_UP_JOINS = 10
FLOOR_CPU_S = 1.0
FLOOR_WALL_S = 5.0
_JIFFY_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    levels: tuple[int, ...]
    seconds: float
    joins: int
    studio: Studio
    udp_host: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """The processes of one measurement."""

    gateway: GatewayProcess
    probe: Remote
    crowd: Remote
    floor: Remote
    cores: Cores


@contextmanager
def _bench(plan: Plan, cores: Cores) -> Iterator[Bench]:
    with ExitStack() as stack:
        gateway = stack.enter_context(running_gateway(plan.command, plan.udp_host, cores.gateway))
        whip, whep = (f"{gateway.url}/{root}/{STREAM}" for root in ("whip", "whep"))
        for_probe, for_crowd = partial(Probe, whip, whep, HOST, plan.studio), partial(Crowd, whep, HOST)
        probe = stack.enter_context(remote("probe", for_probe, cores.load, MEASURED_NICE))
        crowd = stack.enter_context(remote("crowd", for_crowd, cores.load, CROWD_NICE))
        floor = stack.enter_context(remote("floor", Floor, frozenset({cores.gateway}), MEASURED_NICE))
        probe.call("publish")
        wait_until(lambda: gateway.counters().publishers == 1, "the stream is live")
        yield Bench(gateway, probe, crowd, floor, cores)


def measure_levels(plan: Plan, cores: Cores) -> tuple[Baseline, list[Level]]:
    """What there is without players, and a window at every level."""
    with _bench(plan, cores) as bench:
        baseline = _baseline(bench)
        levels: list[Level] = []
        for viewers in plan.levels:
            _grow(bench, levels[-1].viewers if levels else 0, viewers)
            say(f"{viewers} viewers: measuring for {plan.seconds:g} s")
            levels.append(_window(bench, viewers, plan.seconds, baseline.resident_bytes))
        return baseline, levels


def _baseline(bench: Bench) -> Baseline:
    loopback = Delay.of(bench.probe.call("loopback_delays_ns"))
    bench.probe.call("go_live", True)
    time.sleep(SETTLE_S)
    return Baseline(loopback, _core_share(bench.gateway), bench.gateway.resident_bytes())


def _core_share(gateway: GatewayProcess) -> float:
    before_ns = gateway.cpu_ns()
    time.sleep(IDLE_S)
    return (gateway.cpu_ns() - before_ns) / 1e9 / IDLE_S


def _grow(bench: Bench, present: int, viewers: int) -> None:
    say(f"{viewers} viewers: {viewers - present} join")
    waiting = 0
    for order in range(present, viewers):
        if not is_sampled(order):
            waiting += 1
            continue
        bench.crowd.call("join", waiting)
        bench.probe.call("join", 1)
        waiting = 0
    bench.crowd.call("join", waiting)
    time.sleep(SETTLE_S)


def is_sampled(order: int) -> bool:
    """Whether the player that joins as number `order` (from 0) is a sampled one: the first, and one in every block."""
    return order == 0 or order % SAMPLED_EVERY == SAMPLED_EVERY // 2


def _window(bench: Bench, viewers: int, seconds: float, empty_bytes: int) -> Level:
    gateway = bench.gateway
    crowd_before: CrowdFigures = bench.crowd.call("figures")
    bench.probe.call("begin_window")
    # The scrapes lie outside the window of the CPU clock.
    before = gateway.counters()
    busy_before_s, cpu_before_ns, began_s = _busy_s(bench.cores.gateway), gateway.cpu_ns(), time.monotonic()
    time.sleep(seconds)
    cpu_ns, elapsed_s = gateway.cpu_ns() - cpu_before_ns, time.monotonic() - began_s
    busy_s = _busy_s(bench.cores.gateway) - busy_before_s
    after = gateway.counters()
    seen: ProbeFigures = bench.probe.call("end_window")
    crowd: CrowdFigures = bench.crowd.call("figures")
    resident_bytes = gateway.resident_bytes()
    floor, floor_drops = _floor(bench, viewers, seen)
    return Level(
        viewers=viewers,
        seconds=elapsed_s,
        cpu_s=cpu_ns / 1e9,
        packets=after.packets - before.packets,
        sends=after.sends - before.sends,
        floor_us=floor.us_a_packet,
        memory_growth_bytes=resident_bytes - empty_bytes,
        delay=Delay.of(seen.delays_ns),
        lost=seen.lost,
        wrong=seen.wrong,
        gateway_kernel_drops=after.kernel_drops - before.kernel_drops,
        load_kernel_drops=crowd.kernel_drops - crowd_before.kernel_drops,
        floor_kernel_drops=floor_drops,
        nacked=after.nacked - before.nacked,
        others_share=max(busy_s - cpu_ns / 1e9, 0.0) / elapsed_s,
    )


def _floor(bench: Bench, viewers: int, seen: ProbeFigures) -> tuple[FloorFigures, int]:
    """The bare loop with the sends of this window, while the studio pauses; how many of them nobody could take."""
    bench.probe.call("go_live", False)
    time.sleep(0.2)
    sinks = bench.crowd.call("open_sinks", viewers)
    floor: FloorFigures = bench.floor.call("run", seen.runs, sinks, FLOOR_CPU_S, FLOOR_WALL_S)
    dropped: int = bench.crowd.call("close_sinks")
    bench.probe.call("go_live", True)
    return floor, dropped


def measure_joins(plan: Plan, cores: Cores) -> Joins:
    """CPU a join, in a gateway of its own, with a studio that is there but sends nothing."""
    with _bench(plan, cores) as bench:
        bench.crowd.call("join", WARM_UP_JOINS)
        time.sleep(SETTLE_S)
        idle_share = _core_share(bench.gateway)
        say(f"{plan.joins} players join one after another")
        cpu_before_ns, began_s = bench.gateway.cpu_ns(), time.monotonic()
        bench.crowd.call("join", plan.joins)
        elapsed_s = time.monotonic() - began_s
        cpu_s = (bench.gateway.cpu_ns() - cpu_before_ns) / 1e9
        net_s = cpu_s - idle_share * elapsed_s
        return Joins(plan.joins, net_s * 1e3 / plan.joins, elapsed_s * 1e3 / plan.joins)


def _busy_s(core: int) -> float:
    """Seconds that `core` was busy since boot (proc(5): user, nice, system, idle, iowait, irq, softirq, steal)."""
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) * _JIFFY_S
