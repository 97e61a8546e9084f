"""What was found about bet signals, as it is written to JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from loadgen.distribution import Distribution

MAX_LOAD_LATENESS_S = 0.1
"""Of the players' process: beyond it round trips are its own doing, too."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """In milliseconds, within 1 %."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    count: int

    @classmethod
    def of(cls, values: Distribution) -> "RoundTrip | None":
        """None without values."""
        if not values.count:
            return None
        p50_ms, p95_ms, p99_ms = ((values.quantile(share) or 0.0) * 1e3 for share in (0.5, 0.95, 0.99))
        return cls(p50_ms, p95_ms, p99_ms, values.largest * 1e3, values.count)


@dataclass(frozen=True, slots=True)
class Signals:
    """One carrier: a window of pings alone, and one with bets."""

    carrier: str
    clients: int
    has_upstream: bool
    """Whether accepted bets are handed on meanwhile."""
    base_share: float
    """Part of its core that the gateway uses without any of it: of data channels, with as many players without."""
    ping_seconds: float
    ping_cpu_s: float
    """Of the gateway, all of it."""
    pings: int
    ping_rtt: RoundTrip | None
    """As the gateway measures it."""
    bet_seconds: float
    bet_cpu_s: float
    """Of the gateway, all of it: pings go on."""
    bets: int
    bet_rtt: RoundTrip | None
    """As players measure it."""
    unanswered: int
    refused: int
    """Bets that were not accepted."""
    broken_rules: dict[str, int]
    lateness_s: float
    """Of the players' process, at worst."""

    @property
    def ping_us(self) -> float:
        """CPU a round trip of a ping in microseconds."""
        return (self.ping_cpu_s - self.base_share * self.ping_seconds) * 1e6 / max(self.pings, 1)

    @property
    def bet_us(self) -> float:
        """CPU a bet in microseconds: what is used more than with pings alone."""
        with_pings_s = self.ping_cpu_s / self.ping_seconds * self.bet_seconds
        return (self.bet_cpu_s - with_pings_s) * 1e6 / max(self.bets, 1)

    @property
    def core_share(self) -> float:
        """Part of a core for pings and bets, the base subtracted."""
        return self.bet_cpu_s / self.bet_seconds - self.base_share

    @property
    def remarks(self) -> list[str]:
        """What a reader has to know before believing the row."""
        found = []
        if self.lateness_s > MAX_LOAD_LATENESS_S:
            found.append(f"the players were up to {self.lateness_s * 1e3:.0f} ms late: round trips are their own, too")
        if self.refused:
            found.append(f"{self.refused} bets were not accepted")
        return found

    def record(self) -> dict[str, Any]:
        """For JSON."""
        derived = ("ping_us", "bet_us", "core_share", "remarks")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


@dataclass(frozen=True, slots=True)
class EchoFloor:
    """The same number of WebSockets and messages, against a bare echo server."""

    clients: int
    seconds: float
    cpu_s: float
    messages: int
    rtt: RoundTrip | None

    @property
    def echo_us(self) -> float:
        """CPU an echo in microseconds."""
        return self.cpu_s * 1e6 / max(self.messages, 1)

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "echo_us": self.echo_us}


@dataclass(frozen=True, slots=True)
class Outage:
    """Bets while their upstream is down, and after."""

    down_s: float
    clients: int
    bets: int
    accepted: int
    unanswered: int
    waiting_most: int
    """That the gateway held when the upstream came back."""
    drained_s: float
    """From then until all were handed on."""
    delivered: int
    """As players were told."""
    undelivered: int
    upstream: dict[str, int]
    """What the upstream noted: see `casino.Books`."""
    broken_rules: dict[str, int]
    resident_before_bytes: int
    resident_down_bytes: int
    """When the upstream came back."""
    resident_after_bytes: int
    bet_rtt: RoundTrip | None
    """While it was down: nobody waits for an upstream."""

    @property
    def lost(self) -> int:
        """Accepted bets that the upstream never got, or of which no player was told."""
        return self.accepted - min(self.upstream["bets"], self.delivered + self.undelivered)

    @property
    def bytes_a_bet(self) -> float:
        """Memory of a bet that waits."""
        return (self.resident_down_bytes - self.resident_before_bytes) / max(self.waiting_most, 1)

    @property
    def faults(self) -> dict[str, int]:
        """What must not happen; empty when it did not."""
        noted = {name: self.upstream[name] for name in ("forged", "changed", "out_of_order")}
        all_faults = {**noted, **self.broken_rules, "unanswered": self.unanswered, "lost": self.lost}
        return {name: count for name, count in all_faults.items() if count}

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "lost": self.lost, "bytes_a_bet": self.bytes_a_bet, "faults": self.faults}


@dataclass(frozen=True, slots=True)
class SignalResults:
    """All of it."""

    machine: dict[str, str]
    plan: dict[str, Any]
    signals: list[Signals] = field(default_factory=list)
    echo: EchoFloor | None = None
    outage: Outage | None = None

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "machine": self.machine,
            "plan": self.plan,
            "signals": [each.record() for each in self.signals],
            "echo": self.echo.record() if self.echo is not None else None,
            "outage": self.outage.record() if self.outage is not None else None,
        }
