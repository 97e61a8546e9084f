"""What was found about the node, as it is written to JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any

from tests.bench.node.burst import Burst
from tests.bench.node.sending import Window

MAX_OTHERS_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """One load with one variant, over all rounds."""

    load: str
    variant: str
    packets_a_second: float
    """On this one core, sending and receiving; the median."""
    cpu_ns: float
    """A packet, at both ends of the veth; the median."""
    ratio: float
    """Of `cpu_ns` to the first variant's in the same round; the median of the rounds."""
    spread: float
    """Half of what the middle half of the rounds' ratios differ by: the noise."""
    others_share: float
    """Part of the core that other processes had, at worst."""
    tracked: int
    """Entries that connection tracking gained in a window, at most."""
    rounds: int


def costs(rounds: Sequence[Sequence[Window]], reference: str) -> Iterator[Cost]:
    """Of all windows, in the order of the first round."""
    for first in rounds[0]:
        own = [_window(windows, first.load, first.variant) for windows in rounds]
        references = [_window(windows, first.load, reference) for windows in rounds]
        ratios = [_ns(each) / _ns(other) for each, other in zip(own, references, strict=True)]
        yield Cost(
            load=first.load,
            variant=first.variant,
            packets_a_second=median(each.packets * 1e9 / each.wall_ns for each in own),
            cpu_ns=median(map(_ns, own)),
            ratio=median(ratios),
            spread=_spread(ratios),
            others_share=max(each.others_ns / each.wall_ns for each in own),
            tracked=max(each.tracked for each in own),
            rounds=len(own),
        )


def _window(windows: Sequence[Window], load: str, variant: str) -> Window:
    return next(each for each in windows if (each.load, each.variant) == (load, variant))


def _ns(window: Window) -> float:
    return window.cpu_ns / max(window.packets, 1)


def _spread(ratios: Sequence[float]) -> float:
    if len(ratios) < 2:
        return 0.0
    first, _, third = quantiles(ratios, n=4, method="inclusive")
    return (third - first) / 2


@dataclass(frozen=True, slots=True)
class NodeResults:
    """All of it."""

    machine: dict[str, str]
    plan: dict[str, Any]
    without: list[str] = field(default_factory=list)
    """Why something was not measured, a sentence each."""
    costs: list[Cost] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    load_average: float = 0.0
    """Of the machine, in the minute before: the bench itself is not yet in it."""

    def record(self) -> dict[str, Any]:
        """For JSON."""
        bursts = [
            {**asdict(each), "dropped": each.dropped, "dropped_share": each.dropped_share} for each in self.bursts
        ]
        return {**asdict(self), "bursts": bursts}
