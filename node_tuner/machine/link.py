"""How an interface is found again, in this process and in the next one: a name may be given to another."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from node_tuner.errors import GoneError


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface of this namespace; every control of one is made from it."""

    name: str
    index: int

    @property
    def where(self) -> Mapping[str, str | int]:
        """For `Control.where`; `parse` is its inverse."""
        return {"interface": self.name, "index": self.index}

    @classmethod
    def parse(cls, where: Mapping[str, str | int]) -> Link:
        """KeyError or ValueError for what is no such thing."""
        return cls(str(where["interface"]), int(where["index"]))

    def check(self) -> None:
        """GoneError where the interface is gone, also where another has its name now."""
        try:
            index = socket.if_nametoindex(self.name)
        except OSError:
            raise GoneError(f"there is no interface {self.name} here any more") from None
        if index != self.index:
            raise GoneError(f"{self.name} is another interface now: its index is {index}, it was {self.index}")
