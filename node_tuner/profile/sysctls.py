"""Sysctls of a profile."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from node_tuner.profile.fields import InconsistentError, KnobSection, PortsOrReference, Where, refuse
from node_tuner.profile.rules import BYTES, MachineRule, Number, bounds
from node_tuner.profile.sysctl_limits import MEMORY_UNITS, limits
from node_tuner.profile.sysctl_names import FIELDS, PORT_LISTS, TEXTS, check_name

Condition: TypeAlias = Literal["softnet_squeezed"]

_AIMS = ("exactly", "at_least", "fields_at_least", "ports")

_Words = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_,.-]+( +[A-Za-z0-9_,.-]+)*$", max_length=200)]


def _tag(given: object) -> str:
    if isinstance(given, (Mapping, MachineRule)):
        return "(rule)"
    return "(words)" if isinstance(given, str) else "(number)"


_Value = Annotated[
    Annotated[int, Field(strict=True, ge=0), Tag("(number)")]
    | Annotated[MachineRule, Tag("(rule)")]
    | Annotated[_Words, Tag("(words)")],
    Discriminator(_tag),
]


class SysctlSpec(KnobSection):
    """One setting of /proc/sys, and exactly one aim: `exactly`, `at_least`, `fields_at_least` or `ports`."""

    exactly: _Value | None = None
    """A number, a rule or a text such as `fq`."""
    at_least: Number | None = None
    """A number or a rule; what is higher stays."""
    fields_at_least: tuple[Number | None, ...] | None = Field(None, min_length=2, max_length=8)
    """For settings of several numbers, such as tcp_rmem: one for each; null leaves that one alone."""
    ports: PortsOrReference | None = None
    """For lists of ports: these belong to it, others stay."""
    when: Condition | None = None
    """Only then. `softnet_squeezed`: the kernel has left datagrams for later since boot, column 3 of
    /proc/net/softnet_stat."""

    @property
    def aim(self) -> str:
        """Which key says the aim."""
        return next(name for name in _AIMS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _has_one_aim(self) -> Self:
        given = [name for name in _AIMS if getattr(self, name) is not None]
        if len(given) != 1:
            refuse(((*given[1:2],), f"expected exactly one of {', '.join(_AIMS)}"))
        return self

    @property
    def numbers(self) -> Iterator[tuple[Where, int | MachineRule]]:
        """Every number of its aim, and where it stands."""
        for name in ("exactly", "at_least"):
            value = getattr(self, name)
            if isinstance(value, (int, MachineRule)):
                yield (name,), value
        for index, number in enumerate(self.fields_at_least or ()):
            if number is not None:
                yield ("fields_at_least", index), number


def _impossible(name: str, spec: SysctlSpec) -> Iterator[tuple[Where, str]]:
    """What the kernel would not take for this setting, and where it stands below it."""
    smallest, largest = limits(name)
    for where, number in spec.numbers:
        if not all(smallest <= value <= largest for value in bounds(number)):
            yield where, f"the kernel takes {smallest} to {largest} here"
        elif isinstance(number, MachineRule):
            yield from _of_no_rule(name, where, number)
    if spec.ports is not None and name not in PORT_LISTS:
        yield ("ports",), "this sysctl is no list of ports"
    else:
        yield from _of_another_kind(name, spec)


def _of_no_rule(name: str, where: Where, rule: MachineRule) -> Iterator[tuple[Where, str]]:
    smallest, largest = limits(name)
    if rule.at_most > largest:
        yield where, f"say `at_most`: the kernel takes {smallest} to {largest} here"
    if rule.rule in BYTES and name in MEMORY_UNITS:
        yield (*where, "rule"), f"it comes to bytes, and the kernel counts {MEMORY_UNITS[name]} here"


def _of_another_kind(name: str, spec: SysctlSpec) -> Iterator[tuple[Where, str]]:
    words = spec.exactly.split() if isinstance(spec.exactly, str) else []
    if name in TEXTS:
        if not words:
            yield (spec.aim,), "expected `exactly` and a text for this sysctl"
        return
    if name in PORT_LISTS:
        if spec.ports is None:
            yield (spec.aim,), "expected `ports` for this sysctl"
        return
    smallest, largest = limits(name)
    if not all(word.isdecimal() and smallest <= int(word) <= largest for word in words):
        yield ("exactly",), f"this sysctl is a number from {smallest} to {largest}"
    elif (values := [int(word) for word in words] or list(_plain(spec))) != sorted(values):
        yield (spec.aim,), "of these numbers none is smaller than the one before it"
    if _field_count(spec) != FIELDS.get(name, 1):
        yield (spec.aim,), f"this sysctl is {FIELDS.get(name, 1)} number(s)"


def _plain(spec: SysctlSpec) -> Iterator[int]:
    """Of its numbers those that follow no machine."""
    return (number for _, number in spec.numbers if isinstance(number, int))


def _field_count(spec: SysctlSpec) -> int:
    if spec.fields_at_least is not None:
        return len(spec.fields_at_least)
    return len(spec.exactly.split()) if isinstance(spec.exactly, str) else 1


def _check(sysctls: Mapping[str, SysctlSpec]) -> Mapping[str, SysctlSpec]:
    problems = [
        ((name, *where), sentence) for name, spec in sysctls.items() for where, sentence in _impossible(name, spec)
    ]
    if problems:
        raise InconsistentError(problems)
    return sysctls


Sysctls = Annotated[
    Mapping[Annotated[str, AfterValidator(check_name)], SysctlSpec],
    AfterValidator(_check),
]
"""By name, in the order in which they are applied."""
