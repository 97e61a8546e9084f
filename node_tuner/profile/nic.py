"""The network card, its queues and its qdisc in a profile."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from node_tuner.profile.fields import KnobSection, Section, refuse
from node_tuner.profile.rules import MAX_INT

MAX_QUEUES = 4096
"""More than any card has."""

_Count = Annotated[int, Field(strict=True, ge=1, le=MAX_QUEUES)]
_Entries = Annotated[int, Field(strict=True, ge=1, le=1 << 20)]
_Microseconds = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
_Frames = Annotated[int, Field(strict=True, ge=0, le=65_535)]
_Switch = Annotated[bool, Field(strict=True)]


def _tag(given: object) -> str:
    return "(word)" if isinstance(given, str) else "(number)"


class ChannelsSpec(KnobSection):
    """How many queues the card has."""

    combined: Annotated[
        Annotated[Literal["cores", "max"], Tag("(word)")] | Annotated[_Count, Tag("(number)")], Discriminator(_tag)
    ]
    """`cores`: one each, as far as the card has them; `max`: what it has; or a number."""


_Ring = Annotated[Annotated[Literal["max"], Tag("(word)")] | Annotated[_Entries, Tag("(number)")], Discriminator(_tag)]


class RingsSpec(KnobSection):
    """How many packets wait in the card while the kernel is busy."""

    rx: _Ring | None = None
    """`max`, or a number of entries; left alone where it is not said."""
    tx: _Ring | None = None
    """Likewise."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        _check_any(self, "rx", "tx")
        return self


class CoalescingSpec(KnobSection):
    """How long the card waits before it interrupts; what is not said is left alone."""

    rx_usecs: _Microseconds | None = None
    """Microseconds after a packet came."""
    rx_frames: _Frames | None = None
    """Or so many packets."""
    tx_usecs: _Microseconds | None = None
    """Microseconds after a packet was sent."""
    tx_frames: _Frames | None = None
    """Or so many packets."""
    adaptive_rx: _Switch | None = None
    """Whether the driver chooses rx_usecs by the load."""
    adaptive_tx: _Switch | None = None
    """Likewise tx_usecs."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.adaptive_rx and self.rx_usecs is not None:
            refuse((("rx_usecs",), "the driver chooses it where `adaptive_rx` is true"))
        if self.adaptive_tx and self.tx_usecs is not None:
            refuse((("tx_usecs",), "the driver chooses it where `adaptive_tx` is true"))
        _check_any(self, *COALESCING)
        return self


COALESCING = ("rx_usecs", "rx_frames", "tx_usecs", "tx_frames", "adaptive_rx", "adaptive_tx")


class OffloadsSpec(KnobSection):
    """What the card does instead of the kernel."""

    features: Annotated[
        Mapping[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")], _Switch],
        Field(min_length=1, max_length=64),
    ]
    """By the names of `ethtool -k`, such as tx-udp-segmentation; true is on."""


class NicSpec(Section):
    """By ethtool's netlink interface."""

    channels: ChannelsSpec | None = None
    rings: RingsSpec | None = None
    coalescing: CoalescingSpec | None = None
    offloads: OffloadsSpec | None = None


class SteeringSpec(KnobSection):
    """Which cores do the work of which queue."""

    steer: Literal["off", "where_queues_below_cores", "all_cores"]
    """`off`: no masks; `all_cores`: masks of all cores; `where_queues_below_cores`: that only on cards that have fewer
    queues than the machine has cores."""


class QueuesSpec(Section):
    """By /sys/class/net/INTERFACE/queues."""

    rps: SteeringSpec | None = None
    """Receiving: every queue's packets go to all cores."""
    xps: SteeringSpec | None = None
    """Sending: cores are dealt out over the queues, one after the other."""


class QdiscSpec(KnobSection):
    """The interface's root queueing discipline."""

    kind: Literal["fq", "fq_codel", "pfifo", "pfifo_fast", "bfifo", "cake"]
    limit_packets: Annotated[int, Field(strict=True, ge=1, le=MAX_INT)] | None = None
    """How many packets wait in it; the kernel's default where it is not said. Of fq, fq_codel and pfifo."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.limit_packets is not None and self.kind not in ("fq", "fq_codel", "pfifo"):
            refuse((("limit_packets",), f"{self.kind} has no limit in packets"))
        return self


def _check_any(section: Section, *names: str) -> None:
    if all(getattr(section, name) is None for name in names):
        refuse(((), f"expected at least one of {', '.join(names)}"))
