"""The contract between what is wanted and how the kernel is asked: controls, aims and knobs.

A *control* is one thing of the node that has a value: it is read and written. An *aim* says which value is right, given
the one that was found. A *knob* is a control with its aim, and why anybody turns it. Planning, applying, verifying and
restoring know nothing else of sysctls, nftables or network cards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Value: TypeAlias = "bool | int | str | Sequence[Value] | Mapping[str, Value] | None"
"""What JSON can say, as state and result files keep it. None: it is not there (a table, a filter, a qdisc of ours)."""

Where: TypeAlias = Mapping[str, str | int]


class Control(Protocol):
    """One thing of the node that has a value."""

    @property
    def kind(self) -> str:
        """Which class it is, for `controls.control_of`: `sysctl`, `nft_marking`, `bpf_marking`, `rings` ..."""

    @property
    def where(self) -> Where:
        """With `kind` all that it takes to find it again, after this process has ended: a name, an interface ..."""

    @property
    def is_own(self) -> bool:
        """Whether nobody but railbird makes such a thing, such as its own table: it was not there before, whatever is
        found, and what others did to it is put right by the next apply."""

    @property
    def is_growing(self) -> bool:
        """Whether values may come to it that were not there before, as a mask with each new queue: such are as the
        kernel made them. Of all others a record has what they were, or nobody knows it."""

    def read(self) -> Value:
        """The value now. UnavailableError where it cannot be had; the message says why."""

    def obstacle(self) -> str | None:
        """Why a `write` would be refused, as far as can be said without one (a privilege, a read-only /proc); None:
        nothing that is known."""

    def write(self, value: Value) -> None:
        """Make it so, at once or not at all; `value` is one that `read` gave, or an aim's target. UnavailableError when
        the kernel refuses; the message says why."""

    def merged(self, original: Value, applied: Value, found: Value) -> Value:
        """What to write to undo our part alone, where others changed it to `found` after we had made `applied` of
        `original`; `found` itself where nothing of ours is left in it. None: ours cannot be told from theirs, so the
        whole value is theirs."""


class Undivided:
    """For controls whose values have no parts that belong to one or another, and none that come later."""

    is_growing = False

    def merged(self, original: Value, applied: Value, found: Value) -> Value:
        """See `Control`."""
        return None


class Aim(Protocol):
    """Which values of a control are right."""

    def target(self, found: Value) -> Value:
        """What to write where `found` is there now; `found` itself when that is right already."""

    def is_met(self, found: Value) -> bool:
        """Whether `found` is right."""

    def __str__(self) -> str:
        """For people: `at least 26214400`, `8189 among them`, `exactly 0`."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One line of a profile, on this machine."""

    name: str
    """`net.core.rmem_max`, `conntrack.bypass`, `dscp.nft`, `nic.rings`, `queues.rps`, `qdisc`: a metric's label, so
    without the interface."""
    control: Control | None
    """None where this machine has no such thing to begin with; `absent` then says why."""
    aim: Aim
    required: bool
    """Whether a node without it is not to carry media."""
    why: str
    """The reason, from the profile."""
    source: str
    """Who says so, from the profile."""
    absent: str = ""
    not_needed: str = ""
    """Why it is not turned on this machine though it could be: the profile's own condition does not hold."""
    floor: Aim | None = None
    """Where the aim follows the machine: what it comes to at the least, on any. What an apply left there and meets it
    holds until the next one, though this machine has grown since, as a bond's speed does with another member."""
