"""How an interface is found again, in this process and in the next one: by its index, which no other gets.

A name may change, by udev or by hand, and be given to another.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from node_tuner.errors import GoneError, UnavailableError


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
        """By the name that it has now; by the old one where it is gone. KeyError or ValueError for no such thing."""
        name, index = str(where["interface"]), int(where["index"])
        try:
            return cls(socket.if_indextoname(index), index)
        except OSError:
            return cls(name, index)
        except OverflowError:
            raise ValueError(f"there is no interface of index {index}") from None

    def check(self) -> None:
        """GoneError where the interface is no more; UnavailableError where it has another name since."""
        try:
            name = socket.if_indextoname(self.index)
        except OSError:
            raise GoneError(f"there is no interface {self.name} here any more, with index {self.index}") from None
        if name != self.name:
            raise UnavailableError(f"{self.name} is called {name} since")
