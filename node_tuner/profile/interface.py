"""Which interface carries the media, as a profile says it."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, StringConstraints, Tag, model_validator

from node_tuner.machine.choice import ByAddress, ByDefaultRoute, ByName, Choice
from node_tuner.profile.fields import Section, refuse


def _address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        raise ValueError("expected an IPv4 or IPv6 address, such as 192.0.2.7 or 2001:db8::7") from None
    return text


class InterfaceSpec(Section):
    """By its name, or by an address that it has."""

    name: Annotated[str, StringConstraints(pattern=r"^[^\s/:]{1,15}$")] | None = None
    """`eth0`."""
    address: Annotated[str, AfterValidator(_address)] | None = None
    """`192.0.2.7`, `2001:db8::7`."""

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.name is None) == (self.address is None):
            refuse(((), "expected exactly one of name, address"))
        return self


def _tag(given: object) -> str:
    return "(word)" if isinstance(given, str) else "(section)"


InterfaceField = Annotated[
    Annotated[Literal["default_route"], Tag("(word)")] | Annotated[InterfaceSpec, Tag("(section)")],
    Discriminator(_tag),
]


def choice_of(interface: str | InterfaceSpec) -> Choice:
    """For `machine.reading.read`."""
    if isinstance(interface, str):
        return ByDefaultRoute()
    if interface.name is not None:
        return ByName(interface.name)
    return ByAddress(ip_address(interface.address or ""))
