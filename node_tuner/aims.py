"""The aims that profiles have: exactly, at least, some fields of several, ports among others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node_tuner.contract import Value
from node_tuner.errors import UnavailableError
from node_tuner.marking import digest_of
from node_tuner.ports import Ports


@dataclass(frozen=True, slots=True)
class Exactly:
    """This value and no other."""

    value: Value

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        return self.value

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return found == self.value

    def __str__(self) -> str:
        if isinstance(self.value, Mapping):
            return ", ".join(f"{key} {value}" for key, value in self.value.items())
        return f"exactly {self.value}"


@dataclass(frozen=True, slots=True)
class Unmet:
    """What was to be of a thing that is not there, or that is not changed by an apply: in words alone."""

    label: str

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        return found

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return False

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A whole number that is never lowered: who set it higher had a reason."""

    value: int

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        if self.is_met(found):
            return found
        # As its control reads it back: sysctls are text.
        return str(self.value) if isinstance(found, str) else self.value

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return _number(found) >= self.value

    def __str__(self) -> str:
        return f"at least {self.value}"


@dataclass(frozen=True, slots=True)
class FieldsAtLeast:
    """Several numbers, such as tcp_rmem's three; None leaves that one as it is."""

    values: Sequence[int | None]

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        if self.is_met(found):
            return found
        raised = self._raised(found)
        text = " ".join(map(str, raised))
        if raised != sorted(raised):
            raise UnavailableError(
                f"it would be {text}, and none may be smaller than the one before: raise that as well"
            )
        return text

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return self._raised(found) == self._numbers(found)

    def __str__(self) -> str:
        return "at least " + " ".join("(any)" if least is None else str(least) for least in self.values)

    def _raised(self, found: Value) -> list[int]:
        return [
            number if least is None else max(number, least)
            for number, least in zip(self._numbers(found), self.values, strict=True)
        ]

    def _numbers(self, found: Value) -> list[int]:
        numbers = [_number(each) for each in found.split()] if isinstance(found, str) else []
        if len(numbers) != len(self.values):
            raise UnavailableError(f"it has {len(numbers)} fields here, not {len(self.values)}: {found!r}")
        return numbers


@dataclass(frozen=True, slots=True)
class PortsAmong:
    """A list of ports to which these belong; other people's stay."""

    ports: Ports

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        return str(self._ports(found) | self.ports)

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return self.ports <= self._ports(found)

    def __str__(self) -> str:
        return f"{self.ports} among them"

    def _ports(self, found: Value) -> Ports:
        try:
            # Whoever reserved 0-1023 has a port that nobody can bind among them.
            return Ports.parse(str(found if found is not None else ""), lowest=0)
        except ValueError:
            raise UnavailableError(f"it is no list of ports here: {found!r}") from None


def _number(found: Value) -> int:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    try:
        return int(str(found))
    except ValueError:
        raise UnavailableError(f"it is no number here: {found!r}") from None


@dataclass(frozen=True, slots=True)
class Made:
    """A thing of our own (a table, a filter), made from `spec`, which the kernel does not give back: its control
    reads {"digest": of its spec, "content": of what is really there}."""

    spec: Mapping[str, Any]
    label: str

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        return {"digest": digest_of(self.spec), "spec": dict(self.spec)}

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return isinstance(found, Mapping) and found.get("digest") == digest_of(self.spec)

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class Keys:
    """Several settings of one thing, of which these are wanted so and the others stay as they are: its control is
    about these keys alone, so that neither record nor restore touches another."""

    values: Mapping[str, bool | int]

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        return dict(self.values)

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return isinstance(found, Mapping) and all(found.get(key) == value for key, value in self.values.items())

    def __str__(self) -> str:
        return ", ".join(f"{key} {_word(value)}" for key, value in self.values.items())


@dataclass(frozen=True, slots=True)
class EachQueue:
    """A mask for each queue that there is: which, depends upon how many there are, and channels can be refused."""

    masks: Callable[[int], Mapping[str, str] | None]
    """Of so many queues; None: they stay as they are."""
    label: str

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        masks = self.masks(len(found)) if isinstance(found, Mapping) else None
        return found if masks is None else masks

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        return found == self.target(found)

    def __str__(self) -> str:
        return self.label


def _word(value: bool | int) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Queueing:
    """The qdisc that packets wait in at the interface's root, or at each of its queues (mq), whoever put it there."""

    kind: str
    limit_packets: int | None = None
    """None: any; ours then gets the kernel's own."""

    def target(self, found: Value) -> Value:
        """See `contract.Aim`."""
        if self.is_met(found):
            return found
        limit_packets = DEFAULT_LIMITS_PACKETS.get(self.kind) if self.limit_packets is None else self.limit_packets
        return {"kind": self.kind, "limit_packets": limit_packets, "owner": "railbird"}

    def is_met(self, found: Value) -> bool:
        """See `contract.Aim`."""
        if not isinstance(found, Mapping) or found.get("kind") != self.kind:
            return False
        return self.limit_packets in (None, found.get("limit_packets"))

    def __str__(self) -> str:
        return self.kind if self.limit_packets is None else f"{self.kind} of {self.limit_packets} packets"


DEFAULT_LIMITS_PACKETS: Mapping[str, int] = {"fq": 10_000, "fq_codel": 10_240, "pfifo": 1000}
"""What the kernel gives each kind that counts its limit in packets (pfifo: what nearly all interfaces have as their
txqueuelen). Written out, so that what is read back can be told from what somebody else made of it."""
