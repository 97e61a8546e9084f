"""What each player does in a run: pure, and decided by the seed.

A player's life depends on its number in its group, and on nothing else: it is the same whichever worker plays it, and
however many workers there are.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from loadgen.scenario.players import BetsSpec, CarrierKind, ImpairmentSpec, PlayersSpec, PoissonArrival, Protocol

Leave = Literal["hop", "tab_close", "goodbye"]

_LEAVES: tuple[Leave, ...] = ("hop", "tab_close", "goodbye")


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of a player, from its POST to how it leaves."""

    stream: str
    stay_s: float | None
    """From the keys on; None is to the end of the run."""
    leave: Leave | None
    """How it ends after `stay_s`; None with a stay to the end."""
    away_s: float | None
    """Until the next visit begins, 0 after a hop; None when there is no next."""
    ice_restart_every_s: float | None
    is_sampled: bool
    impairment: ImpairmentSpec | None
    seed: int
    """Of what chance does to this visit's packets."""
    protocol: Protocol = "whep"
    preload_hints: bool = False
    carrier: CarrierKind | None = None
    """Of signals; None without any."""
    bets: BetsSpec | None = None
    edge: str | None = None
    """Where: None is the run's target, and else where its server has sent the player (`loadgen.target.edges`)."""


@dataclass(frozen=True, slots=True)
class Life:
    """One place in the crowd: a player, and those who come after it."""

    arrives_s: float
    """Since the run began."""
    spec: PlayersSpec
    streams: tuple[str, ...]
    first_stream: str
    is_sampled: bool
    is_impaired: bool
    seed: str

    def visits(self) -> Iterator[Visit]:
        """One after another, without end where somebody always comes again. Each call begins anew, and is the same."""
        draw = random.Random(self.seed)
        stream = self.first_stream
        while True:
            visit = self._visit(stream, draw)
            yield visit
            if visit.away_s is None:
                return
            stream = self._next_stream(visit, draw)

    def _visit(self, stream: str, draw: random.Random) -> Visit:
        spec = self.spec
        stay_s, leave = None, None
        if spec.stay_s is not None:
            stay_s = _exponential(spec.stay_s, draw)
            (leave,) = draw.choices(_LEAVES, [getattr(spec.leaves, name) for name in _LEAVES])
        return Visit(
            stream=stream,
            stay_s=stay_s,
            leave=leave,
            away_s=self._away_s(leave, draw),
            ice_restart_every_s=_around(spec.ice_restart_every_s, draw),
            is_sampled=self.is_sampled,
            impairment=spec.impairment if self.is_impaired else None,
            seed=draw.getrandbits(63),
            protocol=spec.protocol,
            preload_hints=spec.preload_hints,
            carrier=spec.carrier,
            bets=spec.signals.bets if spec.signals is not None else None,
        )

    def _away_s(self, leave: Leave | None, draw: random.Random) -> float | None:
        if leave == "hop":
            return 0.0
        if self.spec.away_s is None:
            return None
        return _exponential(self.spec.away_s, draw)

    def _next_stream(self, visit: Visit, draw: random.Random) -> str:
        if visit.leave != "hop":
            return draw.choice(self.streams)
        return draw.choice([stream for stream in self.streams if stream != visit.stream] or self.streams)


def lives(spec: PlayersSpec, streams: Sequence[str], seed: int, worker: int, workers: int) -> list[Life]:
    """The lives of those players of the group `spec` that `worker` (0 to `workers` - 1) plays, in their own order.

    `streams` are what the group may watch (`Scenario.streams_of`), at least one. Players are spread evenly over them;
    who is sampled, or has the bad network, is drawn without regard to the stream and to the worker.
    """
    of_group = random.Random(f"{seed}/{spec.name}")
    arrivals = _arrivals(spec, of_group)
    first_streams = [streams[number % len(streams)] for number in range(spec.count)]
    of_group.shuffle(first_streams)
    sampled = _drawn(spec.count, spec.sampled, of_group)
    impaired = _drawn(spec.count, spec.impairment.share if spec.impairment else 0.0, of_group)
    return [
        Life(
            arrives_s=arrivals[number],
            spec=spec,
            streams=tuple(streams),
            first_stream=first_streams[number],
            is_sampled=number in sampled,
            is_impaired=number in impaired,
            seed=f"{seed}/{spec.name}/{number}",
        )
        for number in range(worker, spec.count, workers)
    ]


def _arrivals(spec: PlayersSpec, draw: random.Random) -> list[float]:
    arrival = spec.arrival
    if isinstance(arrival, PoissonArrival):
        gaps = (draw.expovariate(arrival.rate_per_s) for _ in range(spec.count))
        return [arrival.at_s + since_s for since_s in accumulate(gaps)]
    return [arrival.at_s + arrival.ramp_s * number / spec.count for number in range(spec.count)]


def _drawn(count: int, share: float, draw: random.Random) -> frozenset[int]:
    """So many numbers below `count` as make its share, rounded up but for the noise of floats."""
    return frozenset(draw.sample(range(count), min(count, math.ceil(count * share - 1e-9))))


def _exponential(mean_s: float, draw: random.Random) -> float:
    return draw.expovariate(1 / mean_s) if mean_s else 0.0


def _around(mean_s: float | None, draw: random.Random) -> float | None:
    """Half as much to half as much again: who came together does not go on in step."""
    return None if mean_s is None else mean_s * draw.uniform(0.5, 1.5)
