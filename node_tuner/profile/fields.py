"""What the sections of a profile are made of."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints

from node_tuner.ports import Ports

Where: TypeAlias = tuple[str | int, ...]
"""Path to a setting: keys, and indices from 0."""

MAX_LISTED_PORTS = 16
"""Ports and ranges of one list: each may be 65,535 ports long, and a profile may have many lists."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""Of what needs no quoting, in a metric's label or on a command line."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Section(BaseModel):
    """A mapping of a profile: its keys are known, or the profile is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class KnobSection(Section):
    """What every knob has."""

    required: Annotated[bool, Field(strict=True)] = False
    """Whether a node where it cannot be had is not to carry media."""
    why: Text
    """The reason, for people; it stands beside the knob in plans and results."""
    source: Text
    """Who says so: a page of the kernel's documentation, an RFC, a measurement."""


class InconsistentError(ValueError):
    """Settings that are fine by themselves and not together: the path to each from the section, and a sentence."""

    def __init__(self, problems: Iterable[tuple[Where, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(sentence for _, sentence in self.problems))


def refuse(*problems: tuple[Where, str]) -> None:
    """InconsistentError where there are any."""
    if problems:
        raise InconsistentError(problems)


def _ports(given: object) -> object:
    """From `8189`, `8189,9000-9010` or a list of such."""
    if isinstance(given, Ports):
        return given
    parts = given if isinstance(given, Sequence) and not isinstance(given, str) else str(given).split(",")
    if isinstance(given, (bool, dict)) or len(parts) > MAX_LISTED_PORTS:
        raise ValueError(f"expected up to {MAX_LISTED_PORTS} ports and ranges of ports, such as 8189,9000-9010")
    ports = Ports.parse(",".join(str(part) for part in parts))
    if not ports:
        raise ValueError("expected at least one port")
    return ports


def _ports_or_reference(given: object) -> object:
    return given if given == "media_ports" else _ports(given)


PortSet = Annotated[Ports, PlainValidator(_ports), PlainSerializer(str)]

PortsOrReference = Annotated[Ports | Literal["media_ports"], PlainValidator(_ports_or_reference), PlainSerializer(str)]
"""Ports of its own, or those of the whole profile."""
