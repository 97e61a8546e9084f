"""What the bench found, as it is written to JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Delay:
    """Quantiles in milliseconds."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    packets: int

    @classmethod
    def of(cls, delays_ns: "list[int] | Any") -> "Delay":
        """Of any number of delays, at least one."""
        ordered = sorted(delays_ns)
        return cls(_quantile_ms(ordered, 0.5), _quantile_ms(ordered, 0.99), ordered[-1] / 1e6, len(ordered))


def _quantile_ms(ordered: list[int], quantile: float) -> float:
    return ordered[min(int(len(ordered) * quantile), len(ordered) - 1)] / 1e6


@dataclass(frozen=True, slots=True)
class Baseline:
    """Before the first player."""

    loopback: Delay
    """What a delay would be without a gateway."""
    core_share: float
    """Part of its core that the gateway uses for the studio's packets and its own timers."""
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Level:
    """One window with a number of viewers."""

    viewers: int
    seconds: float
    cpu_s: float
    """Of the gateway, all of it: what comes in, reports, timers and checks included."""
    packets: int
    sends: int
    floor_us: float
    """CPU a packet of the bare loop."""
    memory_growth_bytes: int
    """Resident memory since the stream was live without viewers."""
    delay: Delay
    """From a studio's send to the player's queue."""
    lost: int
    wrong: int
    """Of the sampled players' packets since they joined."""
    gateway_kernel_drops: int
    load_kernel_drops: int
    nacked: int
    floor_kernel_drops: int
    """Sends of the bare loop that nobody could take: they are cheaper than others."""
    others_share: float
    """Part of the gateway's core that other processes used."""

    @property
    def cpu_us(self) -> float:
        """CPU a forwarded packet in microseconds."""
        return self.cpu_s * 1e6 / self.packets

    @property
    def ratio(self) -> float:
        """CPU a packet over its floor."""
        return self.cpu_us / self.floor_us

    @property
    def packets_a_send(self) -> float:
        """Mean batch size."""
        return self.packets / self.sends

    @property
    def core_share(self) -> float:
        """Part of one core."""
        return self.cpu_s / self.seconds

    @property
    def viewers_a_core(self) -> float:
        """How many viewers fill a core at this cost a packet."""
        return self.viewers / self.core_share

    @property
    def memory_bytes(self) -> float:
        """Memory a viewer."""
        return self.memory_growth_bytes / self.viewers

    @property
    def remarks(self) -> list[str]:
        """What a reader has to know before believing the row."""
        found = []
        if self.lost or self.wrong:
            found.append(f"sampled players missed {self.lost} packets and got {self.wrong} wrong ones")
        if self.gateway_kernel_drops:
            found.append(f"the gateway's socket dropped {self.gateway_kernel_drops} datagrams")
        if self.load_kernel_drops:
            found.append(f"the load was too slow for {self.load_kernel_drops} sends")
        if self.floor_kernel_drops:
            found.append(f"the load was too slow for {self.floor_kernel_drops} sends of the bare loop")
        if self.others_share > 0.05:
            found.append(f"other processes had {self.others_share:.0%} of the gateway's core")
        return found

    def record(self) -> dict[str, Any]:
        """For JSON: what was measured and what follows from it."""
        derived = ("cpu_us", "ratio", "packets_a_send", "core_share", "viewers_a_core", "memory_bytes", "remarks")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


@dataclass(frozen=True, slots=True)
class Joins:
    """Players joining one after another while the studio is silent."""

    joins: int
    cpu_ms: float
    """Of the gateway a join, what it uses idle subtracted."""
    elapsed_ms: float
    """A join, as a player sees it."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything of one bench."""

    machine: dict[str, str]
    plan: dict[str, Any]
    baseline: Baseline
    levels: list[Level] = field(default_factory=list)
    joins: Joins | None = None

    def level(self, viewers: int) -> Level | None:
        """The window with that many viewers."""
        return next((level for level in self.levels if level.viewers == viewers), None)

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "levels": [level.record() for level in self.levels]}
