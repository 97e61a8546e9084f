"""What a profile says, typed. The shipped media-edge.yml explains each key."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from node_tuner.machine.choice import Choice
from node_tuner.marking import digest_of
from node_tuner.ports import Ports
from node_tuner.profile.dscp import DscpSpec, MarkRuleSpec
from node_tuner.profile.fields import KnobSection, Name, PortSet, PortsOrReference, Section, Text, refuse
from node_tuner.profile.interface import InterfaceField, choice_of
from node_tuner.profile.nic import (
    ChannelsSpec,
    CoalescingSpec,
    NicSpec,
    OffloadsSpec,
    QdiscSpec,
    QueuesSpec,
    RingsSpec,
    SteeringSpec,
)
from node_tuner.profile.sysctls import Sysctls, SysctlSpec

__all__ = [
    "ChannelsSpec",
    "CoalescingSpec",
    "ConntrackSpec",
    "CpuDmaLatencySpec",
    "DscpSpec",
    "MarkRuleSpec",
    "NicSpec",
    "OffloadsSpec",
    "Profile",
    "QdiscSpec",
    "QueuesSpec",
    "RingsSpec",
    "SteeringSpec",
    "SysctlSpec",
]


class ConntrackSpec(KnobSection):
    """Which datagrams are no connections to the kernel."""

    bypass: PortsOrReference
    """UDP ports of this node, in both directions."""


class CpuDmaLatencySpec(Section):
    """How deep cores may sleep: /dev/cpu_dma_latency, which `watch` holds open for as long as it runs."""

    at_most: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    """Microseconds that a core may take to wake up; 0: it never sleeps."""
    why: Text
    source: Text


def _whole_number(given: object) -> object:
    """For Python True and 1.0 are 1 as well."""
    if type(given) is not int:
        raise ValueError("expected a whole number")
    return given


class Profile(Section):
    """What a node is to be."""

    schema_version: Annotated[Literal[1], BeforeValidator(_whole_number), Field(alias="schema")]
    """Of this format."""
    name: Name
    """Stands in the result file."""
    summary: Text = "-"
    """One sentence for people."""
    interface: InterfaceField = "default_route"
    """Which carries the media: `default_route`, {name: eth0} or {address: 192.0.2.7}."""
    media_ports: PortSet
    """UDP ports of the gateway: `8189`, `8189,9000-9010` or a list of such."""
    sysctls: Sysctls = Field(default_factory=dict)
    conntrack: ConntrackSpec | None = None
    dscp: DscpSpec | None = None
    nic: NicSpec = NicSpec()
    queues: QueuesSpec = QueuesSpec()
    qdisc: QdiscSpec | None = None
    cpu_dma_latency_us: CpuDmaLatencySpec | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        steers_all = self.queues.rps is not None and self.queues.rps.steer == "all_cores"
        if self.nic.channels is not None and self.nic.channels.combined == "cores" and steers_all:
            refuse(
                (("queues", "rps", "steer"), "with a queue for each core there is nothing to hand on to other cores")
            )
        return self

    @property
    def choice(self) -> Choice:
        """Of the interface, for `machine.reading.read`."""
        return choice_of(self.interface)

    @property
    def digest(self) -> str:
        """Changes when what the profile says does; comments do not matter."""
        return digest_of(self.model_dump(mode="json", by_alias=True))

    def ports(self, ports: Ports | str) -> Ports:
        """The ports themselves, where they may be given as `media_ports`."""
        return ports if isinstance(ports, Ports) else self.media_ports
