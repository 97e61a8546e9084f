"""What a network card is told by ethtool (ethtool(8)): channels, ring sizes, coalescing and offloads.

Each control is about the keys that it was made with, and neither reads nor writes another: what somebody else does to
those is no business of ours, and a restore puts back no more than we changed. The driver may round what it is told:
what was read back afterwards is what holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, NamedTuple, Self, TypeGuard

from node_tuner.contract import Undivided, Value, Where
from node_tuner.controls.ethtool_netlink import CHANNELS, COALESCE, FEATURES, RINGS, Topic, ask, owner, tell
from node_tuner.errors import UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots


class _Keyed(Undivided):
    """What all of them have in common: values by key. Of no keys: of all that the driver has."""

    kind: str
    is_own = False

    def __init__(self, link: Link, keys: Collection[str] = ()) -> None:
        """Of a mapping the values are those that are wanted, where they are known: `obstacle` judges them."""
        self._link = link
        self._keys = tuple(sorted(keys))
        self._wanted = {key: each for key, each in keys.items() if isinstance(each, int)} if _has_values(keys) else {}

    @classmethod
    def parse(cls, where: Where) -> Self:
        """From what `where` said; KeyError or ValueError for anything else."""
        return cls(Link.parse(where), [key for key in str(where["keys"]).split(",") if key])

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return {**self._link.where, "keys": ",".join(self._keys)}

    def read(self) -> Mapping[str, bool | int]:
        """See `contract.Control`."""
        found = self._found()
        missing = [key for key in self._keys if key not in found]
        if missing:
            raise UnavailableError(self._why_missing(missing, found))
        return {key: found[key] for key in self._keys or found}

    def obstacle(self) -> str | None:
        """See `contract.Control`."""
        if "CAP_NET_ADMIN" not in effective(Roots()):
            return "needs CAP_NET_ADMIN"
        try:
            changes = _changes(self.read(), self._wanted)
            return self._why_not(changes) if changes else None
        except UnavailableError as error:
            return str(error)

    def write(self, value: Value) -> None:
        """See `contract.Control`."""
        if not isinstance(value, Mapping):
            raise UnavailableError(f"values by key were expected, not {value!r}")
        found = self.read()
        unknown = [key for key in value if key not in found]
        if unknown:
            raise UnavailableError(self._why_missing(unknown, found))
        changes = _changes(found, value)
        if not changes:
            return
        why_not = self._why_not(changes)
        if why_not is not None:
            raise UnavailableError(why_not)
        self._change(changes)

    def _found(self) -> Mapping[str, bool | int]:
        raise NotImplementedError

    def _why_not(self, changes: Mapping[str, Any]) -> str | None:
        raise NotImplementedError

    def _change(self, changes: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _why_missing(self, missing: Collection[str], found: Collection[str]) -> str:
        raise NotImplementedError


def _has_values(keys: Collection[str]) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(keys, Mapping)


def _changes(found: Mapping[str, bool | int], wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in wanted.items() if each != found.get(key)}


class _Parameter(NamedTuple):
    """A number or a switch of a message."""

    attribute: str
    limit: str = ""
    """The attribute that has its maximum."""
    is_switch: bool = False


class _Parameters(_Keyed):
    _topic: ClassVar[Topic]
    _parameters: ClassVar[Mapping[str, _Parameter]]

    def _found(self) -> Mapping[str, bool | int]:
        reply = ask(self._link, self._topic)
        values = {key: reply.get_attr(each.attribute) for key, each in self._parameters.items()}
        return {
            key: bool(value) if self._parameters[key].is_switch else int(value)
            for key, value in values.items()
            if value is not None
        }

    def _why_not(self, changes: Mapping[str, Any]) -> str | None:
        limits = self.limits()
        for key, value in changes.items():
            if value > limits.get(key, value):
                return f"{owner(self._link)} has at most {limits[key]} {self._name(key)}, not {value}"
        return None

    def _change(self, changes: Mapping[str, Any]) -> None:
        tell(self._link, self._topic, [(self._parameters[key].attribute, int(each)) for key, each in changes.items()])

    def limits(self) -> Mapping[str, int]:
        """The most that each may be, by key; 0 for what the driver does not have. UnavailableError for none at all."""
        reply = ask(self._link, self._topic)
        return {key: reply.get_attr(each.limit) or 0 for key, each in self._parameters.items() if each.limit}

    def _why_missing(self, missing: Collection[str], found: Collection[str]) -> str:
        names = " and ".join(self._name(key) for key in missing)
        return f"{owner(self._link)} has no {names}; it has {', '.join(found) or 'none'}"

    def _name(self, key: str) -> str:
        return f"{key} {self._topic.noun}"


class Channels(_Parameters):
    """How many queues the card has in use: `{"combined": 4}`, or `rx` and `tx`, as the driver counts them."""

    kind = "channels"
    _topic = CHANNELS
    _parameters: ClassVar = {
        "combined": _Parameter("combined_count", "combined_max"),
        "rx": _Parameter("rx_count", "rx_max"),
        "tx": _Parameter("tx_count", "tx_max"),
    }


class Rings(_Parameters):
    """Descriptors of each queue, `{"rx": 4096, "tx": 4096}`."""

    kind = "rings"
    _topic = RINGS
    _parameters: ClassVar = {"rx": _Parameter("rx", "rx_max"), "tx": _Parameter("tx", "tx_max")}


class Coalescing(_Parameters):
    """How long and for how many packets a card waits before it interrupts: `{"rx_usecs": 16, "adaptive_rx": true}`."""

    kind = "coalescing"
    _topic = COALESCE
    _parameters: ClassVar = {
        "rx_usecs": _Parameter("rx_usecs"),
        "rx_frames": _Parameter("rx_max_frames"),
        "tx_usecs": _Parameter("tx_usecs"),
        "tx_frames": _Parameter("tx_max_frames"),
        "adaptive_rx": _Parameter("use_adaptive_rx", is_switch=True),
        "adaptive_tx": _Parameter("use_adaptive_tx", is_switch=True),
    }

    def _change(self, changes: Mapping[str, Any]) -> None:
        numbers = {key: each for key, each in changes.items() if not self._parameters[key].is_switch}
        try:
            super()._change(changes)
        except UnavailableError:
            if numbers == changes or not numbers:
                raise
            self._change_in_turn(numbers, {key: each for key, each in changes.items() if key not in numbers})

    def _change_in_turn(self, numbers: Mapping[str, Any], switches: Mapping[str, Any]) -> None:
        """Some drivers, such as ice, take no number together with the switch that leaves the choice to them."""
        before = self._found()
        super()._change(numbers)
        try:
            super()._change(switches)
        except UnavailableError:
            super()._change({key: before[key] for key in numbers})
            raise


class Offloads(_Keyed):
    """What the card does in the kernel's stead, by the kernel's names: `{"tx-udp-segmentation": true}`."""

    kind = "offloads"

    def _found(self) -> Mapping[str, bool | int]:
        reply = ask(self._link, FEATURES)
        active = _set_bits(reply.get_attr("active"))
        return {name: name in active for name in _bits(reply.get_attr("hw"))}

    def _why_not(self, changes: Mapping[str, Any]) -> str | None:
        changeable = _set_bits(ask(self._link, FEATURES).get_attr("hw"))
        fixed = [name for name in changes if name not in changeable]
        if not fixed:
            return None
        return f"{owner(self._link)} lets nobody change {' and '.join(fixed)}: [fixed], as ethtool -k says"

    def _change(self, changes: Mapping[str, Any]) -> None:
        wanted = _set_bits(ask(self._link, FEATURES).get_attr("wanted"))
        self._want(changes)
        found = self._found()
        idle = [name for name, is_on in changes.items() if found[name] != is_on]
        if idle:
            # The kernel would remember the wish, and fulfil it some other day.
            self._want({name: name in wanted for name in changes})
            raise UnavailableError(
                f"{owner(self._link)} leaves {' and '.join(idle)} as it is: it hangs on other offloads"
            )

    def _want(self, values: Mapping[str, Any]) -> None:
        tell(self._link, FEATURES, [("wanted", _bitset(values))])

    def _why_missing(self, missing: Collection[str], found: Collection[str]) -> str:
        return f"this kernel knows no offload {' and no '.join(missing)}"


def _bits(bitset: Any) -> dict[str, bool]:
    """By name, whether each that is listed is set. A set without a mask lists those alone that are, without a value."""
    bits = [bit for _, bit in bitset.get_attr("ETHTOOL_A_BITSET_BITS")["attrs"]]
    is_list = bool(bitset.get_attr("ETHTOOL_A_BITSET_NOMASK"))
    named = {bit.get_attr("ETHTOOL_A_BITSET_BIT_NAME"): bit.get_attr("ETHTOOL_A_BITSET_BIT_VALUE") for bit in bits}
    return {name: is_list or bool(value) for name, value in named.items() if name}


def _set_bits(bitset: Any) -> set[str]:
    return {name for name, is_set in _bits(bitset).items() if is_set}


def _bitset(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """One with a mask, which is the bits that are listed: others stay as they are."""
    bits = [
        (
            "ETHTOOL_A_BITSET_BITS_BIT",
            {
                "attrs": [
                    ("ETHTOOL_A_BITSET_BIT_NAME", name),
                    *([("ETHTOOL_A_BITSET_BIT_VALUE", True)] if value else []),
                ]
            },
        )
        for name, value in values.items()
    ]
    return {"attrs": [("ETHTOOL_A_BITSET_BITS", {"attrs": bits})]}
