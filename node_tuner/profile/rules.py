"""Values that follow the machine: the named rules, and what they come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from node_tuner.machine.facts import Machine
from node_tuner.profile.fields import Section, refuse

MAX_INT = 2**31 - 1
"""Most numbers of the kernel are such an int."""

_MIB = 1 << 20

RuleName: TypeAlias = Literal["per_core", "per_memory_mib", "memory_share", "link_ms"]


@dataclass(frozen=True, slots=True)
class _Rule:
    value: Callable[[Machine, float], float | None]
    """Of the factor; None where the machine does not say."""
    sentence: str
    """For people; `{factor}` and what `_facts` knows."""


def _link_bytes(machine: Machine, factor: float) -> float | None:
    speed_bps = machine.interface.speed_bps
    return None if speed_bps is None else factor / 1000 * speed_bps / 8


RULES: Mapping[RuleName, _Rule] = {
    "per_core": _Rule(lambda machine, factor: factor * machine.cores, "{factor:g} for each of {cores} cores"),
    "per_memory_mib": _Rule(
        lambda machine, factor: factor * machine.memory_bytes / _MIB,
        "{factor:g} a MiB of which there are {memory_mib}",
    ),
    "memory_share": _Rule(
        lambda machine, factor: factor * machine.memory_bytes, "{factor:.3%} of {memory_mib} MiB of memory, in bytes"
    ),
    "link_ms": _Rule(_link_bytes, "{factor:g} ms of {link}, in bytes"),
}

BYTES = frozenset({"memory_share", "link_ms"})
"""Of RULES, those that come to bytes; all others are numbers."""


class MachineRule(Section):
    """A number that is computed on the machine."""

    rule: RuleName
    """`per_core`: times cores; `per_memory_mib`: times MiB of memory; `memory_share`: bytes, that part (0 to 1) of the
    memory; `link_ms`: bytes that the interface's link carries in so many milliseconds."""
    factor: Annotated[float, Field(strict=True, gt=0, le=1e9, allow_inf_nan=False)]
    """What the rule is multiplied by."""
    at_least: Annotated[int, Field(strict=True, ge=0)] = 0
    """Where the rule comes to less."""
    at_most: Annotated[int, Field(strict=True, ge=0)] = MAX_INT
    """Where the rule comes to more."""
    otherwise: Annotated[int, Field(strict=True, ge=0)] | None = None
    """Where the machine does not say, as virtual interfaces have no link speed; `link_ms` cannot do without."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.at_least > self.at_most:
            refuse((("at_least",), f"it is more than at_most, {self.at_most}"))
        if self.rule == "memory_share" and self.factor > 1:
            refuse((("factor",), "a share of the memory is at most 1"))
        if self.rule == "link_ms" and self.otherwise is None:
            refuse((("rule",), "say `otherwise`, for interfaces that have no link speed"))
        return self


def _tag(given: object) -> str:
    return "(rule)" if isinstance(given, (Mapping, MachineRule)) else "(number)"


Number = Annotated[
    Annotated[int, Field(strict=True, ge=0), Tag("(number)")] | Annotated[MachineRule, Tag("(rule)")],
    Discriminator(_tag),
]
"""A number, or the rule for it. The tags stand in parentheses: they are no keys of the file."""


def resolve(number: int | MachineRule, machine: Machine) -> int:
    """What it comes to on this machine, rounded down."""
    if isinstance(number, int):
        return number
    value = RULES[number.rule].value(machine, number.factor)
    if value is None:
        return number.otherwise or 0
    return int(min(max(value, number.at_least), number.at_most))


def least(number: int | MachineRule) -> int:
    """What it comes to on the machine that has least of it."""
    if isinstance(number, int):
        return number
    return number.at_least if number.otherwise is None else min(number.at_least, number.otherwise)


def explain(number: int | MachineRule, machine: Machine) -> str:
    """How it comes to that, for people; empty where the profile says the number itself."""
    if isinstance(number, int):
        return ""
    speed_bps = machine.interface.speed_bps
    link = "a link of unknown speed" if speed_bps is None else f"a link of {speed_bps / 1e9:g} Gb/s"
    facts = {"cores": machine.cores, "memory_mib": machine.memory_bytes // _MIB, "link": link}
    return RULES[number.rule].sentence.format(factor=number.factor, **facts) + _bounds(number)


def _bounds(number: MachineRule) -> str:
    bounds = [f"at least {number.at_least}"] * (number.at_least > 0)
    bounds += [f"at most {number.at_most}"] * (number.at_most < MAX_INT)
    return "".join(f", {bound}" for bound in bounds)


def bounds(number: int | MachineRule) -> tuple[int, ...]:
    """Every number that the profile itself names there: what it may come to, and no machine is asked."""
    if isinstance(number, int):
        return (number,)
    named = {"at_least", "at_most", "otherwise"} & number.model_fields_set
    return tuple(value for key in sorted(named) if (value := getattr(number, key)) is not None)
