"""What a bill lists: one part of the image, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from packageurl import PackageURL


class Known(Enum):
    """How much of what a part is made of the bill knows."""

    AS_SAID = "as said"
    """What it says of itself is all that there could be."""
    UNKNOWN = "unknown"
    """It has machine code, and any library may have been linked into that."""
    INCOMPLETE = "incomplete"
    """It has files of other projects, and nothing says which version of which."""


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that was copied into a part. `path`: from where distributions lie; `sha256`: hexadecimal."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the bill. `licences`: SPDX identifiers or an expression where its source has such, else its words.

    `purl`: None where a wheel says what is inside of it, and not where that is from.
    """

    name: str
    version: str
    purl: PackageURL | None
    licences: tuple[str, ...] = ()
    parts: tuple[Part, ...] = field(default=())
    libraries: tuple[Library, ...] = ()
    known: Known = Known.AS_SAID

    @property
    def reference(self) -> str:
        """Its own among parts of the same whole."""
        return self.purl.to_string() if self.purl else f"{self.name}@{self.version}"
