"""What was found about LL-HLS, as it is written to JSON."""

from dataclasses import asdict, dataclass, field
from statistics import mean, quantiles
from typing import Any

from tests.bench.hls.processor import Spent
from tests.bench.hls.tally import Tally

MAX_LATE_MS = 100.0
"""A level counts while 99 of 100 video playlists come no later than half a part behind the end of the part that they
were asked for: players hold back three parts, for this and for the part's own way."""


MAX_LOAD_SHARE = 0.7
"""Of the core that players and studio share."""

HINTED = "hinted "
"""A part that is asked for before it is there, against one that is listed: the same bytes."""


@dataclass(frozen=True, slots=True)
class Packaging:
    """Several streams packaged and not, by turns, in one gateway."""

    streams: int
    has_audio: bool
    off: list[float]
    """Part of a core that the gateway used, by turn: nothing is packaged."""
    on: list[float]
    """Between those: everything is."""
    threads: float
    """Part of a core that its threads used while it packaged (of them all): there Opus becomes AAC."""
    wake_ups_off: float
    """A second."""
    wake_ups_on: float

    @property
    def core_share(self) -> float:
        """Part of a core a stream, for packaging alone."""
        return (mean(self.on) - mean(self.off)) / self.streams

    @property
    def threads_core_share(self) -> float:
        """The part of `core_share` that is transcoding, in threads."""
        return self.threads / self.streams

    @property
    def spread(self) -> float:
        """Half of what the turns differ by, in the unit of `core_share`: the noise."""
        return (max(self.on) - min(self.on) + max(self.off) - min(self.off)) / 2 / self.streams

    @property
    def wake_ups(self) -> float:
        """A second and stream, for packaging alone."""
        return (self.wake_ups_on - self.wake_ups_off) / self.streams

    def record(self) -> dict[str, Any]:
        """For JSON."""
        derived = ("core_share", "threads_core_share", "spread", "wake_ups")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


@dataclass(frozen=True, slots=True)
class Late:
    """How late answers were, in milliseconds; of the video rendition."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    answers: int

    @classmethod
    def of(cls, late_s: list[float]) -> "Late | None":
        """None of less than two."""
        if len(late_s) < 2:
            return None
        cuts = quantiles(late_s, n=100, method="inclusive")
        return cls(cuts[49] * 1e3, cuts[98] * 1e3, max(late_s) * 1e3, len(late_s))


@dataclass(frozen=True, slots=True)
class Requests:
    """One kind of request in one window."""

    what: str
    server: str
    clients: int
    """That ask at once, each over a connection of its own."""
    body_bytes: int
    """Of an answer, on average."""
    seconds: float
    cpu_s: float
    """What the server used more than without them."""
    answered: int
    refused: int

    @property
    def cpu_us(self) -> float:
        """CPU a request in microseconds."""
        return self.cpu_s * 1e6 / max(self.answered, 1)

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "cpu_us": self.cpu_us}


@dataclass(frozen=True, slots=True)
class Players:
    """Whole players in one window: four requests a part's duration each."""

    players: int
    seconds: float
    gateway_cpu_s: float
    """What the gateway used more than without them."""
    nginx_cpu_s: float | None
    """None: they ask the gateway itself."""
    core_used: float
    """Part of the core that gateway and nginx share, that they used in all, packaging included."""
    requests: int
    refused: int
    missed: int
    load_share: float
    """Part of its core that the players' process used: near 1, what is late is late because of it."""
    upstream_requests: int
    """That the gateway counted."""
    parts_made: int
    """In both renditions."""
    playlist_late: Late | None
    part_late: Late | None

    @property
    def cpu_s(self) -> float:
        """Of gateway and nginx."""
        return self.gateway_cpu_s + (self.nginx_cpu_s or 0.0)

    @property
    def cpu_us(self) -> float:
        """CPU a request of a player in microseconds."""
        return self.cpu_s * 1e6 / max(self.requests, 1)

    @property
    def upstream_a_part(self) -> float:
        """Requests that reached the gateway, for each part that it made: 2 is one playlist and one part."""
        return self.upstream_requests / max(self.parts_made, 1)

    @property
    def players_a_core(self) -> float:
        """How many fill a core at this cost each: extrapolated from this level."""
        return self.players * self.seconds / self.cpu_s if self.cpu_s > 0 else 0.0

    @property
    def holds(self) -> bool:
        """Whether they were served in time."""
        late = self.playlist_late
        return late is not None and late.p99_ms <= MAX_LATE_MS and not self.refused and not self.missed

    @property
    def remarks(self) -> list[str]:
        """What a reader has to know before believing the row."""
        found = []
        if self.missed:
            found.append(f"{self.missed} connections were closed by the server")
        if self.load_share > MAX_LOAD_SHARE:
            found.append(f"the players' process used {self.load_share:.0%} of its core: lateness is its own, too")
        return found

    def record(self) -> dict[str, Any]:
        """For JSON."""
        derived = ("cpu_us", "upstream_a_part", "players_a_core", "holds", "remarks")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


def players_of(
    players: int, gateway: Spent, nginx: Spent | None, base_share: float, tally: Tally, **counted: int
) -> Players:
    """Of a window; `base_share` is what the gateway uses of its core without them."""
    used_s = gateway.cpu_s + (nginx.cpu_s if nginx is not None else 0.0)
    return Players(
        players=players,
        seconds=gateway.wall_s,
        gateway_cpu_s=gateway.cpu_s - base_share * gateway.wall_s,
        nginx_cpu_s=nginx.cpu_s if nginx is not None else None,
        core_used=used_s / gateway.wall_s,
        requests=tally.requests,
        refused=tally.refused,
        missed=tally.missed,
        load_share=tally.cpu_s / gateway.wall_s,
        playlist_late=Late.of(tally.playlists_late_s),
        part_late=Late.of(tally.parts_late_s),
        **counted,
    )


@dataclass(frozen=True, slots=True)
class HlsResults:
    """All of it."""

    machine: dict[str, str]
    plan: dict[str, Any]
    without: str | None
    """Why there are no figures of nginx; None where there are."""
    packaging: list[Packaging] = field(default_factory=list)
    requests: list[Requests] = field(default_factory=list)
    players: list[Players] = field(default_factory=list)

    def rivals(self, request: Requests) -> dict[str, Requests]:
        """Who answered with the same bytes: by server."""
        what = request.what.removeprefix(HINTED)
        return {each.server: each for each in self.requests if each.what == what and each.server != request.server}

    def record(self) -> dict[str, Any]:
        """For JSON."""
        lists = {name: [each.record() for each in getattr(self, name)] for name in ("packaging", "requests", "players")}
        return {"machine": self.machine, "plan": self.plan, **lists, "without": self.without}
