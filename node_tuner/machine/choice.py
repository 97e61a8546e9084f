"""How a profile or a command line says which interface carries the media."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ByDefaultRoute:
    """That of the default route: IPv4's with the lowest metric; where there is none, IPv6's."""


@dataclass(frozen=True, slots=True)
class ByName:
    """That of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class ByAddress:
    """That which has this address."""

    address: IPv4Address | IPv6Address


Choice: TypeAlias = ByDefaultRoute | ByName | ByAddress
