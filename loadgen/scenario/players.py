"""The players of a scenario: how many come when, what they do, and what their network does to them."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from loadgen.scenario.bounds import MAX_BETS_A_ROUND, MAX_DURATION_S, MAX_PLAYERS, MAX_REQUESTS_PER_S
from loadgen.scenario.durations import DURATION, FREQUENCY, SHARE
from loadgen.scenario.fields import InconsistentError, Name, Section, Within, chosen_by_key


class _Arrival(Section):
    at_s: Annotated[float, Within(DURATION, 0, MAX_DURATION_S)] = Field(0.0, alias="at")
    """When the first may come: since the run began."""


class RampArrival(_Arrival):
    """One after another, evenly."""

    ramp_s: Annotated[float, Within(DURATION, 0, MAX_DURATION_S)] = Field(0.0, alias="ramp")
    """Until all have come; a few seconds are a storm, and 0s is all at once."""


class PoissonArrival(_Arrival):
    """By chance, each without regard to the others, as people do."""

    rate_per_s: Annotated[float, Within(FREQUENCY, 1 / 3600, MAX_REQUESTS_PER_S)] = Field(alias="rate")
    """How many come on average, until all have come."""


Arrival = Annotated[
    Annotated[PoissonArrival, Tag("(with)")] | Annotated[RampArrival, Tag("(without)")],
    chosen_by_key("rate", PoissonArrival),
]


class Leaves(Section):
    """How players leave who do not stay to the end: weights, so 6, 3 and 1 are 60 %, 30 % and 10 %."""

    hop: float = Field(0.0, ge=0, le=1e6)
    """Ends the session by DELETE and joins another stream at once."""
    tab_close: float = Field(0.0, ge=0, le=1e6)
    """Vanishes: the server hears nothing any more."""
    goodbye: float = Field(0.0, ge=0, le=1e6)
    """Ends the session by DELETE."""

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not self.total:
            raise ValueError("expected at least one weight above 0")
        return self

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return self.hop + self.tab_close + self.goodbye


_GOODBYE = Leaves(goodbye=1.0)


class ImpairmentSpec(Section):
    """A bad network on the way to some players, made in the client, after the kernel: the server sees only what such
    players answer."""

    share: Annotated[float, Within(SHARE, 0, 1)] = 1.0
    """Of the group's players; the others' network is left as it is."""
    loss: Annotated[float, Within(SHARE, 0, 0.5)] = 0.0
    """Of the packets."""
    burst: float = Field(1.0, ge=1, le=1000)
    """How many packets get lost in a row, on average; 1 is each by itself."""
    jitter_s: Annotated[float, Within(DURATION, 0, 2)] = Field(0.0, alias="jitter")
    """Each packet is late by something between nothing and this."""
    reorder: Annotated[float, Within(SHARE, 0, 1)] = 0.0
    """Of the packets: those that overtake others which jitter holds up; the rest stay in order."""

    @model_validator(mode="after")
    def _can_reorder(self) -> Self:
        if self.reorder and not self.jitter_s:
            raise InconsistentError(("reorder",), "without `jitter` there is nothing to overtake")
        return self


Streams = Annotated[
    Annotated[Literal["all"], Tag("(all)")] | Annotated[tuple[Name, ...], Tag("(names)")],
    Discriminator(lambda given: "(all)" if given == "all" else "(names)"),
]


Protocol = Literal["whep", "hls", "none"]
"""How players watch: by WHEP, by LL-HLS, or not at all: they only have signals."""

CarrierKind = Literal["data_channel", "websocket"]


class BetsSpec(Section):
    """What players bet on rounds that they see being opened."""

    share: Annotated[float, Within(SHARE, 0, 1)] = 1.0
    """Of the players: those that bet on a round, drawn anew for each."""
    per_round: int = Field(1, ge=1, le=MAX_BETS_A_ROUND)
    """Bets of each of them, at moments drawn from the time that bets are open."""
    late: Annotated[float, Within(SHARE, 0, 1)] = 0.0
    """Of the bets: those that are sent when their player knows that bets are closed, and that must be refused."""


class SignalsSpec(Section):
    """Bet signals beside the media: pings are answered at once, and rounds are followed."""

    carrier: CarrierKind | None = None
    """`data_channel`, or `websocket`; without it, the data channel where there is one: with `protocol: whep`."""
    bets: BetsSpec | None = None
    """Without it, nobody bets."""


class PlayersSpec(Section):
    """A group of players that behave alike."""

    name: Name
    """Stands in the report."""
    count: int = Field(ge=1, le=MAX_PLAYERS)
    """How many."""
    streams: Streams = "all"
    """What they watch: `all` that the studios publish, or a list of names; as evenly as possible."""
    protocol: Protocol = "whep"
    """How they watch: `whep`, `hls` for LL-HLS, or `none`: then they only have signals."""
    preload_hints: bool = False
    """Of hls: whether they ask for the next part before it is listed (EXT-X-PRELOAD-HINT). AVPlayer does, hls.js does
    not."""
    arrival: Arrival = RampArrival()
    stay_s: Annotated[float, Within(DURATION, 1, MAX_DURATION_S)] | None = Field(None, alias="stay")
    """How long one watches a stream on average: exponentially distributed, so that most leave early. Without it, they
    stay to the end of the run."""
    leaves: Leaves = _GOODBYE
    away_s: Annotated[float, Within(DURATION, 0, MAX_DURATION_S)] | None = Field(None, alias="away")
    """How long until a new player comes in the place of one who left, on average. Without it, none comes."""
    ice_restart_every_s: Annotated[float, Within(DURATION, 1, MAX_DURATION_S)] | None = Field(
        None, alias="ice_restart_every"
    )
    """How often a player's network changes, on average (a phone between Wi-Fi and mobile): it goes on from another
    port, by an ICE restart."""
    sampled: Annotated[float, Within(SHARE, 0, 1)] = 0.02
    """Of the players, rounded up: those that decrypt each packet (of hls: look at each sample), measure the delay from
    the studio, and check that frames are whole. Each costs several times as much CPU as the others."""
    impairment: ImpairmentSpec | None = None
    signals: SignalsSpec | None = None
    """Without it, they have none."""

    @property
    def carrier(self) -> CarrierKind | None:
        """What carries their signals; None without any."""
        if self.signals is None:
            return None
        return self.signals.carrier or ("data_channel" if self.protocol == "whep" else "websocket")

    @model_validator(mode="after")
    def _watches_something(self) -> Self:
        if not self.streams:
            raise InconsistentError(("streams",), "expected `all`, or at least one name")
        return self

    @model_validator(mode="after")
    def _suits_its_protocol(self) -> Self:
        if self.protocol != "hls" and self.preload_hints:
            raise InconsistentError(("preload_hints",), "only players of `protocol: hls` have them")
        if self.protocol != "whep" and self.carrier == "data_channel":
            raise InconsistentError(("signals", "carrier"), "only players of `protocol: whep` have a data channel")
        if self.protocol == "none" and self.signals is None:
            raise InconsistentError(("protocol",), "without `signals` there is nothing that such players do")
        if self.protocol != "whep":
            for key, is_set in (
                ("impairment", self.impairment is not None),
                ("ice_restart_every", self.ice_restart_every_s is not None),
            ):
                if is_set:
                    raise InconsistentError(
                        (key,), f"players of `protocol: {self.protocol}` have no ICE, and no packets of their own"
                    )
        return self

    @model_validator(mode="after")
    def _leaves_only_after_a_stay(self) -> Self:
        if self.stay_s is None:
            for key, is_set in (("leaves", self.leaves != _GOODBYE), ("away", self.away_s is not None)):
                if is_set:
                    raise InconsistentError((key,), "nobody leaves before the end: there is no `stay`")
        return self
